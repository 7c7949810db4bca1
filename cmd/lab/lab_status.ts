import type { Lab, Member } from "../../lib/lab/mod.ts";
import { askCircuits } from "../client/circuits_socket.ts";
import type { Io } from "../io.ts";
import { Log } from "../log.ts";

/** Between two looks, in milliseconds. */
const EVERY = 2_000;

/**
 * A line on standard error, where a person reads there, that says how things stand; and above it, also
 * elsewhere, which members have ended that should not have.
 */
export class LabStatus {
  readonly #io: Io;
  readonly #log: Log;
  #timer: ReturnType<typeof setInterval> | undefined;
  #looking = false;

  /** Shows nothing yet. */
  constructor(io: Io) {
    this.#io = io;
    this.#log = new Log({
      level: "info",
      format: "text",
      out: io.stderr,
      now: () => io.now(),
    });
  }

  /** Begins to look at `lab`, if somebody sees it. */
  watch(lab: Lab): void {
    if (!this.#io.stderr.isTerminal) return;
    this.#timer = setInterval(() => {
      if (this.#looking) return;
      this.#looking = true;
      this.#look(lab).finally(() => this.#looking = false);
    }, EVERY);
  }

  /** Says that a member has ended, and what it said last. */
  ended({ name, tail }: Member): void {
    this.#log.warn("member ended", { member: name });
    for (const line of tail.trimEnd().split("\n")) {
      this.#log.warn(line, { member: name });
    }
  }

  /** Takes the line away. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#log.close();
  }

  async #look(lab: Lab): Promise<void> {
    const members = [...lab.members.values()];
    const relays = await lab.consensus()
      .then((each) => each.relays.length, () => "unknown");
    const circuits = await circuitsOf(this.#io, lab).catch(() => []);
    if (this.#timer === undefined) return;
    this.#log.status({
      relays,
      running: members.filter(({ running }) => running).length,
      circuits: circuits.length,
      streams: circuits.reduce((sum, { streams }) => sum + streams, 0),
    });
  }
}

/** The circuits of the proxy. */
async function circuitsOf(
  io: Io,
  lab: Lab,
): Promise<readonly { readonly streams: number }[]> {
  if (lab.proxy === undefined) return [];
  const env = (name: string) =>
    name === "SOTTO_HOME" ? lab.home("proxy") : io.env(name);
  return [...(await askCircuits({ ...io, env })).values()].flat();
}
