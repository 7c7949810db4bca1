/**
 * A second, deliberately naive implementation of a session, written from the descriptions of PQXDH,
 * of the Double Ratchet and of the byte layouts, on another crypto library. It turns its ratchet as
 * soon as it reads, as the specification does, forgets no key and checks nothing but what it must to
 * go on. Whatever it agrees on with `lib/mailbox` is what the text says, not what the code happens to do.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  hkdfSync,
  sign,
  verify,
} from "node:crypto";

/** The 32-byte private keys of a person. */
export interface ReferenceKeys {
  readonly id: Uint8Array;
  readonly signing: Uint8Array;
  readonly dh: Uint8Array;
}

/** What one knows of the other. */
export interface ReferencePeer {
  readonly id: Uint8Array;
  readonly signingKey: Uint8Array;
  readonly dhKey: Uint8Array;
}

/** A message in the clear. */
export interface ReferenceMessage {
  readonly type: number;
  readonly flags: number;
  readonly seq: number;
  readonly ack: number;
  readonly sack: number;
  readonly payload: Uint8Array;
}

/** One side of a session. */
export class ReferenceSession {
  readonly #own: ReferenceKeys;
  readonly #peer: ReferencePeer;
  readonly #associated: Uint8Array;
  readonly #sessionId: Uint8Array;
  readonly #nextPrivate: () => Uint8Array;
  readonly #chains = new Map<string, { key: Buffer; letters: Buffer[] }>();
  #opening: Uint8Array | null;
  #root: Buffer;
  #private: Uint8Array;
  #sending: Buffer = Buffer.alloc(0);
  #sent = 0;
  #previous = 0;

  private constructor(
    own: ReferenceKeys,
    peer: ReferencePeer,
    root: Buffer,
    associated: Uint8Array,
    block: Uint8Array,
    nextPrivate: () => Uint8Array,
    ownRatchet: Uint8Array | null,
    peerRatchet: Uint8Array | null,
  ) {
    this.#own = own;
    this.#peer = peer;
    this.#associated = associated;
    this.#sessionId = createHash("sha256")
      .update("sotto session id v1\0").update(associated).update(block)
      .digest().subarray(0, 8);
    this.#nextPrivate = nextPrivate;
    this.#root = root;
    this.#opening = ownRatchet === null ? block : null;
    this.#private = ownRatchet ?? nextPrivate();
    if (peerRatchet !== null) this.#sending = this.#turn(peerRatchet);
  }

  /** The initiator, with the secret and ciphertext of the KEM already made. */
  static start(
    own: ReferenceKeys,
    peer: ReferencePeer,
    prekeys: {
      signedId: number;
      signedKey: Uint8Array;
      kemId: number;
      oneTimeId: number;
      oneTimeKey: Uint8Array | null;
    },
    kem: { secret: Uint8Array; ciphertext: Uint8Array },
    nextPrivate: () => Uint8Array,
  ): ReferenceSession {
    const ephemeral = nextPrivate();
    const secrets = [
      agree(own.dh, prekeys.signedKey),
      agree(ephemeral, peer.dhKey),
      agree(ephemeral, prekeys.signedKey),
    ];
    if (prekeys.oneTimeKey !== null) {
      secrets.push(agree(ephemeral, prekeys.oneTimeKey));
    }
    const block = join(
      own.id,
      publicOf(ephemeral),
      number(4, prekeys.signedId),
      number(4, prekeys.kemId),
      number(4, prekeys.oneTimeId),
      kem.ciphertext,
    );
    return new ReferenceSession(
      own,
      peer,
      pqxdh([...secrets, kem.secret]),
      join(own.id, peer.id),
      block,
      nextPrivate,
      null,
      prekeys.signedKey,
    );
  }

  /** The responder, with the block that the first letter bears and what the KEM makes of it. */
  static accept(
    own: ReferenceKeys,
    peer: ReferencePeer,
    signedPrivate: Uint8Array,
    oneTimePrivate: Uint8Array | null,
    kemSecret: Uint8Array,
    block: Uint8Array,
    nextPrivate: () => Uint8Array,
  ): ReferenceSession {
    const ephemeral = block.subarray(32, 64);
    const secrets = [
      agree(signedPrivate, peer.dhKey),
      agree(own.dh, ephemeral),
      agree(signedPrivate, ephemeral),
    ];
    if (oneTimePrivate !== null) {
      secrets.push(agree(oneTimePrivate, ephemeral));
    }
    return new ReferenceSession(
      own,
      peer,
      pqxdh([...secrets, kemSecret]),
      join(peer.id, own.id),
      block,
      nextPrivate,
      signedPrivate,
      null,
    );
  }

