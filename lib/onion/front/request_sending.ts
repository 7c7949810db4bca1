import type { Bytes } from "../../protocol/mod.ts";
import { MalformedError } from "../../protocol/mod.ts";
import type { Framing } from "./body_framing.ts";
import { carryBody, SinkError } from "./carry_body.ts";
import type { ClientConnection } from "./client_connection.ts";
import { answerText } from "./http_answer.ts";
import type { HttpUpstream } from "./http_upstream.ts";

/** A request on its way to the server, while the response is waited for. Nothing here rejects. */
export class RequestSending {
  /** Resolves when it is over, well or not. */
  readonly settled: Promise<void>;
  #complete = false;
  #excuse: Bytes | undefined;

  /** Sends `head`, then the body as it comes from `client`. */
  constructor(
    client: ClientConnection,
    upstream: HttpUpstream,
    head: Bytes,
    framing: Framing,
  ) {
    this.settled = this.#send(client, upstream, head, framing);
  }

  /** Whether all of it was sent. */
  get complete(): boolean {
    return this.#complete;
  }

  /** What the client is told if there is no response because of what it sent. */
  get excuse(): Bytes | undefined {
    return this.#excuse;
  }

  async #send(
    client: ClientConnection,
    upstream: HttpUpstream,
    head: Bytes,
    framing: Framing,
  ): Promise<void> {
    const write = (bytes: Uint8Array) => upstream.write(bytes);
    try {
      await write(head);
    } catch {
      // The server has closed already; the response, or its lack, tells why.
      return;
    }
    try {
      await carryBody(framing, client.input, write);
      this.#complete = true;
    } catch (error) {
      if (error instanceof SinkError) return;
      if (error instanceof MalformedError) {
        this.#excuse = answerText(400, "the body of a request is malformed");
      }
      // The server must not take for whole what is not.
      upstream.close();
      return;
    }
    // A client that is gone needs no response; one that only says nothing more does.
    client.input.watch().then((seen) => {
      if (seen === "broken") upstream.close();
    });
  }
}
