import { parseServerAddress } from "../identity/mod.ts";
import { dial } from "../net/mod.ts";
import { Caller } from "../protocol/mod.ts";
import type { Member } from "./member.ts";

/** A server that listens is ready with this. */
export const SERVER_READY = /^address +(\S+)/;
/** One that is reached through the onion says it only once others can reach it there. */
export const ONION_SERVER_READY = /^onion address (\S+)/;

/** Asks a server that listens whether it is there (S0.1). Gives its address. */
export async function addressOfServer(server: Member): Promise<string> {
  const [, text = ""] = await server.output.find(SERVER_READY);
  const { host, port } = parseServerAddress(text);
  const stream = await dial({ hostname: host, port });
  try {
    await new Caller(stream).ping();
  } finally {
    stream.close();
  }
  return text;
}

/** The address of a server that is reached through the onion only. */
export async function addressOfOnionServer(server: Member): Promise<string> {
  const [, text = ""] = await server.output.find(ONION_SERVER_READY);
  return text;
}
