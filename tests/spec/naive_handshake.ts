/**
 * The handshake of SPEC.md §3.3, both sides written out by hand, line by line as the text has them; with
 * another prologue and a payload it is that of a hop (§12.3).
 *
 * @module
 */
import {
  decapsulate,
  encapsulate,
  importKem,
} from "../../lib/protocol/crypto/ml_kem.ts";
import {
  ascii,
  dh,
  hkdf,
  join,
  open,
  random,
  seal,
  sha256,
  unsigned,
  x25519Pair,
} from "./naive_primitives.ts";
import type { Octets, RawPair } from "./naive_primitives.ts";

const NOTHING: Octets = new Uint8Array(0);
const PROLOGUE: Octets = ascii("sotto 1");

/** What is left of a handshake: the key of each direction and the handshake hash. */
export interface Agreed {
  readonly fromClient: Octets;
  readonly fromServer: Octets;
  readonly hash: Octets;
}

/** What a handshake is about, and what the client brings along. */
export interface Begin {
  readonly prologue?: Octets;
  readonly payload?: Octets;
  /** Private half of `e`, 32 bytes. */
  readonly e?: Octets;
  /** Private half of `e1`, 64 bytes. */
  readonly e1?: Octets;
}

/** ck, h, k and n of the text. */
class Transcript {
  #ck: Octets;
  #h: Octets;
  #k: Octets = NOTHING;
  #n = 0;

  constructor(prologue: Octets, s: Octets) {
    this.#h = sha256(ascii("Noise_NKhfs_25519+MLKEM768_AESGCM_SHA256"));
    this.#ck = this.#h;
    this.mixHash(prologue);
    this.mixHash(s);
  }

  mixHash(x: Uint8Array): void {
    this.#h = sha256(this.#h, x);
  }

  mixKey(x: Uint8Array): void {
    const both = hkdf(x, this.#ck, "", 64);
    this.#ck = both.slice(0, 32);
    this.#k = both.slice(32);
    this.#n = 0;
  }

  encryptAndHash(x: Uint8Array): Octets {
    const c = seal(this.#k, this.#nonce(), x, this.#h);
    this.mixHash(c);
    return c;
  }

  decryptAndHash(c: Uint8Array): Octets {
    const x = open(this.#k, this.#nonce(), c, this.#h);
    this.mixHash(c);
    return x;
  }

  end(): Agreed {
    const both = hkdf(NOTHING, this.#ck, "", 64);
    return {
      fromClient: both.slice(0, 32),
      fromServer: both.slice(32),
      hash: this.#h,
    };
  }

  #nonce(): Octets {
    return join(new Uint8Array(4), unsigned(8, this.#n++));
  }
}

/** The client: makes HELLO for the node key `s`; `finish` reads HELLO-ACK. */
export async function hello(
  s: Octets,
  begin: Begin = {},
): Promise<{ hello: Octets; finish: (ack: Octets) => Promise<Agreed> }> {
  const transcript = new Transcript(begin.prologue ?? PROLOGUE, s);
  const e = x25519Pair(begin.e);
  transcript.mixHash(e.open);
  transcript.mixKey(dh(e.secret, s));
  const e1 = await importKem(begin.e1 ?? random(64));
  const sealedKey = transcript.encryptAndHash(e1.publicKey);
  const payload = transcript.encryptAndHash(begin.payload ?? NOTHING);
  return {
    hello: join(e.open, sealedKey, payload),
    async finish(ack) {
      const f = ack.slice(0, 32);
      transcript.mixHash(f);
      transcript.mixKey(dh(e.secret, f));
      const c = transcript.decryptAndHash(ack.slice(32, 32 + 1_104));
      transcript.mixKey(await decapsulate(e1.privateKey, c));
      transcript.decryptAndHash(ack.slice(32 + 1_104));
      return transcript.end();
    },
  };
}

/** The server: reads HELLO with the node's pair, makes HELLO-ACK. */
export async function helloAck(
  s: RawPair,
  helloBytes: Octets,
  prologue: Octets = PROLOGUE,
): Promise<{ ack: Octets; agreed: Agreed; payload: Octets }> {
  const transcript = new Transcript(prologue, s.open);
  const e = helloBytes.slice(0, 32);
  transcript.mixHash(e);
  transcript.mixKey(dh(s.secret, e));
  const e1 = transcript.decryptAndHash(helloBytes.slice(32, 32 + 1_200));
  const payload = transcript.decryptAndHash(helloBytes.slice(32 + 1_200));

  const f = x25519Pair();
  transcript.mixHash(f.open);
  transcript.mixKey(dh(f.secret, e));
  const { secret: z, ciphertext } = await encapsulate(e1);
  const c = transcript.encryptAndHash(ciphertext);
  transcript.mixKey(z);
  const ack = join(f.open, c, transcript.encryptAndHash(NOTHING));
  return { ack, agreed: transcript.end(), payload };
}
