import { utf8 } from "../../../lib/protocol/bytes/bytes.ts";
import type { Bytes } from "../../../lib/protocol/bytes/bytes.ts";
import { generateDh } from "../../../lib/protocol/crypto/x25519.ts";
import type { DhKeyPair } from "../../../lib/protocol/crypto/x25519.ts";
import { HandshakeState } from "../../../lib/protocol/noise/handshake_state.ts";
import type { HandshakeKeys } from "../../../lib/protocol/noise/handshake_state.ts";
import { patternOf } from "../../../lib/protocol/noise/pattern.ts";

export const NKHFS = "Noise_NKhfs_25519+MLKEM768_AESGCM_SHA256";
export const PROLOGUE = utf8("prologue");

/** Two sides of a handshake, each with whatever keys the pattern may ask for. */
export interface Sides {
  readonly initiator: HandshakeState;
  readonly responder: HandshakeState;
  readonly statics: {
    readonly initiator: DhKeyPair;
    readonly responder: DhKeyPair;
  };
}

/** Begins a handshake of a pattern; `change` replaces keys of a side. */
export async function sides(
  pattern: string,
  change: {
    readonly initiator?: HandshakeKeys;
    readonly responder?: HandshakeKeys;
    readonly statics?: Sides["statics"];
  } = {},
): Promise<Sides> {
  const statics = change.statics ??
    { initiator: await generateDh(), responder: await generateDh() };
  const { preMessages } = patternOf(pattern);
  const preSharedKeys = [new Uint8Array(32).fill(3)];
  const common = { prologue: PROLOGUE, preSharedKeys };
  const name = pattern === "NKhfs"
    ? NKHFS
    : `Noise_${pattern}_25519_AESGCM_SHA256`;
  return {
    initiator: await HandshakeState.initialize(name, "initiator", {
      ...common,
      static: statics.initiator,
      ...preMessages.responder
        ? { remoteStatic: statics.responder.publicKey }
        : {},
      ...change.initiator,
    }),
    responder: await HandshakeState.initialize(name, "responder", {
      ...common,
      static: statics.responder,
      ...preMessages.initiator
        ? { remoteStatic: statics.initiator.publicKey }
        : {},
      ...change.responder,
    }),
    statics,
  };
}

/** Lets the messages pass, each with a payload; the messages. */
export async function converse(
  { initiator, responder }: Pick<Sides, "initiator" | "responder">,
): Promise<{ messages: Bytes[]; payloads: Bytes[] }> {
  const messages: Bytes[] = [];
  const payloads: Bytes[] = [];
  for (let turn = 0; !initiator.finished; turn++) {
    const [from, to] = turn % 2 === 0
      ? [initiator, responder]
      : [responder, initiator];
    const message = await from.write(utf8(`payload ${turn}`));
    messages.push(message);
    payloads.push(await to.read(message));
  }
  return { messages, payloads };
}

/** `bytes` with one bit turned. */
export function flipped(bytes: Bytes, bit: number): Bytes {
  const altered = bytes.slice();
  altered[bit >> 3]! ^= 1 << (bit & 7);
  return altered;
}

/** Does `work` for 0 to below `count`, a few at a time, so that every core is busy. */
export async function eachOf(
  count: number,
  work: (i: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  const worker = async () => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: 16 }, worker));
}
