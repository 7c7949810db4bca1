import { LabError } from "./lab_error.ts";

/** What a lab consists of. */
export interface LabPlan {
  /** Controllers; 1 to 16. */
  readonly controllers: number;
  /** How many of them must agree; more than half if not given. */
  readonly quorum?: number | undefined;
  /** Relays; 3 to 64, since a circuit has three. */
  readonly relays: number;
  /** Whether there is a server for accounts, letters and files. */
  readonly server: boolean;
  /** Whether the server has no address, and is reached through the onion only. */
  readonly onion: boolean;
  /** Whether there is a proxy into the onion. */
  readonly proxy: boolean;
  /** The names of people who have an account at the server, and each other as contacts. */
  readonly people: readonly string[];
  /** From one consensus to the next, in seconds. */
  readonly interval: number;
  /** Mixes in the chain of the server, itself included, 1 to 8; the others are relays. */
  readonly mix: number;
  /** Simulated clients that take part in rounds and only send cover. */
  readonly cover: number;
}

/** A controller, four relays, a server and a proxy. */
export const DEFAULT_PLAN: LabPlan = {
  controllers: 1,
  relays: 4,
  server: true,
  onion: false,
  proxy: true,
  people: [],
  interval: 2,
  mix: 1,
  cover: 0,
};

const NAME = /^[a-z0-9][a-z0-9._-]{0,31}$/;
const MOST_CONTROLLERS = 16;
const LEAST_RELAYS = 3;
const MOST_RELAYS = 64;
const MOST_PEOPLE = 16;
const MOST_SECONDS = 3_600;
const MOST_MIXES = 8;
const MOST_COVER = 10_000;

/** @throws {LabError} `ERR_LAB_PLAN` if there can be no such lab. */
export function checkPlan(plan: LabPlan): void {
  const { controllers, relays, people, interval } = plan;
  checkNumber("controllers", controllers, 1, MOST_CONTROLLERS);
  checkNumber("relays", relays, LEAST_RELAYS, MOST_RELAYS);
  checkNumber("people", people.length, 0, MOST_PEOPLE);
  checkNumber("seconds between two consensuses", interval, 1, MOST_SECONDS);
  if (plan.quorum !== undefined) {
    const majority = Math.floor(controllers / 2) + 1;
    checkNumber("as the quorum", plan.quorum, majority, controllers);
  }
  checkNumber("mixes", plan.mix, 1, MOST_MIXES);
  checkNumber("simulated clients", plan.cover, 0, MOST_COVER);
  if (plan.mix - 1 > relays) {
    throw refused(`${relays} relays for ${plan.mix - 1} mixes`);
  }
  if ((plan.mix > 1 || plan.cover > 0) && !plan.server) {
    throw refused("rounds need a server");
  }
  if (plan.cover > 0 && plan.onion) {
    throw refused("simulated clients need a server with an address");
  }
  if (people.length > 0 && !plan.server) {
    throw refused("people need a server");
  }
  if (plan.onion && !plan.server) {
    throw refused("there is no server to hide");
  }
  const strange = people.find((each) => !NAME.test(each));
  if (strange !== undefined) {
    throw refused(`${JSON.stringify(strange)} is no name for a person`);
  }
  if (new Set(people).size < people.length) {
    throw refused("two people have the same name");
  }
}

/** The names of the controllers, or relays, from 1 on. */
export function numbered(kind: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${kind}-${index + 1}`);
}

function checkNumber(
  what: string,
  value: number,
  least: number,
  most: number,
): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  throw refused(`${value} ${what}, not ${least} to ${most}`);
}

function refused(seen: string): LabError {
  return new LabError("ERR_LAB_PLAN", `Cannot raise such a lab: ${seen}`);
}
