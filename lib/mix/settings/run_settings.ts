import type { Bytes } from "../../protocol/mod.ts";
import {
  MalformedError,
  Reader,
  SIGNATURE_BYTES,
  Writer,
  X25519_BYTES,
} from "../../protocol/mod.ts";
import { RunMode } from "../round.ts";
import type { RoundKind } from "../round.ts";
import type { MixPlace, SettingsFields } from "./settings_fields.ts";
import {
  faultOfChain,
  faultOfHead,
  faultOfNoise,
  faultOfSettings,
  FINGERPRINT_BYTES,
  keysOf,
  SETTINGS_LIMIT,
} from "./settings_rules.ts";

/** The settings of a run together with the bytes that stand for them. */
export interface RunSettings extends SettingsFields {
  /** What the mixes sign. */
  readonly body: Bytes;
}

const VERSION = 1;

/**
 * The body of settings: version u8 ‖ coordinator 32 ‖ kind u8 ‖ mode u8 ‖ first u64 ‖ count u16 ‖ period
 * u32 ‖ window u32 ‖ slots u8 ‖ buckets u32 ‖ how many mixes u8 ‖ of each: fingerprint 32 ‖ mean u32 ‖
 * scale u32 ‖ its keys, 32 each. Integers are big-endian.
 *
 * @throws {RangeError} if a field is out of its range, or all of it together is too long.
 */
export function encodeSettings(fields: SettingsFields): Bytes {
  const fault = faultOfSettings(fields);
  if (fault !== undefined) {
    throw new RangeError(`Cannot settle a run: ${fault}`);
  }
  const writer = new Writer(2_048).u8(VERSION).bytes(fields.coordinator)
    .u8(fields.kind).u8(fields.mode).u64(BigInt(fields.first))
    .u16(fields.count).u32(fields.period).u32(fields.window)
    .u8(fields.slots).u32(fields.buckets).u8(fields.mixes.length);
  for (const { fingerprint, noise, onionKeys } of fields.mixes) {
    writer.bytes(fingerprint).u32(noise.mean).u32(noise.scale);
    for (const key of onionKeys) writer.bytes(key);
  }
  return writer.done();
}

/**
 * Reads the body of settings. Who signed it is another matter.
 *
 * @throws {MalformedError} if it does not parse to the last byte, or a field is out of its range.
 */
export function parseSettingsBody(bytes: Bytes): RunSettings {
  const reader = new Reader(bytes);
  const fields = readFields(reader);
  reader.end();
  return { ...fields, body: bytes.slice() };
}

/**
 * Reads settings with the signatures behind them, 64 bytes for every mix in order; nothing is verified.
 *
 * @throws {MalformedError} as `parseSettingsBody`.
 */
export function parseSettingsDocument(
  bytes: Bytes,
): { readonly settings: RunSettings; readonly signatures: readonly Bytes[] } {
  const reader = new Reader(bytes);
  const fields = readFields(reader);
  const body = bytes.slice(0, bytes.length - reader.left);
  const signatures = fields.mixes.map(() => reader.take(SIGNATURE_BYTES));
  reader.end();
  return { settings: { ...fields, body }, signatures };
}

/**
 * The key for onions of the mix at `place`, 0 for the first, in the run's round `index`; in a run of
 * circuits it is always the one.
 *
 * @throws {RangeError} if there is no such mix or round.
 */
export function keyOf(
  settings: SettingsFields,
  place: number,
  index: number,
): Bytes {
  const keys = settings.mixes[place]?.onionKeys;
  const key = keys?.[settings.mode === RunMode.CIRCUITS ? 0 : index];
  const isRound = Number.isInteger(index) && index >= 0 &&
    index < settings.count;
  if (key === undefined || !isRound) {
    throw new RangeError(`Cannot find an onion key: ${place}, ${index}`);
  }
  return key;
}

function readFields(reader: Reader): SettingsFields {
  if (reader.left > SETTINGS_LIMIT) {
    throw new MalformedError(`Cannot read settings: ${reader.left} bytes`);
  }
  const version = reader.u8();
  if (version !== VERSION) {
    throw new MalformedError(`Cannot read settings: version ${version}`);
  }
  const head = {
    coordinator: reader.take(FINGERPRINT_BYTES),
    kind: reader.u8() as RoundKind,
    mode: reader.u8() as RunMode,
    first: Number(reader.u64()),
    count: reader.u16(),
    period: reader.u32(),
    window: reader.u32(),
    slots: reader.u8(),
    buckets: reader.u32(),
  };
  const chain = reader.u8();
  const fault = faultOfHead(head) ?? faultOfChain(chain, head);
  if (fault !== undefined) throw malformed(fault);
  const fields = {
    ...head,
    mixes: Array.from({ length: chain }, () => readPlace(reader, keysOf(head))),
  };
  for (const { noise } of fields.mixes) {
    const fault = faultOfNoise(noise);
    if (fault !== undefined) throw malformed(fault);
  }
  return fields;
}

function readPlace(reader: Reader, keys: number): MixPlace {
  return {
    fingerprint: reader.take(FINGERPRINT_BYTES),
    noise: { mean: reader.u32(), scale: reader.u32() },
    onionKeys: Array.from({ length: keys }, () => reader.take(X25519_BYTES)),
  };
}

function malformed(fault: string): MalformedError {
  return new MalformedError(`Cannot read settings: ${fault}`);
}
