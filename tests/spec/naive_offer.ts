/**
 * How somebody learns of a blob, written from SPEC.md §10.9 and §10.10.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { WORDS } from "../../lib/identity/mod.ts";
import { counted } from "./naive_identity.ts";
import { argon2, ascii, join, sha256, unsigned } from "./naive_primitives.ts";
import type { Octets } from "./naive_primitives.ts";
import { NaiveReader } from "./naive_reader.ts";
import { goodPath } from "./naive_tree.ts";

/** An offer (§10.9). */
export interface NaiveOffer {
  readonly kind: number;
  readonly secret: Octets;
  readonly size: number;
  readonly entries: number;
  readonly expires: number;
  readonly name: string;
}

/** The text of an offer. */
export function writeOffer(offer: NaiveOffer): string {
  const bytes = join(
    unsigned(1, 1),
    unsigned(1, offer.kind),
    offer.secret,
    unsigned(8, offer.size),
    unsigned(4, offer.entries),
    unsigned(8, offer.expires),
    counted(1, ascii(offer.name)),
  );
  return `sotto-file:${Buffer.from(bytes).toString("base64url")}`;
}

/** The offer that a text is; throws if it is none. */
export function readOffer(text: string): NaiveOffer {
  const [, encoded] = /^sotto-file:([A-Za-z0-9_-]*)$/.exec(text)!;
  const bytes = new Uint8Array(Buffer.from(encoded!, "base64url"));
  if (Buffer.from(bytes).toString("base64url") !== encoded) {
    throw new Error("another text for the same offer");
  }
  const reader = new NaiveReader(bytes);
  const version = reader.integer(1);
  const kind = reader.integer(1);
  if (version !== 1 || kind > 2) throw new Error("another kind of offer");
  const offer = {
    kind,
    secret: reader.take(32),
    size: reader.integer(8),
    entries: reader.integer(4),
    expires: reader.integer(8),
    name: reader.text(1),
  };
  if (reader.left > 0) throw new Error("bytes behind the end");
  if (offer.expires > 8_640_000_000_000_000) throw new Error("no moment");
  if (!goodPath(offer.name) || offer.name.includes("/")) {
    throw new Error("no name");
  }
  return offer;
}

/** The words of a code, if every one is of the list; their numbers do not matter. */
export function codeWords(code: string): string[] {
  const words = code.slice(code.lastIndexOf("/") + 1).toLowerCase()
    .replaceAll(" ", "-").split("-");
  if (words.length !== 8 || !words.every((each) => WORDS.includes(each))) {
    throw new Error("no code");
  }
  return words;
}

/** The secret of a code (§10.10). */
export function secretOfCode(code: string): Promise<Octets> {
  const salt = sha256(ascii("sotto share code 1")).slice(0, 16);
  const words = ascii(codeWords(code).join("-"));
  return argon2(words, salt, 65_536, 3, 32);
}
