import type { ExitPolicy } from "../../directory/mod.ts";
import { carriedIpv4, formatIpAddress, parseIpAddress } from "../../net/mod.ts";
import { StreamError } from "../stream/stream_error.ts";
import { connectionReason } from "./connection_reason.ts";
import { withDeadline } from "./deadline.ts";
import { parseHostName } from "./host_name.ts";
import { NameCache } from "./name_cache.ts";
import type { Resolver } from "./resolver.ts";

/** Bounds of a {@linkcode Lookup}. */
export interface LookupLimits {
  /** Milliseconds for the answer of a resolver. */
  readonly resolveTimeout: number;
  /** Names whose addresses are remembered. */
  readonly names: number;
  /** Milliseconds that they are remembered. */
  readonly keepNames: number;
}

/** Names of one address that are told. */
const NAMES_TOLD = 16;

/**
 * Which addresses a destination has, as far as the policy of an exit leads there. An address to which
 * no port of the policy leads, or which is the relay's own, is never told.
 */
export class Lookup {
  readonly #policy: ExitPolicy;
  readonly #own: () => readonly string[];
  readonly #resolver: Resolver;
  readonly #timeout: number;
  readonly #cache: NameCache;

  /**
   * It asks nobody before it is asked to.
   *
   * @param own the relay's own IP addresses.
   * @param now a steady clock in milliseconds.
   */
  constructor(
    policy: ExitPolicy,
    own: () => readonly string[],
    resolver: Resolver,
    limits: LookupLimits,
    now: () => number,
  ) {
    const { names: entries, keepNames: keep, resolveTimeout: timeout } = limits;
    this.#policy = policy;
    this.#own = own;
    this.#resolver = resolver;
    this.#timeout = timeout;
    this.#cache = new NameCache(resolver, { entries, keep, timeout }, now);
  }

  /**
   * The addresses of `host` (a name or an IP address) that may be connected to on `port`, at least one.
   *
   * @throws {StreamError} `exit-policy` or `resolve-failed` if there is none, `resource-limit`.
   * Rejects with a `TimeoutError` or the reason of `signal` as well.
   */
  async permitted(
    host: string,
    port: number,
    signal?: AbortSignal,
  ): Promise<readonly string[]> {
    const literal = parseIpAddress(host);
    if (literal === undefined && !this.#policy.permitsSome(port)) {
      throw refusal("exit-policy", "the policy forbids this port");
    }
    const addresses = literal === undefined
      ? await this.#addresses(host, signal)
      : [formatIpAddress(literal)].filter((ip) => !this.#isOwn(ip));
    const permitted = addresses.filter((ip) => this.#policy.permits(ip, port));
    if (permitted.length === 0) {
      throw refusal("exit-policy", "the policy forbids this address");
    }
    return permitted;
  }

  /**
   * The addresses of `name`, or the names of an IP address, at least one.
   *
   * @throws {StreamError} and rejects like `permitted`.
   */
  async resolve(
    name: string,
    signal?: AbortSignal,
  ): Promise<readonly string[]> {
    if (!this.#policy.isExit) throw refusal("exit-policy", "this is no exit");
    const address = parseIpAddress(name);
    return address === undefined
      ? await this.#addresses(name, signal)
      : await this.#names(formatIpAddress(address), signal);
  }

  /** The addresses of a name that may be told, at least one. */
  async #addresses(
    text: string,
    signal?: AbortSignal,
  ): Promise<readonly string[]> {
    const name = parseHostName(text);
    if (name === undefined) throw refusal("resolve-failed", "no such name");
    const question = this.#cache.addresses(name);
    if (question === undefined) {
      throw refusal("resource-limit", "too many names being looked up");
    }
    const answer = await this.#answer(() => question, signal);
    const addresses = canonical(answer).filter((ip) => this.#mayTell(ip));
    if (addresses.length > 0) return addresses;
    throw refusal("resolve-failed", "no address that may be told");
  }

  async #names(ip: string, signal?: AbortSignal): Promise<readonly string[]> {
    if (!this.#mayTell(ip)) {
      throw refusal("resolve-failed", "no address that may be asked for");
    }
    const answer = await this.#answer(
      (given) => this.#resolver.names(ip, given),
      signal,
    );
    const names = answer.map(parseHostName).filter((name) =>
      name !== undefined
    );
    if (names.length > 0) return names.slice(0, NAMES_TOLD);
    throw refusal("resolve-failed", "no name");
  }

  async #answer(
    ask: (signal: AbortSignal) => Promise<readonly string[]>,
    signal?: AbortSignal,
  ): Promise<readonly string[]> {
    try {
      return await withDeadline(this.#timeout, signal, ask);
    } catch (cause) {
      if (signal?.aborted || connectionReason(cause) === "timeout") throw cause;
      throw refusal("resolve-failed", "the name servers failed", cause);
    }
  }

  #mayTell(ip: string): boolean {
    return this.#policy.reaches(ip) && !this.#isOwn(ip);
  }

  #isOwn(ip: string): boolean {
    const own = canonical(this.#own());
    const address = parseIpAddress(ip)!;
    return [address, ...carriedIpv4(address)].some((each) =>
      own.includes(formatIpAddress(each))
    );
  }
}

/** Each address once, in its canonical text; what is none is left out. */
function canonical(texts: readonly string[]): string[] {
  const addresses = texts.map(parseIpAddress).filter((each) =>
    each !== undefined
  );
  return [...new Set(addresses.map(formatIpAddress))];
}

function refusal(
  reason: "exit-policy" | "resolve-failed" | "resource-limit",
  seen: string,
  cause?: unknown,
): StreamError {
  return new StreamError(reason, `Cannot reach a destination: ${seen}`, {
    cause,
  });
}
