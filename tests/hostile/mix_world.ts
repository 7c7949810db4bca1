import { ACCOUNT, accountLink } from "../../lib/account/mod.ts";
import type { NodeKeyring } from "../../lib/identity/mod.ts";
import { ROUNDS } from "../../lib/mix/commands.ts";
import { MixService } from "../../lib/mix/coordinator/mix_service.ts";
import type { MixServiceOptions } from "../../lib/mix/coordinator/mix_service.ts";
import type { MixPeer } from "../../lib/mix/mix_peer.ts";
import type { MixLink } from "../../lib/mix/node/mix_link.ts";
import { MixNode } from "../../lib/mix/node/mix_node.ts";
import type { NoiseLevel } from "../../lib/mix/noise/noise_level.ts";
import {
  answer,
  Caller,
  ChannelError,
  MalformedError,
  Vocabulary,
} from "../../lib/protocol/mod.ts";
import type { Bytes, CommandChannel } from "../../lib/protocol/mod.ts";
import { seeded } from "../mix/statistics/seeded.ts";
import { freshNodeKeyring, testKeyring } from "../support/keyrings.ts";
import { memoryConnection } from "../support/memory_stream.ts";
import type { MemoryConnection } from "../support/memory_stream.ts";
import { MixPerson } from "./mix_person.ts";
import type { MixPersonOptions } from "./mix_person.ts";
import { MixPlace } from "./mix_place.ts";
import { VirtualTime } from "../mix/virtual_time.ts";

const VOCABULARY = new Vocabulary(ACCOUNT, ROUNDS);
const LITTLE: NoiseLevel = { mean: 3, scale: 1 };

/** What a network of rounds is made of. */
export interface MixWorldOptions {
  /** Mixes in its chain, the server's included; 3 unless given. */
  readonly mixes?: number;
  readonly seed?: number;
  readonly noise?: NoiseLevel;
  /** What stands between the coordinator and the mix at a place; nothing unless given. */
  readonly between?: (mix: MixPeer, place: number) => MixPeer;
  readonly service?: Partial<MixServiceOptions>;
}

/**
 * A server with its rounds, further mixes behind connections, and people with real clients and lines: all
 * in this process, over connections in memory, in a time of its own.
 */
export class MixWorld implements AsyncDisposable {
  readonly time = new VirtualTime();
  readonly keyrings: readonly NodeKeyring[];
  /** The mixes behind the server. */
  readonly places: readonly MixPlace[];
  readonly own: MixNode;
  readonly service: MixService;
  readonly people: MixPerson[] = [];
  /** Why rounds have failed, as the operator is told. */
  readonly failures: unknown[] = [];
  /** What went wrong at the entry that nobody else has caused. */
  readonly broken: unknown[] = [];
  readonly #seed: number;
  readonly #links = new Map<MixPlace, MixLink>();
  #asking: Promise<readonly MixPeer[]> | undefined;
  readonly #connections = new Set<MemoryConnection>();
  readonly #serving = new Set<Promise<void>>();

  private constructor(
    keyrings: readonly NodeKeyring[],
    options: MixWorldOptions,
  ) {
    const { noise = LITTLE, between = (mix) => mix, seed = 1 } = options;
    const { time } = this;
    this.#seed = seed;
    this.keyrings = keyrings;
    const { certificate } = this.server;
    this.own = new MixNode({
      keyring: this.server,
      coordinator: certificate.fingerprint,
      noise: () => noise,
      timers: time,
    });
    this.places = keyrings.slice(1)
      .map((keyring) => new MixPlace(keyring, noise, time));
    const draw = seeded(seed);
    this.service = new MixService({
      identity: certificate,
      chain: async () => (await this.chain()).map(between),
      exchange: { count: 5 },
      dialing: { count: 2 },
      timers: time,
      random: () => draw(1)[0]! / 256,
      failed: (error) => this.failures.push(error),
      ...options.service,
    });
  }

  /** Nobody has joined yet. */
  static async raise(options: MixWorldOptions = {}): Promise<MixWorld> {
    const { mixes = 3 } = options;
    const keyrings = await Promise.all(
      Array.from({ length: mixes }, () => freshNodeKeyring()),
    );
    return new MixWorld(keyrings, options);
  }

  /** The server's keys. */
  get server(): NodeKeyring {
    return this.keyrings[0]!;
  }

