import type { Consensus, Network } from "../directory/mod.ts";
import { formatServerAddress } from "../identity/mod.ts";
import type { ConsensusWatch } from "./consensus_watch.ts";
import type { Crew, MemberCommand, Ran } from "./crew.ts";
import { LabError } from "./lab_error.ts";
import type { Member } from "./member.ts";
import { personEnvironment, personHome } from "./person_environment.ts";
import type { LabPlan } from "./plan.ts";

/** What a lab that is up consists of. */
export interface LabParts {
  /** What was asked for. */
  readonly plan: LabPlan;
  /** The controllers and how many must agree. */
  readonly network: Network;
  /** The processes. */
  readonly crew: Crew;
  /** What the controllers say. */
  readonly watch: ConsensusWatch;
  /** The address of the server, `sotto://FINGERPRINT@HOST:PORT` or `sotto://FINGERPRINT.onion`. */
  readonly server: string | undefined;
  /** Where the proxy listens for SOCKS5 and HTTP, `HOST:PORT`, if there is one. */
  readonly proxy: string | undefined;
  /** How one more relay of this name is started. */
  readonly relay: (name: string) => MemberCommand;
  /** How long anything may take, in milliseconds. */
  readonly patience: number;
  /** Ends everything. */
  readonly close: () => Promise<void>;
}

/**
 * A network on one machine, each member a process of its own: `controller-1`, `relay-1`, ..., `server`
 * and `proxy`. People have no process; commands are run in their homes.
 */
export class Lab implements AsyncDisposable {
  readonly #parts: LabParts;

  constructor(parts: LabParts) {
    this.#parts = parts;
  }

  /** What was asked for. */
  get plan(): LabPlan {
    return this.#parts.plan;
  }

  /** Whom its members believe. */
  get network(): Network {
    return this.#parts.network;
  }

  /** The addresses of the controllers, `sotto://FINGERPRINT@HOST:PORT`. */
  get controllers(): readonly string[] {
    return this.network.controllers.map(formatServerAddress);
  }

  /** The address of the server, `sotto://FINGERPRINT@HOST:PORT` or `sotto://FINGERPRINT.onion`. */
  get server(): string | undefined {
    return this.#parts.server;
  }

  /** Where the proxy listens for SOCKS5 and HTTP, `HOST:PORT`, if there is one. */
  get proxy(): string | undefined {
    return this.#parts.proxy;
  }

  /** Where everything lies. */
  get directory(): string {
    return this.#parts.crew.directory;
  }

  /** The processes by name, in the order of their first start; also those that have ended. */
  get members(): ReadonlyMap<string, Member> {
    return this.#parts.crew.members;
  }

  /** The directory of a member or person; for a person, what SOTTO_HOME must be. */
  home(name: string): string {
    const { crew } = this.#parts;
    return crew.members.has(name)
      ? crew.home(name)
      : personHome(this.directory, name);
  }

  /**
   * The address that a controller, relay or server has said it has.
   *
   * @throws {LabError} `ERR_LAB_MEMBER` if there is no such member, or it has said none.
   */
  address(name: string): string {
    const address = /^(?:onion )?address +(\S+)$/m.exec(this.logs(name))?.[1];
    if (address !== undefined) return address;
    throw new LabError("ERR_LAB_MEMBER", `Cannot tell the address of ${name}`);
  }

  /** What a member has printed since it was started last: the first 20 and the last 500 lines. */
  logs(name: string): string {
    return this.#parts.crew.member(name).output.text;
  }

  /** Sends a signal to a member. SIGKILL, which is the default, and SIGTERM are waited for. */
  async kill(name: string, signal: Deno.Signal = "SIGKILL"): Promise<void> {
    const member = this.#parts.crew.member(name);
    member.kill(signal);
    if (signal === "SIGKILL" || signal === "SIGTERM") await member.ended;
  }

  /** Starts a member again as it was started before; if it still runs, it is ended first. */
  async restart(name: string): Promise<Member> {
    return await this.#parts.crew.restart(name);
  }

  /** Starts one more relay, and waits until it is listed. */
  async addRelay(): Promise<Member> {
    const relays = [...this.members.keys()]
      .filter((name) => name.startsWith("relay-")).length;
    const name = `relay-${relays + 1}`;
    return await this.#parts.crew.start(name, this.#parts.relay(name));
  }

  /**
   * Starts any other command of the program as a member, such as another proxy, and waits until
   * `ready` is found in a line of its output.
   */
  async start(
    name: string,
    args: readonly string[],
    ready: RegExp,
  ): Promise<Member> {
    return await this.#parts.crew.start(name, { args, ready });
  }

  /** Runs the program as a person would, to its end, with nothing to read. */
  async run(person: string, args: readonly string[]): Promise<Ran> {
    return await this.#parts.crew.run(person, args, this.environment(person));
  }

  /** What must be set in the environment of a person's commands. */
  environment(person: string): Record<string, string> {
    return personEnvironment(this.directory, person, this.controllers);
  }

  /** The newest consensus. */
  async consensus(): Promise<Consensus> {
    return await this.#parts.watch.newest();
  }

  /**
   * Waits for a consensus of which `condition` is true.
   *
   * @throws {LabError} `ERR_LAB_LATE` if there is none in `patience` milliseconds.
   */
  async until(
    condition: (consensus: Consensus) => boolean,
    patience: number = this.#parts.patience,
  ): Promise<Consensus> {
    return await this.#parts.watch.until(condition, patience);
  }

  /** Ends all members, and removes the directory if it is a temporary one. May be called again. */
  async close(): Promise<void> {
    await this.#parts.close();
  }

  /** The same as `close`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
