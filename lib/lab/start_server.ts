import { parseServerAddress } from "../identity/mod.ts";
import { dial } from "../net/mod.ts";
import { Caller } from "../protocol/mod.ts";
import type { Crew } from "./crew.ts";

const ADDRESS = /^address +(\S+)/;
/** It is said only once others can reach it there. */
const ONION_ADDRESS = /^onion address (\S+)/;

/** Starts a server that listens, and asks it whether it is there (S0.1). Gives its address. */
export async function startServer(
  crew: Crew,
  args: readonly string[],
): Promise<string> {
  const server = await crew.start("server", { args, ready: ADDRESS });
  const [, text = ""] = await server.output.find(ADDRESS);
  const { host, port } = parseServerAddress(text);
  const stream = await dial({ hostname: host, port });
  try {
    await new Caller(stream).ping();
  } finally {
    stream.close();
  }
  return text;
}

/** Starts a server that is reached through the onion only. Gives its address. */
export async function startOnionServer(
  crew: Crew,
  args: readonly string[],
): Promise<string> {
  const server = await crew.start("server", { args, ready: ONION_ADDRESS });
  const [, text = ""] = await server.output.find(ONION_ADDRESS);
  return text;
}
