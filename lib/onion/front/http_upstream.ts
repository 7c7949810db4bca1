import { MalformedError, writeAll } from "../../protocol/mod.ts";
import type { OnionStream } from "../stream/opener.ts";
import { closeStream } from "./client_connection.ts";
import type { ResponseHead } from "./http_head.ts";
import { HEAD_LIMIT, responseHeadParser } from "./http_head.ts";
import { StreamInput } from "./stream_input.ts";

/** Most interim responses (1xx) before the one that counts. */
const INTERIM_LIMIT = 32;

/** The server ended the connection before it answered: on one that was used before, ask anew. */
export class NoAnswerError extends MalformedError {}

/** A stream to a web server. */
export class HttpUpstream {
  /** Whom it is for: requests with another key need another stream. */
  readonly key: string;
  /** What the server says. */
  readonly input: StreamInput;
  readonly #stream: OnionStream;

  /** Takes over `stream`. */
  constructor(key: string, stream: OnionStream) {
    this.key = key;
    this.#stream = stream;
    this.input = new StreamInput(stream);
  }

  /** Says all of `bytes`. */
  async write(bytes: Uint8Array): Promise<void> {
    await writeAll(this.#stream, bytes);
  }

  /**
   * The head of the response; those before it that only say to go on are given to `interim`.
   *
   * @throws {NoAnswerError} if there is none.
   * @throws {MalformedError} if it is no HTTP, or speaks of a change of protocol that nobody asked for.
   */
  async response(
    interim: (head: ResponseHead) => Promise<void>,
  ): Promise<ResponseHead> {
    for (let i = 0; i < INTERIM_LIMIT; i++) {
      const head = await this.input.take(responseHeadParser(), HEAD_LIMIT);
      if (head === undefined) {
        throw new NoAnswerError("Cannot read a response: there is none");
      }
      if (head.status >= 200) return head;
      if (head.status === 101) break;
      await interim(head);
    }
    throw new MalformedError("Cannot read a response: it only goes on");
  }

  /** Lets go of it; may be called again. */
  close(): void {
    closeStream(this.#stream);
  }
}
