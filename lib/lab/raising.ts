import type { Network } from "../directory/mod.ts";
import { networkOf } from "../directory/mod.ts";
import { parseServerAddress } from "../identity/mod.ts";
import { Berths } from "./berths.ts";
import {
  controllerCommand,
  onionServerCommand,
  proxyCommand,
  relayCommand,
  serverCommand,
} from "./commands.ts";
import type { Place } from "./commands.ts";
import { ConsensusWatch } from "./consensus_watch.ts";
import { makeControllerKeys } from "./controller_keys.ts";
import type { Crew, MemberCommand } from "./crew.ts";
import { writeKept } from "./kept.ts";
import type { Kept } from "./kept.ts";
import { Lab } from "./lab.ts";
import { LabError } from "./lab_error.ts";
import { raisePeople } from "./people.ts";
import { numbered } from "./plan.ts";
import type { LabPlan } from "./plan.ts";
import { startOnionServer, startServer } from "./start_server.ts";

const LISTENING = /^listening on (\S+)/;
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
    const addressed = this.#controllers();
    const connected = addressed.then((each) => this.#raiseNetwork(each));
    const serving = this.#serve(addressed, connected);
    const populated = serving?.then(async (server) =>
      this.#raisePeople(server, await addressed)
    );
    const proxied = this.#plan.proxy
      ? connected.then(async () => this.#raiseProxy(await addressed))
      : undefined;
    const parts = [addressed, connected, serving, proxied, populated] as const;
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

  /** A server that is to be reached through relays needs them first. */
  #serve(
    addressed: Promise<readonly string[]>,
    connected: Promise<Raised>,
  ): Promise<string> | undefined {
    if (!this.#plan.server) return undefined;
    return this.#plan.onion
      ? connected.then(async () => this.#raiseOnionServer(await addressed))
      : this.#raiseServer();
  }

  #raiseOnionServer(controllers: readonly string[]): Promise<string> {
    const place = { home: this.#crew.home("server"), controllers };
    const command = onionServerCommand(place, this.#plan);
    return startOnionServer(this.#crew, [...command, ...this.#more("server")]);
  }

  #raiseServer(): Promise<string> {
    const command = serverCommand(this.#place("server", []));
    return startServer(this.#crew, [...command, ...this.#more("server")]);
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
  async #raiseNetwork(addresses: readonly string[]): Promise<Raised> {
    const { controllers, relays, quorum } = this.#plan;
    const { patience, now } = this.#options;
    const names = numbered("controller", controllers);
    const network = networkOf(addresses.map(parseServerAddress), quorum);
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
    return { network, watch };
  }

  /** The addresses of the controllers, whose keys are made if there are none. */
  async #controllers(): Promise<readonly string[]> {
    const names = numbered("controller", this.#plan.controllers);
    const { kept: { controllers, people }, now } = this.#options;
    if (controllers.length === names.length) return controllers;
    if (controllers.length > 0) {
      throw new LabError(
        "ERR_LAB_PLAN",
        `Cannot raise ${names.length} controllers here: there were ${controllers.length}`,
      );
    }
    const seconds = Math.floor(now() / 1_000);
    const made = await Promise.all(names.map(async (name) => {
      const home = this.#crew.home(name);
      const fingerprint = await makeControllerKeys(home, seconds);
      return this.#berths.address(name, fingerprint);
    }));
    await this.#keep(made, people);
    return made;
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
