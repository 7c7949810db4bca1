import {
  Controller,
  ControllerServer,
  ControllerState,
  DEFAULT_CONTROLLER_LIMITS,
  Directory,
  networkOf,
  Registration,
  signDescriptor,
} from "../../lib/directory/mod.ts";
import type {
  Consensus,
  ControllerEvent,
  ControllerLimits,
  DescriptorFields,
  Network,
  RegistrationState,
  RegistryRules,
} from "../../lib/directory/mod.ts";
import type { NodeKeyring, ServerAddress } from "../../lib/identity/mod.ts";
import { DEFAULT_LISTENER_LIMITS, dial, listen } from "../../lib/net/mod.ts";
import type { Listener } from "../../lib/net/mod.ts";
import type { Bytes, ByteStream } from "../../lib/protocol/mod.ts";
import { answer, receiveAll } from "../../lib/protocol/mod.ts";
import { freshNodeKeyring } from "../support/keyrings.ts";
import { fields } from "./relays.ts";

/** Connects to a controller or relay over TCP. */
export function dialTcp(
  { host, port }: { readonly host: string; readonly port: number },
  signal?: AbortSignal,
): Promise<ByteStream> {
  return dial({ hostname: host, port, signal, timeout: 2_000 });
}

/** How the controllers of a test behave. */
export interface TcpOptions {
  readonly controllers?: number;
  readonly quorum?: number;
  /** Seconds. */
  readonly interval?: number;
  readonly lifetime?: number;
  readonly limits?: Partial<ControllerLimits>;
  readonly rules?: Partial<RegistryRules>;
  readonly now?: () => number;
}

/** A controller that listens. */
export interface RunningController {
  readonly keyring: NodeKeyring;
  readonly directory: string;
  readonly listener: Listener;
  readonly controller: Controller;
  readonly server: ControllerServer;
  readonly events: ControllerEvent[];
  readonly failures: unknown[];
}

/** A relay that only shakes hands. */
export interface RunningRelay {
  readonly keyring: NodeKeyring;
  readonly listener: Listener;
  readonly port: number;
  readonly states: RegistrationState[];
  registration: Registration | undefined;
  readonly sockets: Set<ByteStream>;
}

/** Controllers and relays on loopback, all gone when it is disposed of. */
export class TcpNetwork {
  readonly options: TcpOptions;
  readonly controllers: (RunningController | undefined)[] = [];
  readonly relays: RunningRelay[] = [];
  readonly directories: Directory[] = [];
  readonly #keyrings: NodeKeyring[] = [];
  readonly #ports: number[] = [];
  readonly #folders: string[] = [];

  private constructor(options: TcpOptions) {
    this.options = options;
  }

  static async of(options: TcpOptions = {}): Promise<TcpNetwork> {
    const network = new TcpNetwork(options);
    const count = options.controllers ?? 1;
    for (let i = 0; i < count; i++) {
      network.#keyrings.push(await freshNodeKeyring());
      network.#folders.push(await Deno.makeTempDir());
      // A port that is free now; each is listened on again at every start.
      const free = Deno.listen({ hostname: "127.0.0.1", port: 0 });
      network.#ports.push((free.addr as Deno.NetAddr).port);
      free.close();
    }
    for (let i = 0; i < count; i++) await network.startController(i);
    return network;
  }

  get network(): Network {
    return networkOf(this.addresses, this.options.quorum);
  }

