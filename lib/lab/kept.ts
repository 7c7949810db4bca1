import { readPrivateFile, writePrivateFile } from "../identity/mod.ts";
import { LabError } from "./lab_error.ts";
import { DEFAULT_PLAN } from "./plan.ts";
import type { LabPlan } from "./plan.ts";

/** What a lab keeps from run to run, beside what its members keep. */
export interface Kept {
  /** What was asked for last; undefined at first. */
  readonly plan?: LabPlan | undefined;
  /** The addresses of the controllers, with their fingerprints. */
  readonly controllers: readonly string[];
  /** The port of each member that has one, by its name. */
  readonly ports: Readonly<Record<string, number>>;
  /** Who has an account, and all the others as contacts. */
  readonly people: readonly string[];
}

/** Nothing yet. */
export const NOTHING_KEPT: Kept = { controllers: [], ports: {}, people: [] };

/**
 * What the lab in `directory` has kept, if there is one.
 *
 * @throws {LabError} `ERR_LAB_PLAN` if it is damaged.
 */
export async function readKept(directory: string): Promise<Kept> {
  const path = pathIn(directory);
  try {
    const kept: unknown = JSON.parse(await readPrivateFile(path));
    if (isKept(kept)) {
      return kept.plan === undefined
        ? kept
        : { ...kept, plan: { ...DEFAULT_PLAN, ...kept.plan } };
    }
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return NOTHING_KEPT;
    if (!(cause instanceof SyntaxError)) throw cause;
  }
  throw new LabError("ERR_LAB_PLAN", `Cannot use ${path}: it is damaged`);
}

/** Writes it. */
export async function writeKept(directory: string, kept: Kept): Promise<void> {
  const text = `${JSON.stringify(kept, null, 2)}\n`;
  await writePrivateFile(pathIn(directory), text);
}

function pathIn(directory: string): string {
  return `${directory}/lab.json`;
}

function isKept(value: unknown): value is Kept {
  return isRecord(value) && isTexts(value["controllers"]) &&
    isTexts(value["people"]) && isRecord(value["ports"]) &&
    Object.values(value["ports"]).every(isPort) &&
    (value["plan"] === undefined || isPlan(value["plan"]));
}

function isPlan(value: unknown): boolean {
  if (!isRecord(value)) return false;
  const { server, onion, proxy, controllers, relays, interval } = value;
  // What came later may be missing.
  const { quorum, mix, cover } = value;
  return isTexts(value["people"]) &&
    [server, onion, proxy].every((each) => typeof each === "boolean") &&
    [controllers, relays, interval].every(Number.isInteger) &&
    [quorum, mix, cover].every((each) =>
      each === undefined || Number.isInteger(each)
    );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isTexts(value: unknown): boolean {
  return Array.isArray(value) &&
    value.every((each) => typeof each === "string");
}

function isPort(value: unknown): boolean {
  return Number.isInteger(value) && Number(value) >= 1 &&
    Number(value) <= 65_535;
}
