import type { Bytes } from "../../protocol/mod.ts";
import { MalformedError } from "../../protocol/mod.ts";

/** One block of a PEM text. */
export interface PemBlock {
  /** What it says it is, such as "PUBLIC KEY". */
  readonly label: string;
  /** What is inside. */
  readonly bytes: Bytes;
}

const LINE = 64;
/** Longest text that is read, in characters; three private keys take about 3,000. */
const TEXT_LIMIT = 65_536;
const BEGIN = /^-----BEGIN ([A-Z0-9 ]{1,64})-----$/;

/** Bytes as PEM (RFC 7468): base64 in lines of 64 between two lines that bear the label. */
export function encodePem({ label, bytes }: PemBlock): string {
  const lines = bytes.toBase64().match(new RegExp(`.{1,${LINE}}`, "g")) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ""]
    .join("\n");
}

/**
 * Every block of `text`, in order. What stands outside the blocks is passed over, as RFC 7468 §2 wants;
 * inside there may be base64 only, so that an old encrypted key with its headers is refused.
 *
 * @throws {MalformedError} if there is no block, or one is not closed, closed as another, or not base64.
 */
export function parsePem(text: string): PemBlock[] {
  if (text.length > TEXT_LIMIT) throw malformed("it is too long");
  const blocks: PemBlock[] = [];
  let label: string | undefined;
  let body = "";
  for (const line of text.split(/\r?\n/).map((each) => each.trimEnd())) {
    const begins = BEGIN.exec(line)?.[1];
    if (label === undefined) {
      label = begins;
    } else if (line === `-----END ${label}-----`) {
      blocks.push({ label, bytes: decode(body) });
      label = undefined;
      body = "";
    } else if (/^[A-Za-z0-9+/]*={0,2}$/.test(line)) {
      body += line;
    } else {
      throw malformed("a block holds something else than base64");
    }
  }
  if (label !== undefined) throw malformed("a block does not end");
  if (blocks.length === 0) throw malformed("there is no block in it");
  return blocks;
}

function decode(body: string): Bytes {
  try {
    return Uint8Array.fromBase64(body, { lastChunkHandling: "strict" });
  } catch {
    // What the decoder says may quote a private key, so it is not kept as the cause.
    throw malformed("a block is not base64");
  }
}

function malformed(seen: string): MalformedError {
  return new MalformedError(`Cannot read PEM: ${seen}`);
}
