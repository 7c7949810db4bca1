import type { Network } from "../directory/mod.ts";
import { networkOf } from "../directory/mod.ts";
import { parseServerAddress } from "../identity/mod.ts";
import { Berths } from "./berths.ts";
import {
  crowdCommand,
  onionServerCommand,
  proxyCommand,
  relayCommand,
  serverCommand,
} from "./commands.ts";
import type { Place } from "./commands.ts";
import { ConsensusWatch } from "./consensus_watch.ts";
import type { Crew, MemberCommand } from "./crew.ts";
import { writeKept } from "./kept.ts";
import type { Kept } from "./kept.ts";
import { Lab } from "./lab.ts";
import { raisePeople } from "./people.ts";
import { numbered } from "./plan.ts";
import type { LabPlan } from "./plan.ts";
import { startAtFreePort } from "./port_taken.ts";
import { raiseControllers } from "./raise_controllers.ts";
import type { Controllers } from "./raise_controllers.ts";
import {
  addressOfOnionServer,
  addressOfServer,
  ONION_SERVER_READY,
  SERVER_READY,
} from "./start_server.ts";

const LISTENING = /^listening on (\S+)/;
const CONSENSUS = / consensus height=.*/;
const LISTED = / info {2}listed\b/;
const JOINED = /^joined \d+/;

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
}

/** The way from a plan to a lab. */
export class Raising {
  readonly #options: RaisingOptions;
  readonly #plan: LabPlan;
  readonly #crew: Crew;
  readonly #berths: Berths;
  #watch: ConsensusWatch | undefined;

  constructor(options: RaisingOptions) {
    this.#options = options;
    this.#plan = options.plan;
    this.#crew = options.crew;
    this.#berths = new Berths(options.host, options.kept.ports);
  }

  /**
   * Goes it. If any part fails, all members are ended, and nothing goes on when it rejects.
   *
   * @throws {LabError} says which part.
   */
  async raise(): Promise<Lab> {
    const ruled = raiseControllers({
      plan: this.#plan,
      crew: this.#crew,
      berths: this.#berths,
      kept: this.#options.kept,
      more: (name) => this.#more(name),
      now: this.#options.now,
      keep: (addresses) => this.#keep(addresses, this.#options.kept.people),
    });
    const addressed = ruled.then(({ addresses }) => addresses);
    const connected = ruled.then((each) => this.#raiseNetwork(each));
    const serving = this.#serve(addressed, connected);
    const populated = serving?.then(async (server) =>
      this.#raisePeople(server, await addressed)
    );
    const proxied = this.#plan.proxy
      ? connected.then(async () => this.#raiseProxy(await addressed))
      : undefined;
    const covered = this.#plan.cover > 0
      ? serving?.then(async (server) =>
        this.#raiseCrowd(server, await addressed)
      )
      : undefined;
    const parts = [
      addressed,
      connected,
      serving,
      proxied,
      populated,
      covered,
    ] as const;
    try {
      const [addresses, raised, server, proxy] = await Promise.all(parts);
      const { network, watch } = raised;
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

  /** A server that is to be reached through relays, or mixes with them, needs them first. */
  #serve(
    addressed: Promise<readonly string[]>,
    connected: Promise<Raised>,
  ): Promise<string> | undefined {
    const { server, onion, mix } = this.#plan;
    if (!server) return undefined;
    if (onion) {
      return connected.then(async () =>
        this.#raiseOnionServer(await addressed)
      );
    }
    return mix === 1
      ? this.#raiseServer([])
      : connected.then(async () => this.#raiseServer(await addressed));
  }

  async #raiseOnionServer(controllers: readonly string[]): Promise<string> {
    const place = { home: this.#crew.home("server"), controllers };
    const command = onionServerCommand(place, this.#plan);
    const member = await this.#crew.start("server", {
      args: [...command, ...this.#more("server")],
      ready: ONION_SERVER_READY,
    });
    return await addressOfOnionServer(member);
  }

  async #raiseServer(controllers: readonly string[]): Promise<string> {
    const member = await startAtFreePort(
      this.#crew,
      this.#berths,
      "server",
      () => ({
        args: [
          ...serverCommand(this.#place("server", controllers), this.#plan),
          ...this.#more("server"),
        ],
        ready: SERVER_READY,
      }),
    );
    return await addressOfServer(member);
  }

  async #raisePeople(
    server: string,
    controllers: readonly string[],
  ): Promise<void> {
    const { people } = this.#plan;
    const known = this.#options.kept.people;
    await raisePeople(this.#crew, server, controllers, people, known);
  }

  /** Controllers first: a relay that finds none waits before it tries again. */
  async #raiseNetwork({ addresses, members }: Controllers): Promise<Raised> {
    const { relays, quorum } = this.#plan;
    const { patience, now } = this.#options;
    const network = networkOf(addresses.map(parseServerAddress), quorum);
    await Promise.all(
      numbered("relay", relays).map((name) =>
        startAtFreePort(
          this.#crew,
          this.#berths,
          name,
          () => this.#relay(name, addresses),
        )
      ),
    );
    // A controller of an earlier lab begins with the relays of that.
    const all = new RegExp(` consensus height=\\d+ relays=${relays} `);
    await Promise.all(members.map(async (each) => {
      const [line = ""] = each.output.latest(CONSENSUS) ?? [];
      if (!all.test(line)) await each.says(all, patience, true);
    }));
    const watch = await ConsensusWatch.open(this.#crew, network, now);
    this.#watch = watch;
    await watch.until((each) => each.relays.length === relays, patience);
    return { network, watch };
  }

  #relay(name: string, addresses: readonly string[]): MemberCommand {
    const command = relayCommand(this.#place(name, addresses), this.#plan);
    return { args: [...command, ...this.#more(name)], ready: LISTED };
  }

  async #raiseProxy(addresses: readonly string[]): Promise<string> {
    const proxy = await startAtFreePort(
      this.#crew,
      this.#berths,
      "proxy",
      () => ({
        args: [
          ...proxyCommand(this.#place("proxy", addresses), this.#plan),
          ...this.#more("proxy"),
        ],
        ready: LISTENING,
      }),
    );
    const [, text = ""] = await proxy.output.find(LISTENING);
    return text;
  }

  async #raiseCrowd(
    server: string,
    addresses: readonly string[],
  ): Promise<void> {
    await this.#crew.start("crowd", {
      args: [
        ...crowdCommand(server, addresses, this.#plan),
        ...this.#more("crowd"),
      ],
      ready: JOINED,
    });
  }

  async #keep(
    controllers: readonly string[],
    people: readonly string[],
  ): Promise<void> {
    const { directory } = this.#crew;
    await writeKept(directory, {
      plan: this.#plan,
      controllers,
      ports: this.#berths.ports,
      people: [...new Set(people)],
    });
  }

  #place(name: string, controllers: readonly string[]): Place {
    const listen = this.#berths.of(name);
    return { listen, home: this.#crew.home(name), controllers };
  }

  #more(name: string): readonly string[] {
    return this.#options.flags(name);
  }
}
