/**
 * Descriptors, consensus and votes as SPEC.md §11 describes them, written from that text only.
 *
 * @module
 */
import {
  certificate,
  counted,
  readCertificate,
} from "../spec/naive_identity.ts";
import type { NaiveKeys } from "../spec/naive_identity.ts";
import {
  ascii,
  join,
  sha256,
  sign,
  unsigned,
  verify,
} from "../spec/naive_primitives.ts";
import type { Octets } from "../spec/naive_primitives.ts";
import { NaiveReader } from "../spec/naive_reader.ts";

/** What stands in a descriptor. */
export interface NaiveDescriptor {
  readonly created: number;
  readonly onionKey: Octets;
  readonly ip: Octets;
  readonly port: number;
  readonly bandwidth: number;
  readonly roles: number;
  readonly published: number;
  readonly software: string;
  readonly family: readonly Octets[];
  readonly policy: string;
}

/** A descriptor (§11.1), signed. */
export function descriptor(d: NaiveDescriptor, keys: NaiveKeys): Octets {
  const body = join(
    unsigned(1, 1),
    certificate(keys, d.created),
    d.onionKey,
    unsigned(1, d.ip.length === 4 ? 4 : 6),
    d.ip,
    unsigned(2, d.port),
    unsigned(8, d.bandwidth),
    unsigned(1, d.roles),
    unsigned(8, d.published),
    counted(1, ascii(d.software)),
    unsigned(1, d.family.length),
    ...d.family,
    counted(2, ascii(d.policy)),
  );
  const label = ascii("sotto relay descriptor v1\0");
  return join(body, sign(keys.signing.secret, join(label, body)));
}

/** The header of a consensus (§11.2). */
export interface NaiveHeader {
  readonly height: number;
  readonly previous: Octets;
  readonly validAfter: number;
  readonly freshUntil: number;
  readonly validUntil: number;
}

/** A consensus of these descriptors with their flags, in the order that the text asks for. */
export function consensus(
  h: NaiveHeader,
  relays: readonly { readonly flags: number; readonly bytes: Octets }[],
  signers: readonly { readonly keys: NaiveKeys; readonly created: number }[],
): { readonly hash: Octets; readonly bytes: Octets } {
  const sorted = relays.toSorted((a, b) =>
    order(printIn(a.bytes), printIn(b.bytes))
  );
  const contents = join(
    unsigned(4, sorted.length),
    ...sorted.map(({ flags, bytes }) =>
      join(unsigned(1, flags), counted(2, bytes))
    ),
  );
  const header = join(
    unsigned(1, 1),
    unsigned(8, h.height),
    h.previous,
    unsigned(8, h.validAfter),
    unsigned(8, h.freshUntil),
    unsigned(8, h.validUntil),
    sha256(contents),
  );
  const hash = sha256(header);
  const signatures = signers.map(({ keys, created }) => ({
    node: certificate(keys, created),
    signature: sign(
      keys.signing.secret,
      join(ascii("sotto consensus v1\0"), hash),
    ),
  })).toSorted((a, b) => order(sha256(a.node), sha256(b.node)));
  return {
    hash,
    bytes: join(
      header,
      contents,
      unsigned(1, signatures.length),
      ...signatures.map(({ node, signature }) => join(node, signature)),
    ),
  };
}

/** What a reader of the text alone finds in a consensus; throws where the text forbids something. */
export function readConsensus(
  bytes: Octets,
  controllers: ReadonlySet<string>,
): {
  readonly height: number;
  readonly hash: Octets;
  readonly signers: number;
  readonly relays: readonly {
    print: string;
    flags: number;
    onionKey: string;
    port: number;
  }[];
} {
  const reader = new NaiveReader(bytes);
  if (reader.integer(1) !== 1) throw new Error("version");
  const height = reader.integer(8);
  reader.take(32);
  const [after, fresh, until] = [8, 8, 8].map((n) => reader.integer(n));
  if (!(after! < fresh! && fresh! <= until!)) throw new Error("times");
  const contents = reader.take(32);
  const hash = sha256(bytes.slice(0, 97));
  const count = reader.integer(4);
  const relays = [];
  for (let i = 0; i < count; i++) {
    const flags = reader.integer(1);
    const whole = reader.take(reader.integer(2));
    relays.push({ flags, ...look(whole) });
  }
  if (sha256(bytes.slice(97, reader.at)).toHex() !== contents.toHex()) {
    throw new Error("contents");
  }
  const prints = relays.map(({ print }) => print);
  if (
    prints.toSorted().join() !== prints.join() || new Set(prints).size < count
  ) {
    throw new Error("order");
  }
  let signers = 0;
  for (let i = reader.integer(1); i > 0; i--) {
    const node = readCertificate("node", reader.take(559));
    const signature = reader.take(64);
    if (!controllers.has(node.id.toHex())) continue;
    const message = join(ascii("sotto consensus v1\0"), hash);
    if (!verify(node.signingKey, signature, message)) {
      throw new Error("signature");
    }
    signers++;
  }
  if (reader.left > 0) throw new Error("rest");
  return { height, hash, signers, relays };
}

function look(
  whole: Octets,
): { print: string; onionKey: string; port: number } {
  const reader = new NaiveReader(whole);
  if (reader.integer(1) !== 1) throw new Error("version");
  const node = readCertificate("node", reader.take(559));
  const onionKey = reader.take(32).toHex();
  reader.take(reader.integer(1) === 4 ? 4 : 16);
  const port = reader.integer(2);
  const message = join(
    ascii("sotto relay descriptor v1\0"),
    whole.slice(0, -64),
  );
  if (!verify(node.signingKey, whole.slice(-64), message)) {
    throw new Error("signature");
  }
  return { print: node.id.toHex(), onionKey, port };
}

function printIn(bytes: Octets): Octets {
  return sha256(bytes.slice(1, 560));
}

function order(a: Octets, b: Octets): number {
  return a.toHex() < b.toHex() ? -1 : 1;
}
