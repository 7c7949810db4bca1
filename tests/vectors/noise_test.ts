// deno-lint-ignore-file camelcase -- the field names are the vectors' own
import { assert, assertEquals, assertRejects } from "@std/assert";
import { CryptoError, importDh } from "../../lib/protocol/mod.ts";
import type { Bytes } from "../../lib/protocol/mod.ts";
import { CipherState } from "../../lib/protocol/noise/cipher_state.ts";
import { HandshakeState } from "../../lib/protocol/noise/handshake_state.ts";
import type {
  HandshakeKeys,
  HandshakeResult,
} from "../../lib/protocol/noise/handshake_state.ts";
import { testVectors } from "./outside.ts";

interface Case {
  readonly protocol_name: string;
  readonly init_prologue: string;
  readonly resp_prologue: string;
  readonly init_static?: string;
  readonly resp_static?: string;
  readonly init_ephemeral: string;
  readonly resp_ephemeral?: string;
  readonly init_remote_static?: string;
  readonly resp_remote_static?: string;
  readonly init_psks?: readonly string[];
  readonly resp_psks?: readonly string[];
  readonly handshake_hash: string;
  readonly messages: readonly { payload: string; ciphertext: string }[];
}

const CASES = 18;
const FILE = {
  file: "noise-25519-aesgcm-sha256.json",
  sha256: "823d573467c3af5f26bb804d53ea5af9f96ff48d24d71491b5f9c42ae7023879",
  source: "haskell-cryptography/cacophony, vectors/cacophony.txt",
};

const hex = (text: string): Bytes => Uint8Array.fromHex(text);
const EMPTY = new Uint8Array(0);

async function keysOf(
  prologue: string,
  own: string | undefined,
  ephemeral: string | undefined,
  remote: string | undefined,
  psks: readonly string[] | undefined,
): Promise<HandshakeKeys> {
  return {
    prologue: hex(prologue),
    ...own === undefined ? {} : { static: await importDh(hex(own)) },
    ...ephemeral === undefined
      ? {}
      : { ephemeralForTestingOnly: await importDh(hex(ephemeral)) },
    ...remote === undefined ? {} : { remoteStatic: hex(remote) },
    preSharedKeys: (psks ?? []).map(hex),
  };
}

async function start(c: Case): Promise<[HandshakeState, HandshakeState]> {
  return [
    await HandshakeState.initialize(
      c.protocol_name,
      "initiator",
      await keysOf(
        c.init_prologue,
        c.init_static,
        c.init_ephemeral,
        c.init_remote_static,
        c.init_psks,
      ),
    ),
    await HandshakeState.initialize(
      c.protocol_name,
      "responder",
      await keysOf(
        c.resp_prologue,
        c.resp_static,
        c.resp_ephemeral,
        c.resp_remote_static,
        c.resp_psks,
      ),
    ),
  ];
}

/** Seals the transport messages of one direction as a case prescribes. */
function transport(
  { sendKey, receiveKey }: HandshakeResult,
): [CipherState, CipherState] {
  const states = [new CipherState(), new CipherState()] as const;
  states[0].initializeKey(sendKey);
  states[1].initializeKey(receiveKey);
  return [...states];
}

async function run(c: Case): Promise<void> {
  const [initiator, responder] = await start(c);
  const oneWay = /^Noise_[NKX]_/.test(c.protocol_name);
  let at = 0;
  for (; !initiator.finished; at++) {
    const [from, to] = at % 2 === 0
      ? [initiator, responder]
      : [responder, initiator];
    const { payload, ciphertext } = c.messages[at]!;
    assertEquals((await from.write(hex(payload))).toHex(), ciphertext);
    assertEquals((await to.read(hex(ciphertext))).toHex(), payload);
  }
  assert(responder.finished);
  const [mine, theirs] = [await initiator.split(), await responder.split()];
  assertEquals(mine.hash.toHex(), c.handshake_hash);
  assertEquals(theirs.hash.toHex(), c.handshake_hash);
  const [initSend, initReceive] = transport(mine);
  const [respSend, respReceive] = transport(theirs);
  for (; at < c.messages.length; at++) {
    const [seal, open] = oneWay || at % 2 === 0
      ? [initSend, respReceive]
      : [respSend, initReceive];
    const { payload, ciphertext } = c.messages[at]!;
    assertEquals((await seal.encrypt(EMPTY, hex(payload))).toHex(), ciphertext);
    assertEquals((await open.decrypt(EMPTY, hex(ciphertext))).toHex(), payload);
  }
}

testVectors<{ vectors: readonly Case[] }>(
  FILE,
  "Noise: the interpreter reproduces every outside vector byte for byte",
  async ({ vectors }) => {
    assertEquals(vectors.length, CASES);
    for (const c of vectors) await run(c);
  },
);

testVectors<{ vectors: readonly Case[] }>(
  FILE,
  "Noise: a flipped bit in any sealed handshake message of a vector is refused",
  async ({ vectors }) => {
    let refused = 0;
    for (const c of vectors.filter((v) => v.protocol_name.includes("_NK_"))) {
      for (
        let bit = 32 * 8;
        bit < c.messages[0]!.ciphertext.length * 4;
        bit++
      ) {
        const [, responder] = await start(c);
        const altered = hex(c.messages[0]!.ciphertext);
        altered[bit >> 3]! ^= 1 << (bit & 7);
        await assertRejects(() => responder.read(altered), CryptoError);
        refused++;
      }
    }
    assert(refused > 0, "no vector was tried");
  },
);
