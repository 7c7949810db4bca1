import { FLAG_MIDDLE_ONLY } from "../../directory/mod.ts";
import type { ConsensusRelay } from "../../directory/mod.ts";
import type { Bytes } from "../../protocol/mod.ts";
import { concat, sha256, u64, utf8 } from "../../protocol/mod.ts";

/**
 * Where the descriptor of a service lies (SPEC.md §12.8; rend-spec-v3 §2.2): at relays that only those
 * can name who know the address, and at others every day.
 */

/** Length of a period in seconds: a day. */
export const PERIOD_SECONDS = 86_400;
/** Relays that keep a descriptor in one period. */
export const STORES = 4;

const INDEX_LABEL = utf8("sotto service index v1\0");
const RING_LABEL = utf8("sotto service ring v1\0");

/**
 * The period at a time. It begins at another moment for every service, so that they do not all move at
 * once.
 *
 * @param fingerprint of the service, 32 bytes.
 * @param now seconds since 1970.
 */
export function periodAt(fingerprint: Bytes, now: number): number {
  const view = new DataView(fingerprint.buffer, fingerprint.byteOffset);
  const offset = view.getUint32(0) % PERIOD_SECONDS;
  return Math.floor((now + offset) / PERIOD_SECONDS);
}

/** Under what the descriptor lies: SHA-256 of a label, the service's fingerprint and the period (8). */
export async function indexOf(
  fingerprint: Bytes,
  period: number,
): Promise<Bytes> {
  return await sha256(concat(INDEX_LABEL, fingerprint, u64(BigInt(period))));
}

/**
 * The relays that keep what lies under an index: those whose places on the ring of hashes follow on it,
 * at most four. A relay's place is SHA-256 of a label, its fingerprint and the period (8).
 */
export async function storesOf(
  relays: readonly ConsensusRelay[],
  index: Bytes,
  period: number,
): Promise<readonly ConsensusRelay[]> {
  const wanted = index.toHex();
  const placed = await Promise.all(
    // Circuits do not end at the others.
    relays.filter(({ flags }) => !(flags & FLAG_MIDDLE_ONLY)).map(
      async (relay) => ({ relay, place: await placeOf(relay, period) }),
    ),
  );
  const ring = placed.toSorted((a, b) => a.place < b.place ? -1 : 1);
  const found = ring.findIndex(({ place }) => place >= wanted);
  const first = found < 0 ? 0 : found;
  return [...ring.slice(first), ...ring.slice(0, first)].slice(0, STORES)
    .map(({ relay }) => relay);
}

async function placeOf(
  { descriptor }: ConsensusRelay,
  period: number,
): Promise<string> {
  const { fingerprint } = descriptor.identity;
  const input = concat(RING_LABEL, fingerprint, u64(BigInt(period)));
  return (await sha256(input)).toHex();
}
