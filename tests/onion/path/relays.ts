import type { ConsensusRelay } from "../../../lib/directory/mod.ts";
import {
  ExitPolicy,
  FLAG_EXIT,
  FLAG_GUARD,
} from "../../../lib/directory/mod.ts";
import type { Bytes } from "../../../lib/protocol/mod.ts";

/** What matters of a relay when paths are chosen. */
export interface RelaySketch {
  /** Its number, from which fingerprint and address come. */
  readonly id: number;
  readonly host?: string;
  readonly policy?: string;
  readonly bandwidth?: number;
  /** Numbers of the relays that it names as of its family. */
  readonly family?: readonly number[];
  readonly flags?: number;
}

/** The fingerprint of relay `id`. */
export function printOf(id: number): Bytes {
  const bytes = new Uint8Array(32);
  new DataView(bytes.buffer).setUint32(28, id);
  return bytes;
}

/** Numbers of relays, from their fingerprints. */
export function idsOf(relays: readonly ConsensusRelay[]): number[] {
  return relays.map((each) => idOf(each.descriptor.identity.fingerprint));
}

/** The number of the relay with this fingerprint. */
export function idOf(print: Bytes): number {
  return new DataView(print.buffer, print.byteOffset).getUint32(28);
}

/** A relay with only that which path selection looks at. Guard and exit, unless it is said otherwise. */
export function relay(sketch: RelaySketch): ConsensusRelay {
  const { id, host = `${1 + id % 200}.${id / 200 | 0}.0.1` } = sketch;
  const { policy, bandwidth = 1_000, family = [] } = sketch;
  const descriptor = {
    identity: { fingerprint: printOf(id) },
    address: { host, port: 7607 },
    policy: policy === undefined ? ExitPolicy.WEB : ExitPolicy.parse(policy),
    bandwidth,
    family: family.map(printOf),
  };
  const { flags = FLAG_GUARD | FLAG_EXIT } = sketch;
  return { descriptor, flags } as unknown as ConsensusRelay;
}

/** Random bytes that come out the same each time, from a number. */
export function seeded(seed: number): (length: number) => Bytes {
  let state = (seed ^ 0x9e3779b9) >>> 0;
  return (length) => {
    const bytes = new Uint8Array(length);
    for (let i = 0; i < length; i++) {
      // Mulberry32.
      state = (state + 0x6d2b79f5) >>> 0;
      let mixed = Math.imul(state ^ state >>> 15, state | 1);
      mixed ^= mixed + Math.imul(mixed ^ mixed >>> 7, mixed | 61);
      bytes[i] = mixed >>> 14;
    }
    return bytes;
  };
}

/** Draws these numbers, one after the other, as 6 bytes each. */
export function draws(...numbers: number[]): (length: number) => Bytes {
  return (length) => {
    const number = numbers.shift();
    if (number === undefined) throw new Error("Cannot draw: nothing left");
    const bytes = new Uint8Array(length);
    let rest = number;
    for (let i = length - 1; i >= 0; i--) {
      bytes[i] = rest % 256;
      rest = Math.floor(rest / 256);
    }
    return bytes;
  };
}
