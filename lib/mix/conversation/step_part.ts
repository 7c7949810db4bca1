import type { Bytes } from "../../protocol/mod.ts";
import {
  KEM_CIPHERTEXT_BYTES,
  KEM_PUBLIC_BYTES,
  MalformedError,
  Reader,
  Writer,
  X25519_BYTES,
} from "../../protocol/mod.ts";

/** What a part of a step belongs to. */
export const StepKind = {
  /** An X25519 key: both send one in the first step. */
  DH: 0,
  /** An X25519 key ‖ an ML-KEM-768 encapsulation key. */
  OFFER: 1,
  /** An X25519 key ‖ an ML-KEM-768 ciphertext. */
  ANSWER: 2,
} as const;
/** One of the numbers in `StepKind`. */
export type StepKind = typeof StepKind[keyof typeof StepKind];

/** The highest number of a step. */
export const STEP_LIMIT = 0xffff;

/** Length in bytes of each kind, and how many parts it is sent in: as few as fit into messages, all but the last of one length. */
const SHAPES: Readonly<
  Record<StepKind, { readonly length: number; readonly parts: number }>
> = {
  [StepKind.DH]: { length: X25519_BYTES, parts: 1 },
  [StepKind.OFFER]: { length: X25519_BYTES + KEM_PUBLIC_BYTES, parts: 4 },
  [StepKind.ANSWER]: { length: X25519_BYTES + KEM_CIPHERTEXT_BYTES, parts: 3 },
};

/** One part of a step: what a RATCHET message says. */
export interface StepPart {
  /** What it belongs to. */
  readonly kind: StepKind;
  /** Of which step: the generation that it leads to, 1 to 65,535. */
  readonly step: number;
  /** Which part, from 0. */
  readonly part: number;
  /** Its bytes. */
  readonly data: Bytes;
}

/** How many parts it takes. */
export function partsOf(kind: StepKind): number {
  return SHAPES[kind].parts;
}

/**
 * Cuts something into payloads of RATCHET messages: kind u8 ‖ step u16 ‖ part u8 ‖ data, at most 378
 * bytes together.
 */
export function cutStep(kind: StepKind, step: number, whole: Bytes): Bytes[] {
  const { parts } = SHAPES[kind];
  return Array.from({ length: parts }, (_, part) => {
    const [from, to] = boundsOf(kind, part);
    return new Writer(4 + to - from).u8(kind).u16(step).u8(part)
      .bytes(whole.subarray(from, to)).done();
  });
}

/**
 * Reads what `cutStep` wrote.
 *
 * @throws {MalformedError} if it cannot have.
 */
export function readStepPart(payload: Bytes): StepPart {
  const reader = new Reader(payload);
  const kind = stepKind(reader.u8());
  const step = reader.u16();
  const part = reader.u8();
  if (step === 0 || part >= partsOf(kind) || (kind === 0) !== (step === 1)) {
    throw new MalformedError(
      `Cannot read a step: part ${part} of kind ${kind} for step ${step}`,
    );
  }
  const [from, to] = boundsOf(kind, part);
  const data = reader.take(to - from);
  reader.end();
  return { kind, step, part, data };
}

function boundsOf(kind: StepKind, part: number): [number, number] {
  const { length, parts } = SHAPES[kind];
  const size = Math.ceil(length / parts);
  return [part * size, Math.min((part + 1) * size, length)];
}

function stepKind(value: number): StepKind {
  for (const kind of Object.values(StepKind)) {
    if (kind === value) return kind;
  }
  throw new MalformedError(`Cannot read a step: kind ${value}`);
}
