import type { Bytes } from "../../protocol/mod.ts";
import { MalformedError } from "../../protocol/mod.ts";
import { sameBytes } from "../byte_order.ts";
import { CHAIN_LIMIT } from "../chain.ts";
import type { ConsensusHeader } from "../consensus_header.ts";
import {
  encodeHeader,
  hashHeader,
  HEADER_BYTES,
  parseHeader,
} from "../consensus_header.ts";

/** The headers of the chain, of the last 100,000 heights at most, one behind the other. */
export class HeaderLog {
  #first = 1;
  #count = 0;
  #bytes: Bytes = new Uint8Array(64 * HEADER_BYTES);

  /**
   * The longest part of what is in a file that leads to `head` without a gap. What stands behind the
   * head, or was cut off in the middle by a crash, is left out.
   */
  static async read(file: Bytes, head: ConsensusHeader): Promise<HeaderLog> {
    const log = new HeaderLog();
    const all = wholeHeaders(file);
    const hashes = await Promise.all(all.map(hashHeader));
    const chain: ConsensusHeader[] = [head];
    let at = all.findLastIndex(({ height }) => height === head.height - 1);
    for (; at >= 0; at--) {
      if (!sameBytes(hashes[at]!, chain.at(-1)!.previous)) break;
      chain.push(all[at]!);
    }
    for (const each of chain.toReversed()) log.append(each);
    return log;
  }

  /** How many headers there are. */
  get count(): number {
    return this.#count;
  }

  /** All of it, as it lies in the file. */
  get bytes(): Bytes {
    return this.#bytes.slice(0, this.#count * HEADER_BYTES);
  }

  /** Adds the header of the next height; of any height if there is none yet. */
  append(header: ConsensusHeader): void {
    if (this.#count === 0) this.#first = header.height;
    if (this.#count === CHAIN_LIMIT) this.#forget(CHAIN_LIMIT / 10);
    const at = this.#count * HEADER_BYTES;
    if (at === this.#bytes.length) {
      const larger = new Uint8Array(2 * at);
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    this.#bytes.set(encodeHeader(header), at);
    this.#count++;
  }

  /** The encoded headers of `count` heights from `first` on, or `undefined` if one is not there. */
  slice(first: number, count: number): Bytes | undefined {
    const from = first - this.#first;
    if (from < 0 || count < 1 || from + count > this.#count) return undefined;
    return this.#bytes.slice(
      from * HEADER_BYTES,
      (from + count) * HEADER_BYTES,
    );
  }

  #forget(count: number): void {
    this.#bytes.copyWithin(0, count * HEADER_BYTES);
    this.#first += count;
    this.#count -= count;
  }
}

/** The headers in a file up to the first that is none. */
function wholeHeaders(file: Bytes): ConsensusHeader[] {
  const headers: ConsensusHeader[] = [];
  try {
    for (let at = 0; at + HEADER_BYTES <= file.length; at += HEADER_BYTES) {
      headers.push(parseHeader(file.subarray(at, at + HEADER_BYTES)));
    }
  } catch (error) {
    if (!(error instanceof MalformedError)) throw error;
  }
  return headers;
}
