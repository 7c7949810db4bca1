import {
  ADDRESS_BLOCKS,
  carriedIpv4,
  formatIpPrefix,
  isPublicAddress,
  parseIpAddress,
  parseIpPrefix,
  prefixHolds,
} from "../net/mod.ts";
import type { IpAddress, IpPrefix } from "../net/mod.ts";
import { MalformedError } from "../protocol/mod.ts";

/** `*`: every address; `private`: every address that is not public. */
type Where = IpPrefix | "*" | "private";

interface Rule {
  readonly accept: boolean;
  readonly where: Where;
  readonly firstPort: number;
  readonly lastPort: number;
}

const RULE_LIMIT = 64;
/** In characters, all of which are ASCII. */
const TEXT_LIMIT = 2_048;
const LAST_PORT = 65_535;
const RULE =
  /^(accept|reject) +(\*|private|\[([0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*)\](\/[0-9]+)?|[0-9.]+(?:\/[0-9]+)?):(\*|([1-9][0-9]{0,4})(?:-([1-9][0-9]{0,4}))?)$/;

const BLOCK_EDGES: readonly IpAddress[] = ADDRESS_BLOCKS.flatMap(edgesOf);
const PUBLIC_EDGES = BLOCK_EDGES.filter(isPublicAddress);

/**
 * What a relay connects to as an exit: rules in Tor's manner, of which the first that matches decides;
 * where none does, the answer is no.
 *
 *     reject private:*, accept *:80, accept *:443, accept 192.0.2.0/24:6660-6667, reject [2001:db8::]/32:*
 *
 * Addresses are resolved ones. A rule that rejects an IPv4 address holds for the IPv6 addresses that
 * carry it, too; one that accepts it does not.
 */
export class ExitPolicy {
  /** No exit at all. */
  static readonly REJECT_ALL: ExitPolicy = ExitPolicy.parse("reject *:*");
  /** Pages: ports 80 and 443 of public addresses. */
  static readonly WEB: ExitPolicy = ExitPolicy.parse(
    "reject private:*, accept *:80, accept *:443",
  );

  readonly #rules: readonly Rule[];

  private constructor(rules: readonly Rule[]) {
    this.#rules = rules;
  }

  /**
   * Reads rules, separated by commas or line ends: at most 64, in 2,048 characters, which must suffice
   * for the canonical text as well. No rule at all is `reject *:*`.
   *
   * @throws {MalformedError} if it is anything else.
   */
  static parse(text: string): ExitPolicy {
    checkLength(text);
    const parts = text.trim() === "" ? ["reject *:*"] : text.split(/[,\n]/);
    if (parts.length > RULE_LIMIT) {
      throw malformed(`${parts.length} rules, at most ${RULE_LIMIT}`);
    }
    const policy = new ExitPolicy(parts.map((part) => parseRule(part.trim())));
    // The canonical text can be longer by a little, and must be read again.
    checkLength(policy.toString());
    return policy;
  }

  /** Whether it connects to anything, be it a private address. */
  get isExit(): boolean {
    return this.#rules.some((rule) =>
      rule.accept && this.#startsWithin(rule).some((p) => this.permitsSome(p))
    );
  }

  /** Whether it connects to `ip`, an IP address in any spelling without brackets, and `port`. */
  permits(ip: string, port: number): boolean {
    const address = parseIpAddress(ip);
    return address !== undefined && this.#decide(address, port);
  }

  /** Whether it connects to `ip`, spelt as for `permits`, on any port at all. */
  reaches(ip: string): boolean {
    const address = parseIpAddress(ip);
    return address !== undefined &&
      this.#rules.some((rule) =>
        rule.accept &&
        this.#startsWithin(rule).some((p) => this.#decide(address, p))
      );
  }

  /**
   * Whether there is a public address that it connects to on `port`: what is asked while a name has
   * not been resolved. IPv6 addresses that carry IPv4 ones are left out of account.
   */
  mayPermit(port: number): boolean {
    return this.#edges(port, PUBLIC_EDGES).some((address) =>
      this.#decide(address, port) && isPublicAddress(address)
    );
  }

  /** Whether there is any address, public or not, that it connects to on `port`. */
  permitsSome(port: number): boolean {
    return this.#edges(port, BLOCK_EDGES).some((address) =>
      this.#decide(address, port)
    );
  }

  /** The canonical text: the same policy when it is parsed again. */
  toString(): string {
    return this.#rules.map(formatRule).join(", ");
  }

  #decide(address: IpAddress, port: number): boolean {
    for (const rule of this.#rules) {
      if (!hasPort(rule, port)) continue;
      if (
        matches(rule.where, address) ||
        !rule.accept && carriedIpv4(address).some((a) => matches(rule.where, a))
      ) {
        return rule.accept;
      }
    }
    return false;
  }

  /**
   * One address, the first, of every stretch in which all are treated alike on `port`: the blocks by
   * which addresses are of one kind, cut further where a rule begins or ends. None if no rule accepts
   * anything on it.
   */
  #edges(port: number, blockEdges: readonly IpAddress[]): IpAddress[] {
    const rules = this.#rules.filter((rule) => hasPort(rule, port));
    if (!rules.some((rule) => rule.accept)) return [];
    const own = rules
      .flatMap(({ where }) => typeof where === "string" ? [] : edgesOf(where));
    return [...blockEdges, ...own];
  }

  /** What holds for a port changes only where the ports of some rule begin or have ended. */
  #startsWithin(outer: Rule): number[] {
    const starts = this.#rules.flatMap((r) => [r.firstPort, r.lastPort + 1]);
    return starts.filter((port) => hasPort(outer, port));
  }
}

