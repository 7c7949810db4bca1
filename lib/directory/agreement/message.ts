import { NODE_CERTIFICATE_BYTES } from "../../identity/mod.ts";
import type { Bytes } from "../../protocol/mod.ts";
import {
  HASH_BYTES,
  MalformedError,
  Reader,
  SIGNATURE_BYTES,
  Writer,
} from "../../protocol/mod.ts";
import { CONSENSUS_LIMIT } from "../consensus.ts";
import { RELAY_LIMIT } from "../consensus_body.ts";
import { DESCRIPTOR_LIMIT } from "../descriptor.ts";
import { CONTROLLER_LIMIT } from "../network.ts";
import { readWhole, writeWhole } from "../whole_number.ts";
import type { UncheckedVote } from "./vote.ts";
import { readVote } from "./vote.ts";

/** Longest message between controllers: a vote with 10,000 descriptors and a body with as many. */
export const MESSAGE_LIMIT = 104_857_600;

/** A body that was announced before, with the votes that it follows from. */
export interface Justified {
  /** An encoded body of a consensus. */
  readonly body: Bytes;
  /** Votes of one ballot. */
  readonly votes: readonly UncheckedVote[];
}

/** What controllers say to each other. */
export type AgreementMessage =
  /** The leader of a ballot asks for votes. */
  | {
    readonly kind: "collect";
    readonly height: number;
    readonly previous: Bytes;
    readonly ballot: number;
  }
  /** A vote, for the leader. */
  | {
    readonly kind: "vote";
    readonly vote: UncheckedVote;
    /** Encoded descriptors of the relays in it. */
    readonly descriptors: readonly Bytes[];
    /** What the vote says was announced before. */
    readonly accepted: Justified | undefined;
  }
  /** The leader shows the body that follows from the votes. */
  | {
    readonly kind: "propose";
    readonly height: number;
    readonly ballot: number;
    /** The votes of this ballot. */
    readonly votes: readonly UncheckedVote[];
    /** The body; its votes are empty if they are those of this ballot. */
    readonly proposal: Justified;
  }
  /** I hold this body to be the result of this ballot. */
  | {
    readonly kind: "announce";
    readonly height: number;
    readonly ballot: number;
    readonly hash: Bytes;
  }
  /** I have signed this body, because a quorum has announced it in one ballot. */
  | {
    readonly kind: "signature";
    readonly height: number;
    readonly hash: Bytes;
    readonly certificate: Bytes;
    readonly signature: Bytes;
  }
  /** This is the height that I work on: what you said is older. */
  | { readonly kind: "standing"; readonly height: number };

const KINDS = [
  "collect",
  "vote",
  "propose",
  "announce",
  "signature",
  "standing",
] as const;

/** Kind (1 byte) ‖ what belongs to it. */
export function encodeMessage(message: AgreementMessage): Bytes {
  const writer = new Writer(1_024).u8(KINDS.indexOf(message.kind) + 1);
  switch (message.kind) {
    case "collect":
      writeWhole(writer, message.height).bytes(message.previous);
      writeWhole(writer, message.ballot);
      break;
    case "vote":
      writer.bytes(message.vote.bytes).u32(message.descriptors.length);
      for (const each of message.descriptors) writer.prefixed(2, each);
      writer.u8(message.accepted === undefined ? 0 : 1);
      if (message.accepted !== undefined) {
        writeJustified(writer, message.accepted);
      }
      break;
    case "propose":
      writeWhole(writer, message.height);
      writeWhole(writer, message.ballot);
      writeVotes(writer, message.votes);
      writeJustified(writer, message.proposal);
      break;
    case "announce":
      writeWhole(writer, message.height);
      writeWhole(writer, message.ballot).bytes(message.hash);
      break;
    case "signature":
      writeWhole(writer, message.height).bytes(message.hash)
        .bytes(message.certificate).bytes(message.signature);
      break;
    case "standing":
      writeWhole(writer, message.height);
  }
  return writer.done();
}

/** Inverse of `encodeMessage`. @throws {MalformedError} if it is none, to the last byte. */
export function parseMessage(bytes: Uint8Array): AgreementMessage {
  const reader = new Reader(bytes);
  const kind = KINDS[reader.u8() - 1];
  if (kind === undefined) {
    throw new MalformedError("Cannot read a deliberation: no such kind");
  }
  const message = readMessage(kind, reader);
  reader.end();
  return message;
}

function readMessage(
  kind: AgreementMessage["kind"],
  reader: Reader,
): AgreementMessage {
  switch (kind) {
    case "collect": {
      const height = readWhole(reader);
      const previous = reader.take(HASH_BYTES);
      return { kind, height, previous, ballot: readWhole(reader) };
    }
    case "vote": {
      const vote = readVote(reader);
      const count = bounded(reader.u32(), RELAY_LIMIT);
      const descriptors = Array.from(
        { length: count },
        () => reader.prefixed(2, DESCRIPTOR_LIMIT),
      );
      const accepted = bounded(reader.u8(), 1) === 1
        ? readJustified(reader)
        : undefined;
      return { kind, vote, descriptors, accepted };
    }
    case "propose": {
      const height = readWhole(reader);
      const ballot = readWhole(reader);
      const votes = readVotes(reader);
      return { kind, height, ballot, votes, proposal: readJustified(reader) };
    }
    case "announce": {
      const height = readWhole(reader);
      const ballot = readWhole(reader);
      return { kind, height, ballot, hash: reader.take(HASH_BYTES) };
    }
    case "signature":
      return {
        kind,
        height: readWhole(reader),
        hash: reader.take(HASH_BYTES),
        certificate: reader.take(NODE_CERTIFICATE_BYTES),
        signature: reader.take(SIGNATURE_BYTES),
      };
    case "standing":
      return { kind, height: readWhole(reader) };
  }
}

/** Number of votes (1 byte) ‖ the votes ‖ length of the body (4) ‖ the body. */
export function writeJustified(
  writer: Writer,
  { votes, body }: Justified,
): void {
  writeVotes(writer, votes);
  writer.prefixed(4, body);
}

/** Inverse of `writeJustified`. @throws {MalformedError} if it is none. */
export function readJustified(reader: Reader): Justified {
  const votes = readVotes(reader);
  return { votes, body: reader.prefixed(4, CONSENSUS_LIMIT) };
}

function writeVotes(writer: Writer, votes: readonly UncheckedVote[]): void {
  writer.u8(votes.length);
  for (const { bytes } of votes) writer.bytes(bytes);
}

function readVotes(reader: Reader): UncheckedVote[] {
  const length = bounded(reader.u8(), CONTROLLER_LIMIT);
  return Array.from({ length }, () => readVote(reader));
}

function bounded(value: number, limit: number): number {
  if (value > limit) {
    throw new MalformedError("Cannot read a deliberation: too much of it");
  }
  return value;
}
