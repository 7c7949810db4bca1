import { responseFraming } from "../front/body_framing.ts";
import type { HttpUpstream } from "../front/http_upstream.ts";
import { RedirectError } from "./redirect_error.ts";
import { BodyReader } from "./body_reader.ts";
import type { WebAccess } from "./web_connection.ts";
import { WebConnection } from "./web_connection.ts";
import { redirected, redirectOf } from "./web_redirect.ts";
import type { WebRequest } from "./web_request.ts";
import { webRequestHead } from "./web_request.ts";
import { WebResponse } from "./web_response.ts";

const REDIRECTS_LIMIT = 20;
/** What is written at a time, in bytes. */
const PIECE = 65_536;

/** Asks web servers through the onion: HTTP/1.1, one request a connection. */
export class WebClient {
  readonly #access: WebAccess;
  readonly #follow: boolean;

  /** @param follow whether redirects are followed. */
  constructor(access: WebAccess, follow: boolean) {
    this.#access = access;
    this.#follow = follow;
  }

  /**
   * Sends a request, follows redirects and gives the head of the response, its body still to be read.
   *
   * @param signal gives it up, also while the body is read.
   * @param moved called whenever a piece of the request has left.
   * @throws {StreamError} if there is no connection.
   * @throws {MalformedError} if the server does not speak HTTP.
   * @throws {RedirectError} if redirects lead nowhere.
   */
  async send(
    request: WebRequest,
    signal: AbortSignal,
    moved: () => void,
  ): Promise<WebResponse> {
    let next = request;
    for (let i = 0; i <= REDIRECTS_LIMIT; i++) {
      const response = await this.#exchange(next, signal, moved);
      if (!this.#follow) return response;
      try {
        const url = redirectOf(response);
        if (url === undefined) return response;
        next = redirected(next, response.status, url);
      } catch (error) {
        response.close();
        throw error;
      }
      response.close();
    }
    throw new RedirectError(
      `Cannot follow redirects: there are more than ${REDIRECTS_LIMIT}`,
    );
  }

  async #exchange(
    request: WebRequest,
    signal: AbortSignal,
    moved: () => void,
  ): Promise<WebResponse> {
    const { url, method } = request;
    const connection = await WebConnection.open(this.#access, url, signal);
    const { upstream } = connection;
    return await connection.during(async () => {
      // The answer is waited for at once: a server may refuse before it has seen all. Should sending
      // fail, the answer, or its lack, tells why.
      write(upstream, request, moved).catch(() => {});
      const head = await upstream.response(() => Promise.resolve());
      const framing = responseFraming(head, method);
      const body = new BodyReader(framing, upstream.input);
      return new WebResponse(url, head, body, connection);
    });
  }
}

async function write(
  upstream: HttpUpstream,
  request: WebRequest,
  moved: () => void,
): Promise<void> {
  await upstream.write(webRequestHead(request));
  const { body } = request;
  for (let at = 0; body !== undefined && at < body.length; at += PIECE) {
    await upstream.write(body.subarray(at, at + PIECE));
    moved();
  }
}