  seal(message: ReferenceMessage): Uint8Array {
    const header = join(
      publicOf(this.#private),
      number(4, this.#previous),
      number(4, this.#sent),
    );
    const material = hkdf(
      this.#sending,
      Buffer.alloc(0),
      "sotto ratchet chain v1",
      76,
    );
    this.#sending = material.subarray(0, 32);
    this.#sent++;
    const body = join(
      number(1, 1),
      number(1, message.type),
      number(1, message.flags),
      number(4, message.seq),
      number(4, message.ack),
      number(4, message.sack),
      number(2, message.payload.length),
      message.payload,
      Buffer.alloc(399 - message.payload.length),
    );
    const signature = sign(
      null,
      join(this.#signedContext(header), body),
      privateKey("302e020100300506032b657004220420", this.#own.signing),
    );
    const envelope = join(
      number(1, 1),
      number(1, this.#opening === null ? 1 : 0),
      this.#sessionId,
      header,
      this.#opening ?? Buffer.alloc(0),
    );
    const cipher = createCipheriv(
      "aes-256-gcm",
      material.subarray(32, 64),
      material.subarray(64),
    );
    cipher.setAAD(join(envelope, this.#associated));
    return join(
      envelope,
      cipher.update(join(body, signature)),
      cipher.final(),
      cipher.getAuthTag(),
    );
  }

  open(letter: Uint8Array): ReferenceMessage {
    const header = letter.subarray(10, 50);
    const remote = Buffer.from(header.subarray(0, 32)).toString("hex");
    if (!this.#chains.has(remote)) this.#receiveTurn(header.subarray(0, 32));
    const chain = this.#chains.get(remote)!;
    const at = Buffer.from(header).readUInt32BE(36);
    while (chain.letters.length <= at) {
      const material = hkdf(
        chain.key,
        Buffer.alloc(0),
        "sotto ratchet chain v1",
        76,
      );
      chain.key = material.subarray(0, 32);
      chain.letters.push(material.subarray(32));
    }
    const key = chain.letters[at]!;
    const decipher = createDecipheriv(
      "aes-256-gcm",
      key.subarray(0, 32),
      key.subarray(32),
    );
    decipher.setAAD(join(letter.subarray(0, -496), this.#associated));
    decipher.setAuthTag(letter.subarray(-16));
    const plain = join(
      decipher.update(letter.subarray(-496, -16)),
      decipher.final(),
    );
    const signer = createPublicKey({
      key: join(
        Buffer.from("302a300506032b6570032100", "hex"),
        this.#peer.signingKey,
      ),
      format: "der",
      type: "spki",
    });
    const signed = join(this.#signedContext(header), plain.subarray(0, 416));
    if (!verify(null, signed, signer, plain.subarray(416))) {
      throw new Error("Cannot open: signature");
    }
    this.#opening = null;
    return {
      type: plain.readUInt8(1),
      flags: plain.readUInt8(2),
      seq: plain.readUInt32BE(3),
      ack: plain.readUInt32BE(7),
      sack: plain.readUInt32BE(11),
      payload: new Uint8Array(
        plain.subarray(17, 17 + plain.readUInt16BE(15)),
      ),
    };
  }

  #receiveTurn(remote: Uint8Array): void {
    this.#chains.set(Buffer.from(remote).toString("hex"), {
      key: this.#turn(remote),
      letters: [],
    });
    this.#previous = this.#sent;
    this.#sent = 0;
    this.#private = this.#nextPrivate();
    this.#sending = this.#turn(remote);
  }

  /** KDF_RK: a new chain key, the root moves on. */
  #turn(remote: Uint8Array): Buffer {
    const output = hkdf(
      agree(this.#private, remote),
      this.#root,
      "sotto ratchet root v1",
      64,
    );
    this.#root = output.subarray(0, 32);
    return output.subarray(32);
  }

  #signedContext(header: Uint8Array): Uint8Array {
    return join(
      Buffer.from("sotto peer message v1\0"),
      this.#sessionId,
      header,
      this.#associated,
    );
  }
}

/** The X25519 public key of 32 private bytes. */
export function publicOf(dhPrivate: Uint8Array): Uint8Array {
  return publicBytes("302e020100300506032b656e04220420", dhPrivate);
}

/** The Ed25519 public key of a 32-byte seed. */
export function signingPublicOf(seed: Uint8Array): Uint8Array {
  return publicBytes("302e020100300506032b657004220420", seed);
}

function publicBytes(prefix: string, raw: Uint8Array): Uint8Array {
  const { x } = createPublicKey(privateKey(prefix, raw))
    .export({ format: "jwk" });
  return new Uint8Array(Buffer.from(x!, "base64url"));
}

function pqxdh(secrets: Uint8Array[]): Buffer {
  return hkdf(
    join(Buffer.alloc(32, 0xff), ...secrets),
    Buffer.alloc(32),
    "sotto PQXDH v1 X25519 SHA-256 ML-KEM-768",
    32,
  );
}

function hkdf(
  secret: Uint8Array,
  salt: Uint8Array,
  info: string,
  length: number,
): Buffer {
  return Buffer.from(hkdfSync("sha256", secret, salt, info, length));
}

function agree(dhPrivate: Uint8Array, dhPublic: Uint8Array): Buffer {
  return diffieHellman({
    privateKey: privateKey("302e020100300506032b656e04220420", dhPrivate),
    publicKey: createPublicKey({
      key: join(Buffer.from("302a300506032b656e032100", "hex"), dhPublic),
      format: "der",
      type: "spki",
    }),
  });
}

function privateKey(
  prefix: string,
  raw: Uint8Array,
): ReturnType<typeof createPrivateKey> {
  return createPrivateKey({
    key: join(Buffer.from(prefix, "hex"), raw),
    format: "der",
    type: "pkcs8",
  });
}

function number(bytes: number, value: number): Uint8Array {
  const buffer = Buffer.alloc(bytes);
  buffer.writeUIntBE(value, 0, bytes);
  return buffer;
}

function join(...parts: Uint8Array[]): Buffer {
  return Buffer.concat(parts);
}
