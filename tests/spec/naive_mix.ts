/**
 * Settings, onions, circuits, drops, buckets and filters, written from SPEC.md §13.2 to §13.8.
 *
 * @module
 */
import {
  ascii,
  dh,
  join,
  layer,
  openLayer,
  sha256,
  sign,
  toBig,
  unsigned,
  verify,
  x25519Pair,
} from "./naive_primitives.ts";
import type { Octets, RawPair } from "./naive_primitives.ts";
import { NaiveReader } from "./naive_reader.ts";

/** Kinds of rounds. */
export const KIND = { exchange: 1, dialing: 2 } as const;
/** Modes of runs. */
export const MODE = { rounds: 0, circuits: 1 } as const;

const SETTINGS_LABEL = ascii("sotto mix settings v1\0");

/** A mix in settings. */
export interface NaiveMix {
  readonly fingerprint: Octets;
  readonly mean: number;
  readonly scale: number;
  readonly keys: readonly Octets[];
}

/** Settings of a run. */
export interface NaiveSettings {
  readonly coordinator: Octets;
  readonly kind: number;
  readonly mode: number;
  readonly first: number;
  readonly count: number;
  readonly period: number;
  readonly window: number;
  readonly slots: number;
  readonly buckets: number;
  readonly mixes: readonly NaiveMix[];
}

/** The body of settings. */
export function settingsBody(settings: NaiveSettings): Octets {
  return join(
    unsigned(1, 1),
    settings.coordinator,
    unsigned(1, settings.kind),
    unsigned(1, settings.mode),
    unsigned(8, settings.first),
    unsigned(2, settings.count),
    unsigned(4, settings.period),
    unsigned(4, settings.window),
    unsigned(1, settings.slots),
    unsigned(4, settings.buckets),
    unsigned(1, settings.mixes.length),
    ...settings.mixes.flatMap(({ fingerprint, mean, scale, keys }) => [
      fingerprint,
      unsigned(4, mean),
      unsigned(4, scale),
      ...keys,
    ]),
  );
}

/** The document: the body, and what the mixes with these Ed25519 seeds sign. */
export function settingsDocument(
  settings: NaiveSettings,
  seeds: readonly Octets[],
): Octets {
  const body = settingsBody(settings);
  const signed = join(SETTINGS_LABEL, body);
  return join(body, ...seeds.map((seed) => sign(seed, signed)));
}

/** Reads a document; `keyOf` gives the Ed25519 key of a mix that may stand in a chain. */
export function readSettings(
  document: Octets,
  keyOf: (fingerprint: Octets) => Octets | undefined,
): NaiveSettings {
  if (document.length >= 65_536) throw new Error("it is too long");
  const reader = new NaiveReader(document);
  if (reader.integer(1) !== 1) throw new Error("another version");
  const head = {
    coordinator: reader.take(32),
    kind: reader.integer(1),
    mode: reader.integer(1),
    first: reader.integer(8),
    count: reader.integer(2),
    period: reader.integer(4),
    window: reader.integer(4),
    slots: reader.integer(1),
    buckets: reader.integer(4),
  };
  const chain = reader.integer(1);
  if (
    ![1, 2].includes(head.kind) || ![0, 1].includes(head.mode) ||
    head.count < 1 || head.count > 512 || chain < 1 || chain > 8 ||
    (head.kind === KIND.exchange) !== (head.buckets === 0)
  ) throw new Error("settings that cannot be");
  const keys = head.mode === MODE.rounds ? head.count : 1;
  const mixes = Array.from({ length: chain }, () => ({
    fingerprint: reader.take(32),
    mean: reader.integer(4),
    scale: reader.integer(4),
    keys: Array.from({ length: keys }, () => reader.take(32)),
  }));
  const signed = join(SETTINGS_LABEL, document.slice(0, reader.at));
  const names = new Set(mixes.map((mix) => mix.fingerprint.toHex()));
  if (names.size < chain) throw new Error("a mix stands there twice");
  for (const { fingerprint } of mixes) {
    const key = keyOf(fingerprint);
    if (key === undefined) throw new Error("a mix that nobody knows");
    if (!verify(key, reader.take(64), signed)) throw new Error("not signed");
  }
  if (reader.left > 0) throw new Error("bytes behind the settings");
  return { ...head, mixes };
}

/** What a client and a mix share: `head` stands before the layer. */
export interface NaiveMixLayer {
  /** eph (32), or a circuit's id (16). */
  readonly head: Octets;
  readonly key: Octets;
  readonly id: Octets;
}

/** A round's name. */
export interface NaiveRound {
  readonly kind: number;
  readonly start: number;
}

function agreed(ss: Octets, eph: Octets, pk: Octets, round: NaiveRound) {
  const info = join(
    ascii("sotto mix onion v1"),
    unsigned(1, round.kind),
    unsigned(8, round.start),
    eph,
    pk,
  );
  const key = sha256(unsigned(4, 1), ss, info);
  const id = sha256(unsigned(4, 2), ss, info).slice(0, 16);
  return { head: eph, key, id };
}

