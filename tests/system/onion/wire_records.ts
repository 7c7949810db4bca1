import { CommandStream } from "../../../lib/protocol/channel/command_stream.ts";
import { AEAD_TAG_BYTES, MalformedError } from "../../../lib/protocol/mod.ts";

/** The records that went in one direction of a channel, as somebody on the way sees them (SPEC.md §4). */
export interface WireRecords {
  /** Sealed ones. */
  readonly sealed: number;
  /** How often there was a body that is not sealed, by its length in bytes. */
  readonly bare: ReadonlyMap<number, number>;
  /** Bytes of a last record that has not come to its end. */
  readonly unfinished: number;
}

const HEADER_BYTES = 4;
const BARE = 0x8000_0000;
const LONGEST = 65_536;

/**
 * Cuts what was sent in one direction, from the greeting on, into records.
 *
 * @throws {MalformedError} if something in it is no record.
 */
export async function wireRecords(sent: Uint8Array): Promise<WireRecords> {
  const records = await behindGreeting(sent);
  const view = new DataView(
    records.buffer,
    records.byteOffset,
    records.length,
  );
  const bare = new Map<number, number>();
  let sealed = 0;
  for (let at = 0;;) {
    const left = records.length - at;
    if (left < HEADER_BYTES) return { sealed, bare, unfinished: left };
    const word = view.getUint32(at);
    const isBare = word >= BARE;
    const length = isBare ? word - BARE : word;
    const [least, most] = isBare
      ? [1, LONGEST]
      : [AEAD_TAG_BYTES, LONGEST + AEAD_TAG_BYTES];
    if (length < least || length > most) {
      throw new MalformedError(`A record of ${length} bytes at ${at}`);
    }
    if (left < HEADER_BYTES + length) return { sealed, bare, unfinished: left };
    if (isBare) bare.set(length, (bare.get(length) ?? 0) + 1);
    else sealed++;
    at += HEADER_BYTES + length;
  }
}

/** What follows HELLO or HELLO-ACK. */
async function behindGreeting(sent: Uint8Array): Promise<Uint8Array> {
  let at = 0;
  const commands = new CommandStream({
    read(buffer) {
      // A byte at a time, so that nothing behind the greeting is looked at.
      if (at === sent.length) return Promise.resolve(null);
      buffer[0] = sent[at++]!;
      return Promise.resolve(1);
    },
    write: (bytes) => Promise.resolve(bytes.length),
    close() {},
  });
  for (;;) {
    const message = await commands.next();
    if (message === undefined) return sent.subarray(at);
    if (/^HELLO(?:-ACK)?$/.test(message.verb.name)) return sent.subarray(at);
  }
}
