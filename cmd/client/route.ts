import type { ServerAddress } from "../../lib/identity/mod.ts";
import { dial } from "../../lib/net/mod.ts";
import type { ByteStream } from "../../lib/protocol/mod.ts";
import type { FlagTable } from "../flags.ts";
import type { Io } from "../io.ts";
import { ONION_FLAGS } from "./onion_flags.ts";
import type { OnionFlags } from "./onion_flags.ts";
import type { OnionLink } from "./onion_link.ts";

/** The flags that say how a server is reached; spread them into a command's own table. */
export const ROUTE_FLAGS = {
  ...ONION_FLAGS,
  onion: { type: "boolean" },
} as const satisfies FlagTable;

/** Their values. */
export interface RouteFlags extends OnionFlags {
  readonly onion: boolean;
}

/** Where no flag can be given. */
export const NO_ROUTE_FLAGS: RouteFlags = {
  controller: [],
  quorum: undefined,
  hops: undefined,
  onion: false,
};

/** Ends an address that only the onion leads to. */
const ONION_ENDING = ".onion";
/** Streams to servers share circuits with nothing else. */
const ISOLATION = "sotto server";

/**
 * The way to servers: straight, or through the onion, so that they do not learn from where. A server
 * that has no other address is reached through the onion whatever the flags say.
 */
export class Route {
  readonly #io: Io;
  readonly #flags: RouteFlags;
  readonly #always: boolean;
  #onion: Promise<OnionLink> | undefined;

  /** `always` takes the onion without a flag, as an account may want it. */
  constructor(io: Io, flags: RouteFlags, always = false) {
    this.#io = io;
    this.#flags = flags;
    this.#always = always;
  }

  /** Whether the onion is taken to every server. */
  get isOnion(): boolean {
    return this.#flags.onion || this.#always;
  }

  /**
   * A bare connection.
   *
   * @throws {DialError | StreamError} if there is no way, or nobody answers.
   * @throws {UsageError | ConsensusError | DirectoryError} if there is no onion to take.
   */
  async dial(
    { host, port }: ServerAddress,
    signal?: AbortSignal,
  ): Promise<ByteStream> {
    if (!this.isOnion && !host.endsWith(ONION_ENDING)) {
      return await dial({ hostname: host, port, signal });
    }
    this.#onion ??= this.#open();
    try {
      const { opener } = await this.#onion;
      return await opener.open(host, port, ISOLATION, signal);
    } catch (error) {
      // The next attempt may find controllers that were away.
      if (await isBroken(this.#onion)) this.#onion = undefined;
      throw error;
    }
  }

  async #open(): Promise<OnionLink> {
    // Most commands never need it, and start sooner without.
    const { openOnion } = await import("./onion_link.ts");
    return await openOnion(this.#io, this.#flags);
  }

  /** Ends all circuits. */
  async close(): Promise<void> {
    const onion = await this.#onion?.catch(() => undefined);
    this.#onion = undefined;
    await onion?.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

async function isBroken(onion: Promise<OnionLink> | undefined) {
  return await onion?.then(() => false, () => true) ?? false;
}
