import { Crew } from "./crew.ts";
import { readKept } from "./kept.ts";
import type { Kept } from "./kept.ts";
import type { Lab } from "./lab.ts";
import { LabError } from "./lab_error.ts";
import type { LabOptions } from "./lab_options.ts";
import { checkPlan, DEFAULT_PLAN } from "./plan.ts";
import type { LabPlan } from "./plan.ts";
import { Raising } from "./raising.ts";

const PATIENCE = 60_000;

/**
 * Raises a lab: resolves when every member is ready, every relay is in the consensus, and everybody has
 * everybody else as a contact.
 *
 * @throws {LabError} if it is no possible plan, or something does not come up; then all that had come
 * up is ended.
 */
export async function raiseLab(options: LabOptions): Promise<Lab> {
  const plan: LabPlan = {
    controllers: options.controllers ?? DEFAULT_PLAN.controllers,
    quorum: options.quorum,
    relays: options.relays ?? DEFAULT_PLAN.relays,
    server: options.server ?? DEFAULT_PLAN.server,
    onion: options.onion ?? DEFAULT_PLAN.onion,
    proxy: options.proxy ?? DEFAULT_PLAN.proxy,
    people: options.people ?? DEFAULT_PLAN.people,
    interval: options.interval ?? DEFAULT_PLAN.interval,
    mix: options.mix ?? DEFAULT_PLAN.mix,
    cover: options.cover ?? DEFAULT_PLAN.cover,
  };
  checkPlan(plan);
  const temporary = options.directory === undefined;
  const directory = options.directory ??
    await Deno.makeTempDir({ prefix: "sotto-lab-" });
  const patience = options.patience ?? PATIENCE;
  const { launch, ended = () => {}, now = Date.now, signal } = options;
  const crew = await Crew.gather({ launch, directory, patience, ended });
  const close = async () => {
    await crew.close();
    if (temporary) await removeDirectory(directory);
  };
  const interrupt = () => void crew.close();
  signal?.addEventListener("abort", interrupt, { once: true });
  try {
    signal?.throwIfAborted();
    const kept = await readKept(directory);
    checkServer(plan, kept);
    const { host = () => "127.0.0.1", flags = () => [] } = options;
    const raising = { plan, crew, kept, patience, host, flags, now, close };
    return await new Raising(raising).raise();
  } catch (error) {
    await close();
    // What failed because everything was ended is not what happened.
    signal?.throwIfAborted();
    throw error;
  } finally {
    signal?.removeEventListener("abort", interrupt);
  }
}

/** People keep the address of the server at which they have registered. */
function checkServer({ onion, server }: LabPlan, kept: Kept): void {
  if (!server || kept.people.length === 0) return;
  if (kept.plan === undefined || onion === kept.plan.onion) return;
  throw new LabError(
    "ERR_LAB_PLAN",
    "Cannot raise such a lab here: its people know the server by another address",
  );
}

async function removeDirectory(path: string): Promise<void> {
  try {
    await Deno.remove(path, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