function checkLength(text: string): void {
  if (text.length > TEXT_LIMIT) {
    throw malformed(`${text.length} characters, at most ${TEXT_LIMIT}`);
  }
}

function parseRule(text: string): Rule {
  const parts = RULE.exec(text);
  if (parts === null) {
    throw malformed("a rule is not accept|reject ADDRESS[/BITS]:PORT[-PORT]");
  }
  const [, verb, place, ipv6, ipv6Bits = "", ports, from, to = from] = parts;
  const firstPort = ports === "*" ? 1 : Number(from);
  const lastPort = ports === "*" ? LAST_PORT : Number(to);
  if (firstPort > lastPort || lastPort > LAST_PORT) {
    throw malformed("a rule names no range of ports");
  }
  const where = place === "*" || place === "private"
    ? place
    : parseIpPrefix(ipv6 === undefined ? place! : ipv6 + ipv6Bits);
  if (where === undefined) {
    throw malformed("a rule names no address, or bits behind its prefix");
  }
  return { accept: verb === "accept", where, firstPort, lastPort };
}

function formatRule(rule: Rule): string {
  const { accept, where, firstPort, lastPort } = rule;
  const ports = firstPort === 1 && lastPort === LAST_PORT
    ? "*"
    : firstPort === lastPort
    ? `${firstPort}`
    : `${firstPort}-${lastPort}`;
  return `${accept ? "accept" : "reject"} ${formatWhere(where)}:${ports}`;
}

function formatWhere(where: Where): string {
  if (typeof where === "string") return where;
  const text = formatIpPrefix(where);
  return where.family === 4 ? text : text.replace(/^[^/]+/, "[$&]");
}

function hasPort(rule: Rule, port: number): boolean {
  return rule.firstPort <= port && port <= rule.lastPort;
}

function matches(where: Where, address: IpAddress): boolean {
  if (where === "*") return true;
  if (where === "private") return !isPublicAddress(address);
  return prefixHolds(where, address);
}

/** The first address of a prefix, and the first behind it if there is one. */
function edgesOf(prefix: IpPrefix): IpAddress[] {
  const { family, first, last } = prefix;
  const edges: IpAddress[] = [{ family, value: first }];
  const next = last + 1n;
  if (next >> (family === 4 ? 32n : 128n) === 0n) {
    edges.push({ family, value: next });
  }
  return edges;
}

function malformed(seen: string): MalformedError {
  return new MalformedError(`Cannot read an exit policy: ${seen}`);
}
