import type { Bytes } from "../../protocol/mod.ts";
import { MalformedError } from "../../protocol/mod.ts";
import { StreamError } from "../stream/stream_error.ts";
import type { Framing } from "./body_framing.ts";
import { carryBody, carryInChunks } from "./carry_body.ts";
import type { ClientConnection } from "./client_connection.ts";
import type { Credentials } from "./credentials.ts";
import type { Destination } from "./destination.ts";
import type { ForwardedResponse } from "./forwarded_head.ts";
import { forwardRequest, forwardResponse } from "./forwarded_head.ts";
import type { Gate } from "./gate.ts";
import { answerRefusal, answerText } from "./http_answer.ts";
import type { RequestHead } from "./http_head.ts";
import { formatResponseHead } from "./http_head.ts";
import type { HttpTarget } from "./http_target.ts";
import { HttpUpstream } from "./http_upstream.ts";
import { RequestSending } from "./request_sending.ts";

/** A request for another server, and what was found out about it. */
export interface HttpRequest {
  /** Its head, as it came. */
  readonly head: RequestHead;
  /** How its body ends. */
  readonly framing: Framing;
  /** Where it shall go. */
  readonly target: HttpTarget & { readonly form: "absolute" };
  /** What the client has shown. */
  readonly credentials: Credentials | undefined;
}

/** May be asked a second time when nobody knows what became of the first (RFC 9110 §9.2.2). */
const REPEATABLE: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS"]);
const NOTHING: Bytes = new Uint8Array(0);

/**
 * Carries the plain requests of one client to their servers and the responses back. A stream that is
 * good for more is kept for the next request to the same place.
 */
export class HttpExchanges {
  readonly #client: ClientConnection;
  readonly #gate: Gate;
  #kept: HttpUpstream | undefined;

  /** Serves `client`. */
  constructor(client: ClientConnection, gate: Gate) {
    this.#client = client;
    this.#gate = gate;
  }

  /** Lets go of the stream that is kept. */
  close(): void {
    this.#kept?.close();
    this.#kept = undefined;
  }

  /**
   * Carries one request and its response.
   *
   * @returns whether the connection of the client is good for another request.
   * @throws what broke it.
   */
  async serve(request: HttpRequest): Promise<boolean> {
    const { target: { destination }, credentials } = request;
    const key = JSON.stringify([destination, credentials]);
    const kept = this.#takeKept(key, request);
    if (kept !== undefined) {
      // An old stream may have ended meanwhile: that is no answer yet.
      const done = await this.#exchange(kept, request, () => undefined);
      if (done !== undefined || this.#client.closed) return done ?? false;
    }
    const upstream = await this.#open(key, request);
    if (upstream === undefined) return false;
    const done = await this.#exchange(
      upstream,
      request,
      (error) => explain(error, destination),
    );
    return done ?? false;
  }

  /** The stream that is kept, if it is for this; what may be lost on it must be good to be sent again. */
  #takeKept(
    key: string,
    { head, framing }: HttpRequest,
  ): HttpUpstream | undefined {
    const kept = this.#kept;
    if (
      kept?.key === key && framing.kind === "none" &&
      REPEATABLE.has(head.method)
    ) {
      this.#kept = undefined;
      return kept;
    }
    this.close();
    return undefined;
  }

  async #open(
    key: string,
    { target: { destination }, credentials }: HttpRequest,
  ): Promise<HttpUpstream | undefined> {
    try {
      return new HttpUpstream(
        key,
        await this.#gate.open(this.#client, destination, credentials, true),
      );
    } catch (error) {
      if (!(error instanceof StreamError)) throw error;
      await this.#client.finish(answerRefusal(destination, error));
      return undefined;
    }
  }

  /**
   * Sends the request and carries the response back.
   *
   * @param excuse what the client is told if there is no response.
   * @returns whether its connection is good for more; `undefined` if there was no response.
   */
  async #exchange(
    upstream: HttpUpstream,
    request: HttpRequest,
    excuse: (error: unknown) => Bytes | undefined,
  ): Promise<boolean | undefined> {
    const client = this.#client;
    const { head, target, framing } = request;
    // The response is waited for at once: a server may answer before it has seen all.
    const sending = new RequestSending(
      client,
      upstream,
      forwardRequest(head, target, framing),
      framing,
    );
    let response;
    try {
      response = forwardResponse(
        head,
        await upstream.response(async (interim) => {
          const fields = interim.fields.forward();
          if (head.minor === 0) return;
          await client.write(formatResponseHead({ ...interim, fields }));
        }),
      );
    } catch (error) {
      upstream.close();
      const words = sending.excuse ?? excuse(error);
      if (words !== undefined) await client.finish(words);
      await sending.settled;
      return undefined;
    }
    try {
      return await this.#relay(upstream, response, sending);
    } catch (error) {
      upstream.close();
      // A body that is cut short can be told in no other way.
      client.close();
      throw error;
    } finally {
      if (client.closed) await sending.settled;
    }
  }

  async #relay(
    upstream: HttpUpstream,
    response: ForwardedResponse,
    sending: RequestSending,
  ): Promise<boolean> {
    const client = this.#client;
    const write = (bytes: Uint8Array) => client.write(bytes);
    await write(response.bytes);
    if (response.inChunks) await carryInChunks(upstream.input, write);
    else await carryBody(response.framing, upstream.input, write);
    if (response.keepsServer && sending.complete) this.#kept = upstream;
    else upstream.close();
    if (response.keepsClient && sending.complete) return true;
    await client.finish(NOTHING);
    return false;
  }
}

/** Why there is no response, for a person. */
function explain(error: unknown, destination: Destination): Bytes {
  if (error instanceof StreamError) return answerRefusal(destination, error);
  return answerText(
    502,
    error instanceof MalformedError
      ? "the server does not answer in HTTP, or not at all"
      : "the connection to the server broke",
    [["Proxy-Status", "sotto; error=http_protocol_error"]],
  );
}
