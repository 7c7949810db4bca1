import { sleep } from "./connecting.ts";
import type { OnionNetwork } from "./onion_network.ts";
import { freePorts, startProcess, untilThere } from "./onion_network.ts";
import type { NetworkProcess } from "./onion_network.ts";
import { buildTorCircuits } from "./tor_circuits.ts";
import { TorControl } from "./tor_control.ts";
import { makeAuthorityKeys, makeRelayKeys } from "./tor_keys.ts";
import {
  authoritySettings,
  clientSettings,
  relaySettings,
} from "./tor_settings.ts";
import type { TorAuthority } from "./tor_settings.ts";

const RELAYS = ["r1", "r2", "r3"] as const;
/** For the first consensus of all relays, in seconds. */
const PATIENCE = 120;
/** For the relays to fetch it, in milliseconds. */
const SETTLING = 3_000;
/** Attempts to start a client. */
const CLIENTS = 5;

/**
 * Starts the peer: a private Tor network on loopback with one directory authority, three relays and one
 * client, whose circuits run over the three relays in a fixed order.
 */
export async function startTor(directory: string): Promise<OnionNetwork> {
  const [relayPort, directoryPort, ...ports] = freePorts(2 + RELAYS.length) as [
    number,
    number,
    ...number[],
  ];
  const identity = await makeAuthorityKeys(directory, directoryPort);
  const print = (name: string, port: number) =>
    makeRelayKeys(directory, name, port, identity);
  const fingerprint = await print("auth", relayPort);
  const authority = { relayPort, directoryPort, identity, fingerprint };
  const path: string[] = [];
  for (const [i, name] of RELAYS.entries()) {
    path.push(await print(name, ports[i]!));
  }
  const nodes: NetworkProcess[] = [];
  let client: TorClient;
  const close = async () => {
    for (const node of nodes.toReversed()) await node[Symbol.asyncDispose]();
  };
  const place = (name: string) => `${directory}/${name}`;
  const start = async (name: string, settings: string) => {
    nodes.push(await startNode(place(name), settings));
  };
  try {
    await start("auth", authoritySettings(place("auth"), authority));
    for (const [i, name] of RELAYS.entries()) {
      const port = ports[i]!;
      await start(name, relaySettings(place(name), authority, name, port));
    }
    await untilThere(
      "a consensus of Tor",
      PATIENCE,
      () => usableRelays(authority, RELAYS.length + 1),
    );
    // The relays, too, must have learned of the consensus.
    await sleep(SETTLING);
    client = await startClient(place("client"), authority, path);
    nodes.push(client);
  } catch (error) {
    await close();
    throw error;
  }
  const [, r1, r2, r3] = nodes.map(({ pid }) => pid);
  const { socks, control, pid } = client;
  return {
    socksPort: socks,
    client: pid,
    relays: [r1!, r2!, r3!],
    buildCircuits: (count) => buildTorCircuits(control, path, count),
    [Symbol.asyncDispose]: close,
  };
}

async function startNode(
  directory: string,
  settings: string,
): Promise<NetworkProcess> {
  const path = `${directory}/torrc`;
  await Deno.writeTextFile(path, `${settings}\n`);
  // The defaults of an installed Tor are to count for nothing.
  const defaults = `${directory}/nothing`;
  await Deno.writeTextFile(defaults, "");
  const args = ["-f", path, "--defaults-torrc", defaults];
  return await startProcess("tor", args, {}, `${directory}/log`);
}

/** The client, and where it listens. */
interface TorClient extends NetworkProcess {
  readonly socks: number;
  readonly control: number;
}

/**
 * A client that could not reach its guard at first leaves it alone for minutes: then another one is
 * started in its place.
 */
async function startClient(
  directory: string,
  authority: TorAuthority,
  path: readonly string[],
): Promise<TorClient> {
  for (let attempt = 1;; attempt++) {
    const [socks, control] = freePorts(2) as [number, number];
    const place = `${directory}${attempt}`;
    await Deno.mkdir(place, { mode: 0o700 });
    const ports = { socks, control };
    const node = await startNode(
      place,
      clientSettings(place, authority, ports, path),
    );
    try {
      await untilThere("Tor's client", 20, () => established(control));
      return { ...node, socks, control };
    } catch (error) {
      await node[Symbol.asyncDispose]();
      if (attempt === CLIENTS) throw error;
    }
  }
}

/** Whether the consensus lists so many relays that may be used. */
async function usableRelays(
  { directoryPort: port }: TorAuthority,
  count: number,
): Promise<true | undefined> {
  const path = "/tor/status-vote/current/consensus";
  try {
    using connection = await Deno.connect({ hostname: "127.0.0.1", port });
    // Not by fetch, which may be told to use a proxy.
    const question = `GET ${path} HTTP/1.0\r\n\r\n`;
    await connection.write(new TextEncoder().encode(question));
    const text = await new Response(connection.readable).text();
    const usable = text.match(/^s .*\bRunning\b.*\bValid\b/gm) ?? [];
    return usable.length >= count ? true : undefined;
  } catch {
    return undefined;
  }
}

async function established(control: number): Promise<true | undefined> {
  try {
    using connection = await TorControl.connect(control);
    const [line] = await connection.command(
      "GETINFO status/circuit-established",
    );
    return line?.endsWith("=1") ? true : undefined;
  } catch {
    return undefined;
  }
}
