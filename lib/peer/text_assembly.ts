import { MalformedError, Reader, Writer } from "../protocol/mod.ts";
import type { Bytes } from "../protocol/mod.ts";
import { FLAG_CONTINUED, FLAG_MORE, PAYLOAD_LIMIT } from "./peer_message.ts";
import { joinText, TEXT_PARTS_LIMIT } from "./text.ts";
import type { Text, TextPart } from "./text.ts";

/** So many parts of unfinished texts are kept: six of the longest texts. */
export const ASSEMBLY_LIMIT = 1_024;

const VERSION = 1;

/** A part that waits for others. */
export interface WaitingPart extends TextPart {
  /** Number of its message in the session. */
  readonly seq: number;
}

/**
 * The parts of texts that have not arrived whole, of one session; a value, never changed, which is
 * kept with the session.
 */
export interface TextAssembly {
  /** Sorted by `seq`, at most 1,024. */
  readonly parts: readonly WaitingPart[];
}

/** No part waits. */
export const EMPTY_ASSEMBLY: TextAssembly = { parts: [] };

/**
 * Takes in one TEXT message, whatever the order of arrival. One that has completed a text before must not be
 * given again: what was taken of it is forgotten.
 *
 * @returns the assembly to go on with, the text that this part completed, and how many parts were
 * thrown away: those of a text that is too long or not UTF-8, and the oldest if more than 1,024 wait.
 */
export function addTextPart(
  assembly: TextAssembly,
  part: WaitingPart,
): { assembly: TextAssembly; text: Text | null; discarded: number } {
  const at = assembly.parts.findIndex(({ seq }) => seq >= part.seq);
  const index = at < 0 ? assembly.parts.length : at;
  if (assembly.parts[index]?.seq === part.seq) {
    return { assembly, text: null, discarded: 0 };
  }
  const parts = assembly.parts.toSpliced(index, 0, part);
  const { first, last } = runAround(parts, index);
  const run = parts.slice(first, last + 1);
  const others = { parts: parts.toSpliced(first, run.length) };
  if (run.length > TEXT_PARTS_LIMIT) {
    return { assembly: others, text: null, discarded: run.length };
  }
  const begins = (run[0]!.flags & FLAG_CONTINUED) === 0;
  const ends = (run.at(-1)!.flags & FLAG_MORE) === 0;
  if (begins && ends) {
    const text = tryJoin(run);
    return {
      assembly: others,
      text,
      discarded: text === null ? run.length : 0,
    };
  }
  if (parts.length <= ASSEMBLY_LIMIT) {
    return { assembly: { parts }, text: null, discarded: 0 };
  }
  const oldest = runAround(parts, 0).last + 1;
  return {
    assembly: { parts: parts.slice(oldest) },
    text: null,
    discarded: oldest,
  };
}

/** For the vault: it holds what people wrote. */
export function encodeTextAssembly(assembly: TextAssembly): Bytes {
  const writer = new Writer().u8(VERSION).u16(assembly.parts.length);
  for (const { seq, flags, payload } of assembly.parts) {
    writer.u32(seq).u8(flags).prefixed(2, payload);
  }
  return writer.done();
}

/**
 * Inverse of `encodeTextAssembly`.
 *
 * @throws {MalformedError} if the bytes are not its output.
 */
export function decodeTextAssembly(bytes: Uint8Array): TextAssembly {
  const reader = new Reader(bytes);
  const version = reader.u8();
  const count = reader.u16();
  if (version !== VERSION || count > ASSEMBLY_LIMIT) {
    throw new MalformedError(
      `Cannot read waiting parts: version ${version}, ${count} parts`,
    );
  }
  const parts: WaitingPart[] = [];
  for (let i = 0; i < count; i++) {
    const part = {
      seq: reader.u32(),
      flags: reader.u8(),
      payload: reader.prefixed(2, PAYLOAD_LIMIT),
    };
    if (i > 0 && part.seq <= parts[i - 1]!.seq) {
      throw new MalformedError("Cannot read waiting parts: not sorted");
    }
    parts.push(part);
  }
  reader.end();
  return { parts };
}

/** The indices between which parts follow each other as parts of one text, around `index`. */
function runAround(
  parts: readonly WaitingPart[],
  index: number,
): { first: number; last: number } {
  let first = index;
  while (first > 0 && follows(parts[first - 1]!, parts[first]!)) first--;
  let last = index;
  while (last + 1 < parts.length && follows(parts[last]!, parts[last + 1]!)) {
    last++;
  }
  return { first, last };
}

function follows(a: WaitingPart, b: WaitingPart): boolean {
  return a.seq + 1 === b.seq && (a.flags & FLAG_MORE) !== 0 &&
    (b.flags & FLAG_CONTINUED) !== 0;
}

function tryJoin(run: readonly WaitingPart[]): Text | null {
  try {
    return joinText(run.map(({ payload }) => payload));
  } catch (error) {
    if (!(error instanceof MalformedError)) throw error;
    return null;
  }
}
