import type { Bytes } from "../../protocol/mod.ts";
import { MalformedError, Reader, Writer } from "../../protocol/mod.ts";
import type { ConsensusBody, KnownDescriptors } from "../consensus_body.ts";
import { parseBody } from "../consensus_body.ts";
import { readWhole, writeWhole } from "../whole_number.ts";
import { readJustified, writeJustified } from "./message.ts";
import type { UncheckedVote } from "./vote.ts";

const VERSION = 1;

/** A body that was announced, and why. */
export interface Accepted {
  /** In which ballot. */
  readonly ballot: number;
  /** The body. */
  readonly body: ConsensusBody;
  /** The votes that it follows from. */
  readonly votes: readonly UncheckedVote[];
}

/**
 * What a controller has bound itself to at one height, and must know again after a crash: it votes in
 * no ballot below one that it has voted in, and signs one body only.
 */
export interface Standing {
  /** The height that this is about. */
  readonly height: number;
  /** The highest ballot in which it has voted. */
  readonly promised: number;
  /** What it has announced last. */
  readonly accepted: Accepted | undefined;
  /** Whether it has signed what it has announced last: then it never announces another. */
  readonly signed: boolean;
}

/** Nothing promised at this height. */
export function freshStanding(height: number): Standing {
  return { height, promised: 0, accepted: undefined, signed: false };
}

/** Version (1 byte) ‖ height (8) ‖ promised (8) ‖ signed (1) ‖ accepted (1) ‖ what was accepted. */
export function encodeStanding(standing: Standing): Bytes {
  const { height, promised, accepted, signed } = standing;
  const writer = new Writer(1_024).u8(VERSION);
  writeWhole(writer, height);
  writeWhole(writer, promised).u8(signed ? 1 : 0);
  writer.u8(accepted === undefined ? 0 : 1);
  if (accepted !== undefined) {
    writeWhole(writer, accepted.ballot);
    const { votes, body } = accepted;
    writeJustified(writer, { votes, body: body.body });
  }
  return writer.done();
}

/** Inverse of `encodeStanding`. @throws {MalformedError} if it is none. */
export async function parseStanding(
  bytes: Uint8Array,
  known?: KnownDescriptors,
): Promise<Standing> {
  const reader = new Reader(bytes);
  if (reader.u8() !== VERSION) {
    throw new MalformedError("Cannot read a controller's state: its version");
  }
  const height = readWhole(reader);
  const promised = readWhole(reader);
  const signed = reader.u8() === 1;
  if (reader.u8() === 0) {
    reader.end();
    return { height, promised, accepted: undefined, signed };
  }
  const ballot = readWhole(reader);
  const { votes, body } = readJustified(reader);
  reader.end();
  const accepted = { ballot, votes, body: await parseBody(body, known) };
  return { height, promised, accepted, signed };
}