/** The client's side of a layer for the mix with the onion key `pk`. */
export function clientLayer(
  pk: Octets,
  round: NaiveRound,
  e: RawPair = x25519Pair(),
): NaiveMixLayer {
  return agreed(dh(e.secret, pk), e.open, pk, round);
}

/** The mix's side. */
export function mixLayer(
  pair: RawPair,
  eph: Octets,
  round: NaiveRound,
): NaiveMixLayer {
  return agreed(dh(pair.secret, eph), eph, pair.open, round);
}

/** The layer as the run's other rounds have it. */
export function circuitLayer({ key, id }: NaiveMixLayer): NaiveMixLayer {
  return { head: id, key, id };
}

function nonce(direction: number, index: number): Octets {
  return join(unsigned(1, direction), new Uint8Array(7), unsigned(4, index));
}

/** The onion with `payload` in it; the layers in the order of the chain. */
export function wrapMixOnion(
  payload: Octets,
  layers: readonly NaiveMixLayer[],
  index = 0,
): Octets {
  return layers.reduceRight(
    (inner, { head, key }) => join(head, layer(key, nonce(0, index), inner)),
    payload,
  );
}

/** What the mix finds in an onion behind its head. */
export function openMixOnion(
  onion: Octets,
  { head, key }: NaiveMixLayer,
  index = 0,
): Octets {
  return openLayer(key, nonce(0, index), onion.slice(head.length));
}

/** The mix's layer around a reply. */
export function sealMixReply(
  reply: Octets,
  { key }: NaiveMixLayer,
  index = 0,
): Octets {
  return layer(key, nonce(1, index), reply);
}

/** What the last mix has sealed. */
export function openMixReply(
  reply: Octets,
  layers: readonly NaiveMixLayer[],
  index = 0,
): Octets {
  return layers.reduce(
    (inner, { key }) => openLayer(key, nonce(1, index), inner),
    reply,
  );
}

/** What everybody gets of the drops (§13.7); `undefined`: 496 random bytes. */
export function exchange(
  payloads: readonly Octets[],
): (Octets | undefined)[] {
  const drop = (payload: Octets) => payload.slice(0, 16).toHex();
  return payloads.map((payload, i) => {
    const there = payloads.keys()
      .filter((j) => drop(payloads[j]!) === drop(payload)).toArray();
    const place = there.indexOf(i);
    if (place > 1) return undefined;
    return payloads[there[1 - place] ?? i]!.slice(16);
  });
}

/** The bucket of a person (§13.8). */
export function bucket(certificateId: Octets, buckets: number): number {
  return Number(toBig(certificateId.slice(0, 6)) % BigInt(buckets));
}

/** The bits of a token in a filter of so many bits. */
function positions(token: Octets, bits: number): number[] {
  return [token.slice(0, 16), token.slice(16)].flatMap((half) => {
    let [a, b, c, d] = [0, 4, 8, 12].map((at) =>
      toBig(half.slice(at, at + 4))
    ) as [bigint, bigint, bigint, bigint];
    const word = (x: bigint) => x % 2n ** 32n;
    return Array.from({ length: 15 }, () => {
      const drawn = word(a + b + d);
      d = word(d + 1n);
      a = b ^ (b >> 9n);
      b = word(c + (c << 3n));
      c = word(word(c << 21n | c >> 11n) + drawn);
      return Number(drawn % BigInt(bits));
    });
  });
}

/** The filter with these tokens in it. */
export function filterOf(tokens: readonly Octets[]): Octets {
  const length = Math.max(512, Math.ceil(tokens.length * 44 / 8));
  const bits = Array<number>(length * 8).fill(0);
  for (const token of tokens) {
    for (const at of positions(token, bits.length)) bits[at] = 1;
  }
  return new Uint8Array(
    Array.from(
      { length },
      (_, i) => bits.slice(8 * i, 8 * i + 8).reduceRight((n, x) => 2 * n + x),
    ),
  );
}

/** Whether a token is in a filter, as far as it says. */
export function filterHas(filter: Octets, token: Octets): boolean {
  return positions(token, filter.length * 8).every((at) =>
    Math.floor(filter[Math.floor(at / 8)]! / 2 ** (at % 8)) % 2 === 1
  );
}

/** The filters of so many buckets, as the last mix hands them out. */
export function readFilters(bytes: Octets, buckets: number): Octets[] {
  const reader = new NaiveReader(bytes);
  const filters = Array.from(
    { length: buckets },
    () => reader.take(reader.integer(4)),
  );
  if (reader.left > 0) throw new Error("bytes behind the filters");
  for (const filter of filters) {
    const bits = [...filter].map((byte) => byte.toString(2)).join("");
    const ones = bits.replaceAll("0", "").length;
    if (
      filter.length < 512 || filter.length > 262_144 ||
      10 * ones > 6 * 8 * filter.length
    ) throw new Error("a filter that cannot be");
  }
  return filters;
}
