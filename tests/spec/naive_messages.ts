/**
 * Messages of streams and circuits, written from SPEC.md §12.5.
 *
 * @module
 */
import { ascii, join, unsigned } from "./naive_primitives.ts";
import type { Octets } from "./naive_primitives.ts";
import { NaiveReader } from "./naive_reader.ts";

/** Commands in the order of their numbers. */
export const COMMANDS = [
  "DATA",
  "BEGIN",
  "CONNECTED",
  "END",
  "SENDME",
  "EXTEND",
  "EXTENDED",
  "RESOLVE",
  "RESOLVED",
  "DROP",
] as const;

/** Why a stream ends, in the order of the text. */
export const END_REASONS: readonly string[] = [
  "done",
  "resolve-failed",
  "refused",
  "exit-policy",
  "unreachable",
  "timeout",
  "reset",
  "resource-limit",
  "protocol",
  "circuit-gone",
  "no-circuit",
  "misc",
];

/** A message. */
export interface NaiveOnionMessage {
  readonly command: typeof COMMANDS[number];
  readonly stream: number;
  readonly data: Octets;
}

/** Bytes of a message in front of its data. */
export const MESSAGE_HEAD = 5;

/** The message, with zeros up to `length`. */
export function messageBytes(
  { command, stream, data }: NaiveOnionMessage,
  length: number,
): Octets {
  const head = join(
    unsigned(1, COMMANDS.indexOf(command)),
    unsigned(2, stream),
    unsigned(2, data.length),
    data,
  );
  return join(head, new Uint8Array(length - head.length));
}

/** The message that a layer holds. */
export function readMessage(rest: Octets): NaiveOnionMessage {
  const reader = new NaiveReader(rest);
  const command = COMMANDS[reader.integer(1)];
  if (command === undefined) throw new Error("a command that is not known");
  const stream = reader.integer(2);
  const data = reader.take(reader.integer(2));
  if (reader.take(reader.left).some((byte) => byte !== 0)) {
    throw new Error("bytes behind a message");
  }
  return { command, stream, data };
}

/** Data of BEGIN. */
export function beginBytes(host: string, port: number): Octets {
  const name = ascii(host);
  return join(unsigned(2, port), unsigned(1, name.length), name);
}

/** What BEGIN asks for. */
export function readBegin(data: Octets): { host: string; port: number } {
  const reader = new NaiveReader(data);
  const port = reader.integer(2);
  const host = reader.text(1);
  if (reader.left > 0) throw new Error("bytes behind the host");
  return { host, port };
}

/** Data of RESOLVE. */
export function resolveBytes(name: string): Octets {
  return join(unsigned(1, ascii(name).length), ascii(name));
}

/** The name that RESOLVE asks for. */
export function readName(data: Octets): string {
  const reader = new NaiveReader(data);
  const name = reader.text(1);
  if (reader.left > 0) throw new Error("bytes behind the name");
  return name;
}

/** Data of RESOLVED. */
export function resolvedBytes(answers: readonly string[]): Octets {
  return join(unsigned(1, answers.length), ...answers.map(resolveBytes));
}

/** The answers of RESOLVED. */
export function readResolved(data: Octets): string[] {
  const reader = new NaiveReader(data);
  const answers = Array.from(
    { length: reader.integer(1) },
    () => reader.text(1),
  );
  if (reader.left > 0) throw new Error("bytes behind the answers");
  return answers;
}

/** What CREATE and EXTEND hold: onion key ‖ u16 length ‖ handshake message. */
export function createBytes(onionKey: Octets, message: Octets): Octets {
  return join(onionKey, unsigned(2, message.length), message);
}

/** Its parts. */
export function readCreate(
  bytes: Octets,
): { onionKey: Octets; message: Octets } {
  const reader = new NaiveReader(bytes);
  const onionKey = reader.take(32);
  return { onionKey, message: reader.take(reader.integer(2)) };
}

/** What CREATED and EXTENDED hold: u16 length ‖ handshake message. */
export function createdBytes(message: Octets): Octets {
  return join(unsigned(2, message.length), message);
}

/** The handshake message in it. */
export function readCreated(bytes: Octets): Octets {
  const reader = new NaiveReader(bytes);
  return reader.take(reader.integer(2));
}
