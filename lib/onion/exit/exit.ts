import type { ExitPolicy } from "../../directory/mod.ts";
import type { OnionStream } from "../stream/opener.ts";
import { StreamError } from "../stream/stream_error.ts";
import { connectionReason } from "./connection_reason.ts";
import { withDeadline } from "./deadline.ts";
import { dialTcp } from "./dial_tcp.ts";
import { DnsResolver } from "./dns_resolver.ts";
import { ExitStream } from "./exit_stream.ts";
import { Lookup } from "./lookup.ts";
import type { LookupLimits } from "./lookup.ts";
import type { Resolver } from "./resolver.ts";

/** The end of a circuit, which connects to the destinations of its streams. */
export interface ExitDialer {
  /**
   * Connects to `host` (a name or an IP address) and `port`.
   *
   * @throws {StreamError} if it does not come to be.
   */
  connect(
    host: string,
    port: number,
    signal?: AbortSignal,
  ): Promise<OnionStream>;
  /**
   * The IP addresses of a name; of an IP address its names. At least one.
   *
   * @throws {StreamError} if there is none.
   */
  resolve(name: string, signal?: AbortSignal): Promise<readonly string[]>;
}

/** Bounds of an {@linkcode Exit}. */
export interface ExitLimits extends LookupLimits {
  /** Streams at once, those that are being opened and names that are being looked up included. */
  readonly streams: number;
  /** Milliseconds for all attempts to connect that one stream makes. */
  readonly connectTimeout: number;
}

/** 4,096 streams, 10 s to connect and 10 s to resolve, 1,024 names remembered for 60 s. */
export const DEFAULT_EXIT_LIMITS: ExitLimits = {
  streams: 4_096,
  connectTimeout: 10_000,
  resolveTimeout: 10_000,
  names: 1_024,
  keepNames: 60_000,
};

/** What an {@linkcode Exit} goes by. */
export interface ExitOptions {
  /** What it connects to; asked with resolved addresses. */
  readonly policy: ExitPolicy;
  /** The relay's own IP addresses, which are refused whatever the policy says. */
  readonly own?: () => readonly string[];
  /** Looks names up; the system's name servers unless it is given. */
  readonly resolver?: Resolver;
  /** Connects to an IP address, by TCP unless it is given. Rejects when its signal fires. */
  readonly dial?: (
    ip: string,
    port: number,
    signal: AbortSignal,
  ) => Promise<OnionStream>;
  /** Those of {@linkcode DEFAULT_EXIT_LIMITS} where they are not given. */
  readonly limits?: Partial<ExitLimits>;
  /** A steady clock in milliseconds. */
  readonly now?: () => number;
}

/** Addresses of one name that are tried. */
const ATTEMPTS = 4;

/**
 * Connects to destinations. A name is resolved once, each of its addresses is held against the policy,
 * and the connection goes to an address that was: a name server that answers otherwise the next time
 * (DNS rebinding) gains nothing. Addresses that no port of the policy leads to are never told.
 */
export class Exit implements ExitDialer {
  readonly #lookup: Lookup;
  readonly #dial: NonNullable<ExitOptions["dial"]>;
  readonly #limits: ExitLimits;
  readonly #now: () => number;
  #streams = 0;

  /** It opens nothing before it is asked to. */
  constructor(options: ExitOptions) {
    const { policy, own = () => [], resolver = new DnsResolver() } = options;
    this.#limits = { ...DEFAULT_EXIT_LIMITS, ...options.limits };
    this.#now = options.now ?? (() => performance.now());
    this.#dial = options.dial ?? dialTcp;
    this.#lookup = new Lookup(policy, own, resolver, this.#limits, this.#now);
  }

  /** How many streams are open or being opened. */
  get streams(): number {
    return this.#streams;
  }

  /**
   * Connects to `host` and `port`: `exit-policy` if the policy forbids it, `resolve-failed` if the name
   * has no address that could be told, `refused`, `unreachable` or `timeout` if nobody answers,
   * `resource-limit` if too much is open.
   *
   * @param host a name, or an IP address without brackets.
   * @param signal gives the attempt up (`misc`).
   * @throws {StreamError} as said.
   */
  async connect(
    host: string,
    port: number,
    signal?: AbortSignal,
  ): Promise<OnionStream> {
    this.#take();
    try {
      const addresses = await this.#lookup.permitted(host, port, signal);
      const connection = await this.#connectFirst(addresses, port, signal);
      return new ExitStream(connection, () => this.#streams--);
    } catch (error) {
      this.#streams--;
      throw failure("connect", error, signal);
    }
  }

  /**
   * The addresses of `name` that the policy leads to, or the names of an IP address that it leads to:
   * `exit-policy` if this is no exit, `resolve-failed` if there are none.
   *
   * @param signal gives the question up (`misc`).
   * @throws {StreamError} as said.
   */
  async resolve(
    name: string,
    signal?: AbortSignal,
  ): Promise<readonly string[]> {
    this.#take();
    try {
      return await this.#lookup.resolve(name, signal);
    } catch (error) {
      throw failure("resolve", error, signal);
    } finally {
      this.#streams--;
    }
  }

  #take(): void {
    if (this.#streams >= this.#limits.streams) {
      throw new StreamError(
        "resource-limit",
        "Cannot reach a destination: too much is open",
      );
    }
    this.#streams++;
  }

  /** Tries one address after the other; each has its share of the time that is left. */
  async #connectFirst(
    addresses: readonly string[],
    port: number,
    signal?: AbortSignal,
  ): Promise<OnionStream> {
    const tried = inTurns(addresses).slice(0, ATTEMPTS);
    const end = this.#now() + this.#limits.connectTimeout;
    let first: unknown;
    for (const [index, ip] of tried.entries()) {
      const share = (end - this.#now()) / (tried.length - index);
      try {
        return await withDeadline(
          Math.max(share, 0),
          signal,
          (given) => this.#dial(ip, port, given),
          (tooLate) => tooLate.close(),
        );
      } catch (error) {
        first ??= error;
      }
    }
    throw first;
  }
}

/** IPv4 and IPv6 in turns, so that a relay which lacks one of them gets to the other. */
function inTurns(addresses: readonly string[]): string[] {
  const ipv6 = addresses.filter((ip) => ip.includes(":"));
  const ipv4 = addresses.filter((ip) => !ip.includes(":"));
  const turns: string[] = [];
  for (let i = 0; i < Math.max(ipv4.length, ipv6.length); i++) {
    turns.push(...ipv4.slice(i, i + 1), ...ipv6.slice(i, i + 1));
  }
  return turns;
}

function failure(
  action: string,
  cause: unknown,
  signal: AbortSignal | undefined,
): StreamError {
  if (signal?.aborted) {
    return new StreamError("misc", `Cannot ${action}: it was given up`, {
      cause,
    });
  }
  if (cause instanceof StreamError) return cause;
  const reason = connectionReason(cause);
  return new StreamError(reason, `Cannot ${action}: ${reason}`, { cause });
}
