import {
  fromUtf8,
  MalformedError,
  Reader,
  utf8,
  Writer,
} from "../protocol/mod.ts";
import type { Bytes } from "../protocol/mod.ts";
import { SECRET_BYTES } from "./blob_keys.ts";
import { ANY_DISK, checkName } from "./tree/entry_path.ts";

/** What an offer begins with. A client that knows nothing of files shows it as the text that it is. */
const SCHEME = "sotto-file:";
const VERSION = 1;
/** The last moment that a date can name (ECMA-262 §21.4.1.1), in milliseconds since 1970. */
const LAST_MOMENT = 8.64e15;

/** What is offered. */
export type OfferKind = "file" | "directory" | "several";

const KINDS: readonly OfferKind[] = ["file", "directory", "several"];

/** A file, a directory or several of them, offered by a text of this form in a letter. */
export interface Offer {
  /** From which everything follows that is needed to fetch and open it, 32 bytes. */
  readonly secret: Bytes;
  /** What lies at the top of it. */
  readonly kind: OfferKind;
  /** What it is called, one component of a path. */
  readonly name: string;
  /** Bytes in all its files. */
  readonly size: number;
  /** How many entries it has. */
  readonly entries: number;
  /** Until when the server keeps it, in milliseconds since 1970. */
  readonly expiresAt: number;
}

/** The offer as a text: `sotto-file:` and base64url (RFC 4648 §5, without padding). */
export function formatOffer(offer: Offer): string {
  const bytes = new Writer().u8(VERSION).u8(KINDS.indexOf(offer.kind))
    .bytes(offer.secret).u64(BigInt(offer.size)).u32(offer.entries)
    .u64(BigInt(offer.expiresAt)).prefixed(1, utf8(offer.name)).done();
  return SCHEME + bytes.toBase64({ alphabet: "base64url", omitPadding: true });
}

/** The offer that a text is; `undefined` if it is an ordinary text, or an offer that does not hold. */
export function parseOffer(text: string): Offer | undefined {
  if (!text.startsWith(SCHEME)) return undefined;
  try {
    const offer = parse(
      Uint8Array.fromBase64(text.slice(SCHEME.length), {
        alphabet: "base64url",
      }),
    );
    // One text for one offer: base64 would allow for padding, spaces and idle bits.
    return formatOffer(offer) === text ? offer : undefined;
  } catch (error) {
    if (error instanceof MalformedError || error instanceof SyntaxError) {
      return undefined;
    }
    throw error;
  }
}

function parse(bytes: Bytes): Offer {
  const reader = new Reader(bytes);
  const version = reader.u8();
  const kind = KINDS[reader.u8()];
  if (version !== VERSION || kind === undefined) {
    throw new MalformedError(`Cannot read an offer: version ${version}`);
  }
  const secret = reader.take(SECRET_BYTES);
  const size = Number(reader.u64());
  const entries = reader.u32();
  const expiresAt = Number(reader.u64());
  const name = fromUtf8(reader.prefixed(1, 255));
  reader.end();
  if (!Number.isSafeInteger(size) || expiresAt > LAST_MOMENT) {
    throw new MalformedError("Cannot read an offer: a number is too large");
  }
  checkName(name, ANY_DISK);
  return { secret, kind, name, size, entries, expiresAt };
}
