import { FLAG_EXIT, FLAG_MIDDLE_ONLY } from "../../directory/mod.ts";
import type { ConsensusRelay } from "../../directory/mod.ts";
import { parseIpAddress } from "../../net/mod.ts";
import type { Bytes, RandomSource } from "../../protocol/mod.ts";
import { HOPS_LIMIT } from "../cell/cell.ts";
import { areKin } from "./kinship.ts";
import { chooseRelay } from "./relay_choice.ts";

/** Fewest relays in a circuit. */
export const HOPS_MINIMUM = 3;

/** What a circuit is for, and what it must keep to. */
export interface PathWish {
  /** How many relays, the guard and the last one included: 3 to 8. */
  readonly hops: number;
  /** Fingerprints of the guards that may be used, the best first; a later one only if none before does. */
  readonly guards: readonly Bytes[];
  /** The last relay is an exit that may connect to this port. */
  readonly port?: number | undefined;
  /** With `port`: where to. Only an IP address tells which exits connect there; a name does not. */
  readonly host?: string | undefined;
  /** The last relay is an exit, which resolves names, whatever ports it connects to. */
  readonly resolves?: boolean | undefined;
  /** Fingerprint of the last relay, whatever its policy; `port`, `host` and `resolves` do not count then. */
  readonly last?: Bytes | undefined;
  /** Fingerprints of relays that must not be in the path, such as one that has just failed. */
  readonly exclude?: readonly Bytes[];
  /** No two relays in one IPv4 /16 or IPv6 /32. Only networks for trying out switch it off. */
  readonly distinctNetworks: boolean;
}

/** Dead ends that are tried before it is given up: small networks have some, large ones hardly any. */
const DEAD_ENDS = 64;

/**
 * Chooses the relays of a circuit, the guard first, after Tor's path-spec §2.2: first the exit by its
 * policy, then the guard, then those between, each by chance in proportion to its bandwidth; no two of
 * them kin (see `areKin`). Relays that are middle only are never first or last. `undefined` if there
 * is no such path.
 *
 * @throws {RangeError} if `hops` is out of its range.
 */
export function choosePath(
  relays: readonly ConsensusRelay[],
  wish: PathWish,
  random: RandomSource,
): readonly ConsensusRelay[] | undefined {
  const { hops, guards, exclude = [], distinctNetworks } = wish;
  if (!Number.isInteger(hops) || hops < HOPS_MINIMUM || hops > HOPS_LIMIT) {
    throw new RangeError(`Cannot choose a path: ${hops} hops`);
  }
  const excluded = new Set(exclude.map((each) => each.toHex()));
  const allowed = relays.filter((each) => !excluded.has(printOf(each)));
  const ends = allowed.filter((each) => !(each.flags & FLAG_MIDDLE_ONLY));
  let deadEnds = 0;

  /** Puts relays between the guard and the last until there are enough. */
  function fill(
    path: readonly ConsensusRelay[],
    candidates: readonly ConsensusRelay[],
  ): readonly ConsensusRelay[] | undefined {
    if (path.length === hops) return path;
    const chosen = path.at(-2)!;
    let left = candidates.filter((each) =>
      !areKin(each, chosen, distinctNetworks)
    );
    while (deadEnds < DEAD_ENDS) {
      const next = chooseRelay(left, random);
      if (next === undefined) break;
      const longer = [...path.slice(0, -1), next, path.at(-1)!];
      const whole = fill(longer, left);
      if (whole !== undefined) return whole;
      left = left.filter((each) => each !== next);
    }
    deadEnds++;
    return undefined;
  }

  for (const tier of lastRelays(ends, wish)) {
    for (const print of guards.map((each) => each.toHex())) {
      const guard = ends.find((each) => printOf(each) === print);
      if (guard === undefined) continue;
      let left = tier.filter((each) => !areKin(each, guard, distinctNetworks));
      deadEnds = 0;
      while (deadEnds < DEAD_ENDS) {
        const last = chooseRelay(left, random);
        if (last === undefined) break;
        const others = allowed.filter((each) =>
          !areKin(each, last, distinctNetworks)
        );
        const whole = fill([guard, last], others);
        if (whole !== undefined) return whole;
        left = left.filter((each) => each !== last);
      }
    }
  }
  return undefined;
}

/**
 * Whether there are exits, and the policy of each forbids the destination that is wished: then no path
 * will do, however many are tried.
 */
export function isForbidden(
  relays: readonly ConsensusRelay[],
  wish: Pick<PathWish, "port" | "host" | "last">,
): boolean {
  if (wish.port === undefined || wish.last !== undefined) return false;
  const exits = relays.filter(({ flags }) =>
    flags & FLAG_EXIT && !(flags & FLAG_MIDDLE_ONLY)
  );
  if (exits.length === 0) return false;
  return [...lastRelays(exits, wish)].every((tier) => tier.length === 0);
}

/** The relays that may be the last: those of a later list only if none of an earlier leads to a path. */
function* lastRelays(
  ends: readonly ConsensusRelay[],
  wish: Pick<PathWish, "port" | "host" | "last" | "resolves">,
): Generator<readonly ConsensusRelay[], void> {
  const { port, host, last, resolves } = wish;
  if (last !== undefined) {
    const print = last.toHex();
    yield ends.filter((each) => printOf(each) === print);
    return;
  }
  const exits = ends.filter((each) => each.flags & FLAG_EXIT);
  if (port === undefined) {
    yield resolves ? exits.filter((e) => e.descriptor.policy.isExit) : ends;
  } else if (host !== undefined && parseIpAddress(host) !== undefined) {
    yield exits.filter((each) => each.descriptor.policy.permits(host, port));
  } else {
    yield exits.filter((each) => each.descriptor.policy.mayPermit(port));
    // These serve networks of their own, whose destinations all have private addresses.
    yield exits.filter((each) => each.descriptor.policy.permitsSome(port));
  }
}

function printOf(relay: ConsensusRelay): string {
  return relay.descriptor.identity.fingerprint.toHex();
}
