import fc from "fast-check";
import type { Bytes } from "../../../lib/protocol/bytes/bytes.ts";
import { concat } from "../../../lib/protocol/bytes/bytes.ts";
import type { Decoder } from "../../../lib/protocol/risp/decoder.ts";
import type { Message } from "../../../lib/protocol/risp/message.ts";
import { shapeOf } from "../../../lib/protocol/risp/command.ts";
import type { NaiveMessage } from "./naive_decoder.ts";
import { PARAMETERS, TABLE } from "./table.ts";

/** One whole command of a range, named in the table or not, with a short value. */
export function command(id: number, filler: Bytes): Bytes {
  const { prefix, counted, fixed } = shapeOf(id);
  const length = counted ? Math.min(filler.length, 255) : fixed;
  const bytes = new Uint8Array(2 + prefix + length);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, id);
  if (counted) view.setUint8(1 + prefix, length);
  else bytes.set(filler.subarray(0, prefix), 2);
  bytes.set(filler.subarray(0, length), 2 + prefix);
  return bytes;
}

const known = [...TABLE.parameters, ...TABLE.verbs].map(({ id }) => id);

/** Streams of whole commands: half of the ids are named in the table. */
export const streams: fc.Arbitrary<Bytes> = fc.array(
  fc.tuple(
    fc.oneof(fc.constantFrom(...known), fc.nat(0xffff)),
    fc.uint8Array({ maxLength: 40 }),
  ),
  { maxLength: 20 },
).map((commands) =>
  concat(...commands.map(([id, filler]) => command(id, new Uint8Array(filler))))
);

/** `bytes` cut into pieces at `cuts`, which may be any numbers. */
export function pieces(bytes: Bytes, cuts: readonly number[]): Bytes[] {
  const at = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))]
    .sort((a, b) => a - b);
  const bounds = [0, ...at, bytes.length];
  return bounds.slice(1).map((end, i) => bytes.slice(bounds[i], end));
}

/** Everything that a decoder makes of `parts`. */
export function decodeAll(
  decoder: Decoder,
  parts: readonly Bytes[],
): Message[] {
  const messages: Message[] = [];
  for (const part of parts) {
    decoder.push(part);
    for (;;) {
      const message = decoder.next();
      if (message === undefined) break;
      messages.push(message);
    }
  }
  return messages;
}

/** A message in the form that the naive decoder gives. */
export function plain(message: Message): NaiveMessage {
  const values: Record<string, readonly string[]> = {};
  for (const parameter of PARAMETERS) {
    const all = (message.all as (p: unknown) => readonly unknown[]).call(
      message,
      parameter,
    );
    if (all.length === 0) continue;
    values[parameter.name] = all.map((value) =>
      value instanceof Uint8Array
        ? value.toHex()
        : (value as number | bigint).toString(16)
          .padStart(2 * parameter.shape.prefix, "0")
    );
  }
  return { verb: message.verb.name, values };
}
