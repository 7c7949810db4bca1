import { MalformedError } from "../../protocol/mod.ts";
import { StreamError } from "../stream/stream_error.ts";
import { requestFraming } from "./body_framing.ts";
import type { ClientConnection } from "./client_connection.ts";
import type { Credentials } from "./credentials.ts";
import { basicCredentials } from "./credentials.ts";
import type { Destination } from "./destination.ts";
import { FRONT_PAGE } from "./front_page.ts";
import type { Gate } from "./gate.ts";
import {
  answerChallenge,
  answerPage,
  answerRefusal,
  answerText,
  TUNNEL_STANDS,
} from "./http_answer.ts";
import { HttpExchanges } from "./http_exchanges.ts";
import type { RequestHead } from "./http_head.ts";
import {
  HEAD_LIMIT,
  HttpVersionError,
  requestHeadParser,
} from "./http_head.ts";
import { parseTarget } from "./http_target.ts";
import { joinStreams } from "./join_streams.ts";
import { TooLongError } from "./stream_input.ts";

/** How long a client may take, in milliseconds. */
export interface HttpPatience {
  /** For the head of a request, from its first byte on. */
  readonly head: number;
  /** Between two requests. */
  readonly idle: number;
}

/** Serves a client that speaks HTTP/1: a tunnel (CONNECT), or requests one after the other. */
export async function serveHttp(
  client: ClientConnection,
  gate: Gate,
  patience: HttpPatience,
): Promise<void> {
  const exchanges = new HttpExchanges(client, gate);
  try {
    for (;;) {
      const head = await nextHead(client, patience);
      if (head === undefined) return;
      if (!await serveRequest(client, gate, exchanges, head)) return;
    }
  } catch (error) {
    if (!(error instanceof MalformedError) || client.closed) throw error;
    const [status, text] = complaint(error);
    await client.finish(answerText(status, text));
  } finally {
    exchanges.close();
  }
}

/** The next request, or `undefined` if there is none. */
async function nextHead(
  client: ClientConnection,
  { head, idle }: HttpPatience,
): Promise<RequestHead | undefined> {
  client.deadline(idle);
  if (await client.input.peek() === undefined) return undefined;
  client.deadline(head);
  const request = await client.input.take(requestHeadParser(), HEAD_LIMIT);
  client.deadline(0);
  return request;
}

/** @returns whether the connection is good for another request. */
async function serveRequest(
  client: ClientConnection,
  gate: Gate,
  exchanges: HttpExchanges,
  request: RequestHead,
): Promise<boolean> {
  const target = parseTarget(request);
  const framing = requestFraming(request);
  if (target.form === "origin") {
    const status = request.target === "/" ? 200 : 404;
    await client.finish(answerPage(status, FRONT_PAGE));
    return false;
  }
  const [shown] = request.fields.values("proxy-authorization");
  const credentials = shown === undefined ? undefined : basicCredentials(shown);
  if (!gate.admits(credentials)) {
    await client.finish(answerChallenge());
    return false;
  }
  if (target.form === "absolute") {
    return await exchanges.serve({
      head: request,
      framing,
      target,
      credentials,
    });
  }
  if (framing.kind !== "none") {
    throw new MalformedError("Cannot open a tunnel: the request has a body");
  }
  await tunnel(client, gate, target.destination, credentials);
  return false;
}

async function tunnel(
  client: ClientConnection,
  gate: Gate,
  destination: Destination,
  credentials: Credentials | undefined,
): Promise<void> {
  let stream;
  try {
    stream = await gate.open(client, destination, credentials, false);
  } catch (error) {
    if (!(error instanceof StreamError)) throw error;
    return await client.finish(answerRefusal(destination, error));
  }
  try {
    await client.write(TUNNEL_STANDS);
  } catch (error) {
    stream.close();
    throw error;
  }
  await joinStreams(client, stream);
}

function complaint(error: MalformedError): [status: number, text: string] {
  if (error instanceof HttpVersionError) {
    return [505, "this proxy speaks HTTP/1.0 and HTTP/1.1"];
  }
  if (error instanceof TooLongError) {
    return [431, "the head of a request has 64 KiB at most"];
  }
  return [
    400,
    "this request is not understood; for https:// ask for a tunnel (CONNECT)",
  ];
}
