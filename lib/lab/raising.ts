import type { Network } from "../directory/mod.ts";
import { networkOf } from "../directory/mod.ts";
import { formatServerAddress, parseServerAddress } from "../identity/mod.ts";
import { dial } from "../net/mod.ts";
import { Caller } from "../protocol/mod.ts";
import {
  controllerCommand,
  proxyCommand,
  relayCommand,
  serverCommand,
} from "./commands.ts";
import type { Place } from "./commands.ts";
import { ConsensusWatch } from "./consensus_watch.ts";
import { makeControllerKeys } from "./controller_keys.ts";
import type { Crew, MemberCommand } from "./crew.ts";
import { freePort } from "./free_port.ts";
import { writeKept } from "./kept.ts";
import type { Kept } from "./kept.ts";
import { Lab } from "./lab.ts";
import { LabError } from "./lab_error.ts";
import { raisePeople } from "./people.ts";
import { numbered } from "./plan.ts";
import type { LabPlan } from "./plan.ts";

const LISTENING = /^listening on (\S+)/;
const ADDRESS = /^address +(\S+)/;
const CONSENSUS = / consensus height=.*/;
const LISTED = / info {2}listed\b/;

/** What is needed to carry out a plan. */
export interface RaisingOptions {
  readonly plan: LabPlan;
  /** Nobody yet. */
  readonly crew: Crew;
  /** What was there before. */
  readonly kept: Kept;
  /** How long any one thing may take, in milliseconds. */
  readonly patience: number;
  /** The IP address of each member. */
  readonly host: (name: string) => string;
  /** Flags that a member gets beside its own. */
  readonly flags: (name: string) => readonly string[];
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** What the lab does at its end. */
  readonly close: () => Promise<void>;
}

/** Controllers and relays that are up. */
interface Raised {
  readonly network: Network;
  readonly watch: ConsensusWatch;
  readonly addresses: readonly string[];
}

/** The way from a plan to a lab. */
export class Raising {
  readonly #options: RaisingOptions;
  readonly #plan: LabPlan;
  readonly #crew: Crew;
  readonly #ports: Record<string, number>;
  #watch: ConsensusWatch | undefined;

  constructor(options: RaisingOptions) {
    this.#options = options;
    this.#plan = options.plan;
    this.#crew = options.crew;
    this.#ports = { ...options.kept.ports };
  }

  /**
   * Goes it. If any part fails, all members are ended, and nothing goes on when it rejects.
   *
   * @throws {LabError} says which part.
   */
  async raise(): Promise<Lab> {
    const connected = this.#raiseNetwork();
    const serving = this.#plan.server ? this.#raiseServer() : undefined;
    const populated = serving?.then((server) => this.#raisePeople(server));
    const proxied = this.#plan.proxy
      ? connected.then(({ addresses }) => this.#raiseProxy(addresses))
      : undefined;
    const parts = [connected, serving, proxied, populated] as const;
    try {
      const [{ network, watch, addresses }, server, proxy] = await Promise.all(
        parts,
      );
      const { plan, patience, kept } = this.#options;
      await this.#keep(addresses, [...kept.people, ...plan.people]);
      return new Lab({
        plan,
        network,
        crew: this.#crew,
        watch,
        server,
        proxy,
        relay: (name) => this.#relay(name, addresses),
        patience,
        close: async () => {
          watch.close();
          await this.#options.close();
        },
      });
    } catch (error) {
      await this.#crew.close();
      await Promise.allSettled(parts);
      this.#watch?.close();
      throw error;
    }
  }

  async #raiseServer(): Promise<string> {
    const server = await this.#crew.start("server", {
      args: [
        ...serverCommand(this.#place("server", [])),
        ...this.#more("server"),
      ],
      ready: ADDRESS,
    });
    const [, text = ""] = await server.output.find(ADDRESS);
    const { host, port } = parseServerAddress(text);
    const stream = await dial({ hostname: host, port });
    try {
      await new Caller(stream).ping();
    } finally {
      stream.close();
    }
    return text;
  }

  async #raisePeople(server: string): Promise<void> {
    const { people } = this.#plan;
    await raisePeople(this.#crew, server, people, this.#options.kept.people);
  }

  /** Controllers first: a relay that finds none waits before it tries again. */
  async #raiseNetwork(): Promise<Raised> {
    const { controllers, relays, quorum } = this.#plan;
    const { patience, kept, now } = this.#options;
    const names = numbered("controller", controllers);
    const addresses = await this.#controllers(names);
    const network = networkOf(addresses.map(parseServerAddress), quorum);
    await this.#keep(addresses, kept.people);
    const raised = await Promise.all(
      names.map((name) =>
        this.#crew.start(name, {
          args: [
            ...controllerCommand(this.#place(name, addresses), this.#plan),
            ...this.#more(name),
          ],
          ready: LISTENING,
        })
      ),
    );
    await Promise.all(
      numbered("relay", relays).map((name) =>
        this.#crew.start(name, this.#relay(name, addresses))
      ),
    );
    // A controller of an earlier lab begins with the relays of that.
    const all = new RegExp(` consensus height=\\d+ relays=${relays} `);
    await Promise.all(raised.map(async (each) => {
      const [line = ""] = each.output.latest(CONSENSUS) ?? [];
      if (!all.test(line)) await each.says(all, patience, true);
    }));
    const watch = await ConsensusWatch.open(this.#crew, network, now);
    this.#watch = watch;
    await watch.until((each) => each.relays.length === relays, patience);
    return { network, watch, addresses };
  }

  /** The addresses of the controllers, whose keys are made if there are none. */
  async #controllers(names: readonly string[]): Promise<readonly string[]> {
    const { controllers } = this.#options.kept;
    if (controllers.length === names.length) return controllers;
    if (controllers.length > 0) {
      throw new LabError(
        "ERR_LAB_PLAN",
        `Cannot raise ${names.length} controllers here: there were ${controllers.length}`,
      );
    }
    const now = Math.floor(this.#options.now() / 1_000);
    return await Promise.all(names.map(async (name) => {
      const home = this.#crew.home(name);
      const fingerprint = await makeControllerKeys(home, now);
      const [host, port] = [this.#host(name), this.#port(name)];
      return formatServerAddress({ host, port, fingerprint });
    }));
  }

  #relay(name: string, addresses: readonly string[]): MemberCommand {
    const command = relayCommand(this.#place(name, addresses), this.#plan);
    return { args: [...command, ...this.#more(name)], ready: LISTED };
  }

  async #raiseProxy(addresses: readonly string[]): Promise<string> {
    const proxy = await this.#crew.start("proxy", {
      args: [
        ...proxyCommand(this.#place("proxy", addresses), this.#plan),
        ...this.#more("proxy"),
      ],
      ready: LISTENING,
    });
    const [, text = ""] = await proxy.output.find(LISTENING);
    return text;
  }

  async #keep(
    controllers: readonly string[],
    people: readonly string[],
  ): Promise<void> {
    const { directory } = this.#crew;
    await writeKept(directory, {
      controllers,
      ports: this.#ports,
      people: [...new Set(people)],
    });
  }

  #place(name: string, controllers: readonly string[]): Place {
    const host = this.#host(name);
    const authority = host.includes(":") ? `[${host}]` : host;
    const listen = `${authority}:${this.#port(name)}`;
    return { listen, home: this.#crew.home(name), controllers };
  }

  #host(name: string): string {
    return this.#options.host(name);
  }

  #port(name: string): number {
    return this.#ports[name] ??= freePort(this.#host(name));
  }

  #more(name: string): readonly string[] {
    return this.#options.flags(name);
  }
}