  /** Somebody who takes part from now on, and knows everybody who does. */
  async person(
    name: string,
    changes: Partial<MixPersonOptions> = {},
  ): Promise<MixPerson> {
    const person: MixPerson = new MixPerson({
      keyring: await testKeyring(`${name}@example.org`),
      time: this.time,
      seed: 1_000 * this.#seed + this.people.length,
      others: () => this.people.filter((each) => each !== person),
      connect: () => this.connect(),
      identityOf: (fingerprint) => this.identityOf(fingerprint),
      policy: {
        coordinator: this.server.certificate.fingerprint,
        leastMixes: this.keyrings.length,
      },
      ...changes,
    });
    this.people.push(person);
    person.client.start();
    return person;
  }

  /** Two people who talk, and have their first secret in common. */
  async talking(
    changes: Partial<MixPersonOptions> = {},
  ): Promise<[MixPerson, MixPerson]> {
    const alice = await this.person("alice", changes);
    const bob = await this.person("bob");
    await this.meet(alice, bob);
    return [alice, bob];
  }

  /** Has one call and the other answer, and waits for their first secret. */
  async meet(caller: MixPerson, callee: MixPerson): Promise<void> {
    caller.line.call(callee.keyring.certificate);
    await this.time.until(
      "it rings",
      () => callee.line.ringing.some((call) => call.address === caller.address),
    );
    callee.line.accept(caller.address);
    const talks = (a: MixPerson, b: MixPerson) =>
      a.line.conversations.some((each) =>
        each.address === b.address && each.stage === "talking" &&
        each.generation >= 1
      );
    await this.time.until(
      "both talk",
      () => talks(caller, callee) && talks(callee, caller),
    );
  }

  /** The mixes, the server's first; rejects while one of them does not run. */
  chain(): Promise<readonly MixPeer[]> {
    // One at a time: a mix has one connection with each coordinator.
    this.#asking ??= this.#chain().finally(() => this.#asking = undefined);
    return this.#asking;
  }

  /** The certificate of a mix. */
  identityOf(fingerprint: Bytes): NodeKeyring["certificate"] | undefined {
    return this.keyrings.map(({ certificate }) => certificate).find((each) =>
      each.fingerprint.toHex() === fingerprint.toHex()
    );
  }

  /** A connection to the entry, with the handshake done; `service` is what it is an entry to. */
  async connect(service = this.service): Promise<CommandChannel> {
    const connection = memoryConnection();
    this.#connections.add(connection);
    const serving = this.#welcome(connection, service).catch((error) => {
      const isPeers = error instanceof ChannelError ||
        error instanceof MalformedError;
      if (!isPeers) this.broken.push(error);
    }).finally(() => this.#serving.delete(serving));
    this.#serving.add(serving);
    const caller = new Caller(connection.left);
    return accountLink(
      await caller.connect(this.server.certificate.dhKey),
      VOCABULARY,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      const leaving = Promise.all(
        this.people.map(({ client }) => client.close()),
      );
      await this.time.advance(1_000);
      await leaving;
      const stopping = Promise.all([this.service.stop(), this.own.stop()]);
      await this.time.advance(10_000);
      await stopping;
      await Promise.all(this.places.map((place) => place.kill()));
      for (const connection of this.#connections) connection.reset();
      await Promise.all(this.#serving);
      await Promise.all([...this.#links.values()].map(({ ended }) => ended));
    } finally {
      this.time[Symbol.dispose]();
    }
  }

  async #chain(): Promise<readonly MixPeer[]> {
    const further = await Promise.all(
      this.places.map((place) => this.#link(place)),
    );
    return [this.own, ...further];
  }

  async #link(place: MixPlace): Promise<MixLink> {
    const known = this.#links.get(place);
    if (known !== undefined && !known.isGone) return known;
    const link = await place.link(this.server);
    this.#links.set(place, link);
    return link;
  }

  async #welcome(
    connection: MemoryConnection,
    service: MixService,
  ): Promise<void> {
    const { right } = connection;
    try {
      const channel = await answer(right, {
        static: this.server.dh,
        certificate: this.server.certificate.bytes,
      });
      if (channel === undefined) return;
      const link = accountLink(channel, VOCABULARY);
      const first = await link.next();
      if (first === null) return;
      await service.welcome({ link, caller: { deadline() {} } }, first);
      await link.close();
    } finally {
      this.#connections.delete(connection);
      if (!right.closed) right.close();
    }
  }
}
