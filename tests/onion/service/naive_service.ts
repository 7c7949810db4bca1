/**
 * Onion services as the text has them (SPEC.md §12.8): names, descriptors and the handshake, written a
 * second time, plainly, on other primitives.
 *
 * @module
 */
import { HANDSHAKE_NAME, HandshakeState } from "../../../lib/protocol/mod.ts";
import {
  ascii,
  hkdf,
  join,
  open,
  random,
  seal,
  sha256,
  sign,
  toBig,
  unsigned,
  verify,
} from "../../spec/naive_primitives.ts";
import type { Octets, RawPair } from "../../spec/naive_primitives.ts";

/** What an introduction point is to clients. */
export interface NaivePoint {
  relay: Octets;
  authKey: Octets;
  sealKey: Octets;
}

/** What a descriptor holds. */
export interface NaiveDescriptor {
  certificate: Octets;
  publishedAt: number;
  lifetime: number;
  points: NaivePoint[];
}

export function period(fingerprint: Octets, now: number): number {
  const offset = Number(toBig(fingerprint.slice(0, 4)) % 86_400n);
  return Math.floor((now + offset) / 86_400);
}

export function index(fingerprint: Octets, period: number): Octets {
  return sha256(
    ascii("sotto service index v1\0"),
    fingerprint,
    unsigned(8, period),
  );
}

/** The fingerprints of the four relays, in the order of the ring. */
export function stores(
  relays: Octets[],
  index: Octets,
  period: number,
): Octets[] {
  const label = ascii("sotto service ring v1\0");
  const placed = relays.map((relay) => ({
    relay,
    place: toBig(sha256(label, relay, unsigned(8, period))),
  }));
  placed.sort((a, b) => (a.place < b.place ? -1 : 1));
  const from = toBig(index);
  const behind = placed.filter(({ place }) => place >= from);
  const before = placed.filter(({ place }) => place < from);
  return [...behind, ...before].slice(0, 4).map(({ relay }) => relay);
}

export function writeDescriptor(
  { certificate, publishedAt, lifetime, points }: NaiveDescriptor,
  signing: RawPair,
): Octets {
  const body = join(
    unsigned(1, 1),
    certificate,
    unsigned(8, publishedAt),
    unsigned(4, lifetime),
    unsigned(1, points.length),
    ...points.flatMap(({ relay, authKey, sealKey }) => [
      relay,
      authKey,
      sealKey,
    ]),
  );
  const message = join(ascii("sotto service descriptor v1\0"), body);
  return join(body, sign(signing.secret, message));
}

/** Reads a descriptor behind which zeros stand. */
export function readDescriptor(bytes: Octets): NaiveDescriptor {
  let at = 0;
  const take = (count: number) => bytes.slice(at, at += count);
  if (take(1)[0] !== 1) throw new Error("another version");
  const certificate = take(559);
  const publishedAt = Number(toBig(take(8)));
  const lifetime = Number(toBig(take(4)));
  const count = take(1)[0]!;
  const points: NaivePoint[] = [];
  for (let i = 0; i < count; i++) {
    points.push({ relay: take(32), authKey: take(32), sealKey: take(32) });
  }
  const body = bytes.slice(0, at);
  const message = join(ascii("sotto service descriptor v1\0"), body);
  // Behind version, and when it was made, stands the Ed25519 key (§7.2).
  const key = certificate.slice(9, 41);
  if (!verify(key, take(64), message)) throw new Error("forged");
  if (bytes.slice(at).some((byte) => byte !== 0)) throw new Error("too long");
  return { certificate, publishedAt, lifetime, points };
}

export function sealDescriptor(
  descriptor: Octets,
  fingerprint: Octets,
  index: Octets,
): Octets {
  const zeros = new Uint8Array(1_280 - 12 - 16 - descriptor.length);
  const nonce = random(12);
  const key = hkdf(fingerprint, index, "sotto service seal v1", 32);
  return join(nonce, seal(key, nonce, join(descriptor, zeros), index));
}

export function openDescriptor(
  sealed: Octets,
  fingerprint: Octets,
  index: Octets,
): Octets {
  const key = hkdf(fingerprint, index, "sotto service seal v1", 32);
  return open(key, sealed.slice(0, 12), sealed.slice(12), index);
}

/** The data of ESTABLISH_INTRO. */
export function establishIntro(pair: RawPair, hash: Octets): Octets {
  const label = ascii("sotto introduction point v1\0");
  const signature = sign(pair.secret, join(label, hash, pair.open));
  return join(pair.open, signature);
}

/** The data of INTRODUCE, and what reads the data of RENDEZVOUS_JOINED: both keys. */
export async function introduce(
  point: NaivePoint,
  fingerprint: Octets,
  relay: Octets,
  cookie: Octets,
  hops: number,
): Promise<
  { data: Octets; joined: (data: Octets) => Promise<[Octets, Octets]> }
> {
  const state = await HandshakeState.initialize(HANDSHAKE_NAME, "initiator", {
    prologue: join(ascii("sotto introduction 1"), fingerprint, point.authKey),
    remoteStatic: point.sealKey,
  });
  const first = await state.write(join(relay, cookie, unsigned(1, hops)));
  return {
    data: join(point.authKey, unsigned(2, first.length), first),
    async joined(data) {
      const length = Number(toBig(data.slice(0, 2)));
      if (length !== data.length - 2) throw new Error("too long");
      await state.read(data.slice(2));
      const { sendKey, receiveKey } = await state.split();
      return [sendKey, receiveKey];
    },
  };
}