  get addresses(): ServerAddress[] {
    return this.#keyrings.map(({ certificate: { fingerprint } }, i) => ({
      host: "127.0.0.1",
      port: this.#ports[i]!,
      fingerprint,
    }));
  }

  folder(i: number): string {
    return this.#folders[i]!;
  }

  keyring(i: number): NodeKeyring {
    return this.#keyrings[i]!;
  }

  get now(): () => number {
    return this.options.now ?? Date.now;
  }

  async startController(i: number): Promise<RunningController> {
    const keyring = this.#keyrings[i]!;
    const directory = this.#folders[i]!;
    const events: ControllerEvent[] = [];
    const failures: unknown[] = [];
    const happened = (event: ControllerEvent) => events.push(event);
    const failed = (error: unknown) => failures.push(error);
    const { now, options } = this;
    const state = await ControllerState.open(directory, this.network);
    const controller = new Controller({
      keyring,
      network: this.network,
      state,
      dial: dialTcp,
      rules: {
        perAddress: 4,
        anyOnLoopback: true,
        forgetAfter: 90_000,
        guardAfter: 3_600_000,
        ...options.rules,
      },
      interval: options.interval ?? 300,
      lifetime: options.lifetime ?? 10_800,
      now,
      happened,
      failed,
    });
    const server = new ControllerServer(keyring, {
      controller,
      limits: {
        ...DEFAULT_CONTROLLER_LIMITS,
        allowPrivate: true,
        ...options.limits,
      },
      dialRelay: dialTcp,
      now,
      happened,
    });
    const listener = listen(
      { hostname: "127.0.0.1", port: this.#ports[i]! },
      DEFAULT_LISTENER_LIMITS,
      (incoming) => server.accept(incoming),
      failed,
    );
    const running = {
      keyring,
      directory,
      listener,
      controller,
      server,
      events,
      failures,
    };
    this.controllers[i] = running;
    return running;
  }

  async stopController(i: number): Promise<void> {
    const running = this.controllers[i];
    this.controllers[i] = undefined;
    if (running === undefined) return;
    await running.server.close();
    await running.listener.close();
    await running.controller.close();
  }

  /** Starts what shakes hands as a relay does, without registering it. */
  async listenAsRelay(keyring?: NodeKeyring): Promise<RunningRelay> {
    const own = keyring ?? await freshNodeKeyring();
    const sockets = new Set<ByteStream>();
    const listener = listen(
      { hostname: "127.0.0.1", port: 0 },
      DEFAULT_LISTENER_LIMITS,
      async (incoming) => {
        sockets.add(incoming);
        const channel = await answer(incoming, {
          static: own.dh,
          certificate: own.certificate.bytes,
        });
        if (channel !== undefined) await receiveAll(channel);
        sockets.delete(incoming);
      },
      () => {},
    );
    const running: RunningRelay = {
      keyring: own,
      listener,
      port: listener.port,
      states: [],
      registration: undefined,
      sockets,
    };
    this.relays.push(running);
    return running;
  }

  /** Registers it. */
  register(
    relay: RunningRelay,
    some: Partial<DescriptorFields> = {},
  ): Registration {
    relay.registration = new Registration({
      network: this.network,
      keyring: relay.keyring,
      dial: dialTcp,
      describe: (host) =>
        signDescriptor(
          fields({
            address: { host, port: relay.port },
            publishedAt: Math.floor(this.now() / 1_000),
            ...some,
          }),
          relay.keyring,
        ),
      changed: (state) => relay.states.push(state),
    });
    return relay.registration;
  }

  async startRelay(
    some: Partial<DescriptorFields> = {},
  ): Promise<RunningRelay> {
    const relay = await this.listenAsRelay();
    this.register(relay, some);
    return relay;
  }

  /** Takes a relay away: with goodbye, or as `kill -9` does. */
  async stopRelay(relay: RunningRelay): Promise<void> {
    await relay.registration?.close();
    await relay.listener.close();
  }

  /** A client's view; `cache` begins empty. */
  async openDirectory(
    cache: { bytes?: Bytes } = {},
    failures: unknown[] = [],
    network: Network = this.network,
  ): Promise<Directory> {
    const directory = await Directory.open({
      network,
      dial: dialTcp,
      cache: {
        read: () => Promise.resolve(cache.bytes),
        write: (bytes) => {
          cache.bytes = bytes;
          return Promise.resolve();
        },
      },
      now: this.now,
      failed: (error) => failures.push(error),
    });
    this.directories.push(directory);
    return directory;
  }

  /** Waits until a controller's head is as it should be. */
  async head(
    wanted: (head: Consensus) => boolean,
    i = 0,
    milliseconds = 10_000,
  ): Promise<Consensus> {
    return await until(() => {
      const head = this.controllers[i]?.controller.head;
      return head !== undefined && wanted(head) ? head : undefined;
    }, milliseconds);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const each of this.directories) each.close();
    await Promise.all(this.relays.map((each) => this.stopRelay(each)));
    for (const i of this.controllers.keys()) await this.stopController(i);
    for (const each of this.#folders) {
      await Deno.remove(each, { recursive: true });
    }
  }
}

/** Waits for what `look` gives to be something. */
export async function until<T>(
  look: () => T | undefined | false,
  milliseconds = 10_000,
): Promise<T> {
  const end = performance.now() + milliseconds;
  for (;;) {
    const seen = look();
    if (seen !== undefined && seen !== false) return seen;
    if (performance.now() > end) throw new Error(`not within ${milliseconds}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
