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
import { Crew } from "./crew.ts";
import type { MemberCommand } from "./crew.ts";
import { freePort } from "./free_port.ts";
import { readKept, writeKept } from "./kept.ts";
import type { Kept } from "./kept.ts";
import { Lab } from "./lab.ts";
import { LabError } from "./lab_error.ts";
import type { LabOptions } from "./lab_options.ts";
import { raisePeople } from "./people.ts";
import { checkPlan, DEFAULT_PLAN, numbered } from "./plan.ts";
import type { LabPlan } from "./plan.ts";

const PATIENCE = 60_000;
const LISTENING = /^listening on (\S+)/;
const ADDRESS = /^address +(\S+)/;
const LISTED = / info {2}listed\b/;

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
    proxy: options.proxy ?? DEFAULT_PLAN.proxy,
    people: options.people ?? DEFAULT_PLAN.people,
    interval: options.interval ?? DEFAULT_PLAN.interval,
  };
  checkPlan(plan);
  const temporary = options.directory === undefined;
  const directory = options.directory ??
    await Deno.makeTempDir({ prefix: "sotto-lab-" });
  const patience = options.patience ?? PATIENCE;
  const { launch, ended = () => {}, signal } = options;
  const crew = await Crew.gather({ launch, directory, patience, ended });
  const close = async () => {
    await crew.close();
    if (temporary) await removeDirectory(directory);
  };
  const kept = await readKept(directory);
  const raising = new Raising(plan, options, crew, kept, patience, close);
  const interrupted = Promise.withResolvers<never>();
  const interrupt = () => interrupted.reject(signal?.reason);
  signal?.addEventListener("abort", interrupt, { once: true });
  try {
    signal?.throwIfAborted();
    return await Promise.race([raising.raise(), interrupted.promise]);
  } catch (error) {
    await close();
    throw error;
  } finally {
    signal?.removeEventListener("abort", interrupt);
  }
}

/** The way from a plan to a lab. */
class Raising {
  readonly #plan: LabPlan;
  readonly #options: LabOptions;
  readonly #crew: Crew;
  readonly #kept: Kept;
  readonly #patience: number;
  readonly #close: () => Promise<void>;
  readonly #ports: Record<string, number>;

  constructor(
    plan: LabPlan,
    options: LabOptions,
    crew: Crew,
    kept: Kept,
    patience: number,
    close: () => Promise<void>,
  ) {
    this.#plan = plan;
    this.#options = options;
    this.#crew = crew;
    this.#kept = kept;
    this.#patience = patience;
    this.#close = close;
    this.#ports = { ...kept.ports };
  }

  async raise(): Promise<Lab> {
    const plan = this.#plan;
    const serving = plan.server ? this.#raiseServer() : undefined;
    const populated = serving?.then((server) => this.#raisePeople(server));
    const connected = this.#raiseNetwork();
    const [server, { network, watch, addresses }] = await Promise.all([
      serving,
      connected,
      populated,
    ]);
    const proxy = plan.proxy ? await this.#raiseProxy(addresses) : undefined;
    await this.#keep(addresses, [...this.#kept.people, ...plan.people]);
    return new Lab({
      plan,
      network,
      crew: this.#crew,
      watch,
      server,
      proxy,
      relay: (name) => this.#relay(name, addresses),
      patience: this.#patience,
      close: async () => {
        watch.close();
        await this.#close();
      },
    });
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
    await raisePeople(this.#crew, server, people, this.#kept.people);
  }

  /** Controllers first: a relay that finds none waits before it tries again. */
  async #raiseNetwork(): Promise<{
    network: Network;
    watch: ConsensusWatch;
    addresses: readonly string[];
  }> {
    const { controllers, relays, quorum } = this.#plan;
    const names = numbered("controller", controllers);
    const addresses = await this.#controllers(names);
    const network = networkOf(addresses.map(parseServerAddress), quorum);
    await this.#keep(addresses, this.#kept.people);
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
    const all = new RegExp(` consensus height=\\d+ relays=${relays} `);
    await Promise.all(raised.map((each) => each.says(all, this.#patience)));
    const now = this.#options.now ?? Date.now;
    const watch = await ConsensusWatch.open(this.#crew, network, now);
    await watch.until((each) => each.relays.length === relays, this.#patience);
    return { network, watch, addresses };
  }

  /** The addresses of the controllers, whose keys are made if there are none. */
  async #controllers(names: readonly string[]): Promise<readonly string[]> {
    const { controllers } = this.#kept;
    if (controllers.length === names.length) return controllers;
    if (controllers.length > 0) {
      throw new LabError(
        "ERR_LAB_PLAN",
        `Cannot raise ${names.length} controllers here: there were ${controllers.length}`,
      );
    }
    const now = Math.floor((this.#options.now ?? Date.now)() / 1_000);
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
    return this.#options.host?.(name) ?? "127.0.0.1";
  }

  #port(name: string): number {
    return this.#ports[name] ??= freePort(this.#host(name));
  }

  #more(name: string): readonly string[] {
    return this.#options.flags?.(name) ?? [];
  }
}

async function removeDirectory(path: string): Promise<void> {
  try {
    await Deno.remove(path, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
