import { MalformedError } from "../../protocol/mod.ts";
import { StreamError } from "../stream/stream_error.ts";
import type { ClientConnection } from "./client_connection.ts";
import type { Credentials } from "./credentials.ts";
import { addressBytes } from "./destination.ts";
import type { Gate } from "./gate.ts";
import { joinStreams } from "./join_streams.ts";
import { socks5Code } from "./refusal.ts";
import { parseSocks4Request, SOCKS4_CONNECT, socks4Reply } from "./socks4.ts";
import type { Socks5Request } from "./socks5.ts";
import {
  methodReply,
  parseGreeting,
  parsePassword,
  parseSocks5Request,
  passwordReply,
  SOCKS5_COMMANDS,
  SOCKS5_METHODS,
  SOCKS5_REPLIES,
  socks5Reply,
  UnknownAddressError,
} from "./socks5.ts";

/** More than the longest message of SOCKS4 or SOCKS5, in bytes. */
const MESSAGE_LIMIT = 1_024;

/** Serves a client that speaks SOCKS4 or 4a. */
export async function serveSocks4(
  client: ClientConnection,
  gate: Gate,
): Promise<void> {
  const request = await client.input.take(parseSocks4Request, MESSAGE_LIMIT)
    .catch(notMalformed);
  if (request === undefined) return await client.finish(socks4Reply(false));
  const { command, host, port, user } = request;
  const credentials = user === "" ? undefined : { user, password: "" };
  if (
    command !== SOCKS4_CONNECT || port === 0 || !gate.admits(credentials)
  ) return await client.finish(socks4Reply(false));
  client.deadline(0);
  const stream = await gate.open(client, { host, port }, credentials, false)
    .catch(async (error) => {
      await client.finish(socks4Reply(false));
      throw error;
    });
  await client.write(socks4Reply(true)).catch((error) => {
    stream.close();
    throw error;
  });
  await joinStreams(client, stream);
}

/** Serves a client that speaks SOCKS5. */
export async function serveSocks5(
  client: ClientConnection,
  gate: Gate,
): Promise<void> {
  const shown = await greet(client, gate);
  if (shown === undefined) return;
  const request = await readRequest(client);
  if (request === undefined) return;
  const { connect, resolve, resolvePtr } = SOCKS5_COMMANDS;
  try {
    switch (request.command) {
      case connect:
        return await tunnel(client, gate, request, shown.credentials);
      case resolve:
        return await lookUp(client, gate, request, shown.credentials);
      case resolvePtr:
        return await lookBack(client, gate, request, shown.credentials);
      default:
        return await refuse(client, SOCKS5_REPLIES.commandNotSupported);
    }
  } catch (error) {
    if (!(error instanceof StreamError)) throw error;
    // One that broke later has taken the connection with it, and nobody hears this.
    await refuse(client, socks5Code(error.reason));
  }
}

/** Method and credentials (RFC 1928 §3, RFC 1929); `undefined` when the client was turned away. */
async function greet(
  client: ClientConnection,
  gate: Gate,
): Promise<{ credentials: Credentials | undefined } | undefined> {
  const methods = await client.input.take(parseGreeting, MESSAGE_LIMIT);
  if (methods === undefined) return undefined;
  const { none, password, unacceptable } = SOCKS5_METHODS;
  // Who has credentials to show offers both, and means the streams to be kept apart.
  if (methods.includes(password)) {
    await client.write(methodReply(password));
    const shown = await client.input.take(parsePassword, MESSAGE_LIMIT);
    if (shown === undefined) return undefined;
    if (gate.admits(shown)) {
      await client.write(passwordReply(true));
      return { credentials: shown };
    }
    await client.finish(passwordReply(false));
    return undefined;
  }
  if (methods.includes(none) && gate.admits(undefined)) {
    await client.write(methodReply(none));
    return { credentials: undefined };
  }
  await client.finish(methodReply(unacceptable));
  return undefined;
}

async function readRequest(
  client: ClientConnection,
): Promise<Socks5Request | undefined> {
  const { failure, addressNotSupported } = SOCKS5_REPLIES;
  try {
    const request = await client.input.take(parseSocks5Request, MESSAGE_LIMIT);
    client.deadline(0);
    return request;
  } catch (error) {
    if (!(error instanceof MalformedError)) throw error;
    const isUnknown = error instanceof UnknownAddressError;
    await refuse(client, isUnknown ? addressNotSupported : failure);
    return undefined;
  }
}

async function tunnel(
  client: ClientConnection,
  gate: Gate,
  request: Socks5Request,
  credentials: Credentials | undefined,
): Promise<void> {
  if (request.port === 0) return await refuse(client, SOCKS5_REPLIES.failure);
  const stream = await gate.open(client, request, credentials, false);
  await client.write(socks5Reply(SOCKS5_REPLIES.succeeded)).catch((error) => {
    stream.close();
    throw error;
  });
  await joinStreams(client, stream);
}

/** RESOLVE: an address of a name, of IPv4 if there is one. An address is its own answer. */
async function lookUp(
  client: ClientConnection,
  gate: Gate,
  { host }: Socks5Request,
  credentials: Credentials | undefined,
): Promise<void> {
  const found = addressBytes(host) !== undefined
    ? [host]
    : (await gate.resolve(client, host, credentials)).filter(isAddress);
  const best = found.find((each) => !each.includes(":")) ?? found[0];
  await answer(client, best);
}

/** RESOLVE_PTR: a name of an address. */
async function lookBack(
  client: ClientConnection,
  gate: Gate,
  { host }: Socks5Request,
  credentials: Credentials | undefined,
): Promise<void> {
  if (addressBytes(host) === undefined) {
    return await refuse(client, SOCKS5_REPLIES.addressNotSupported);
  }
  const found = await gate.resolve(client, host, credentials);
  await answer(client, found.find((each) => /^[\x21-\x7e]{1,255}$/.test(each)));
}

async function answer(
  client: ClientConnection,
  found: string | undefined,
): Promise<void> {
  const { succeeded, hostUnreachable } = SOCKS5_REPLIES;
  if (found === undefined) return await refuse(client, hostUnreachable);
  await client.finish(socks5Reply(succeeded, found));
}

async function refuse(client: ClientConnection, code: number): Promise<void> {
  await client.finish(socks5Reply(code));
}

function isAddress(text: string): boolean {
  try {
    return addressBytes(text) !== undefined;
  } catch {
    return false;
  }
}

function notMalformed(error: unknown): undefined {
  if (!(error instanceof MalformedError)) throw error;
  return undefined;
}
