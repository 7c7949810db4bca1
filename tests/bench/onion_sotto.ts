import { RUNTIME_FLAGS } from "../../tools/launcher.ts";
import { freePorts, startProcess, untilThere } from "./onion_network.ts";
import type { NetworkProcess, OnionNetwork } from "./onion_network.ts";
import { numberOf, numbersOf, Subprocess } from "./subprocess.ts";

const MAIN = new URL("../../main.ts", import.meta.url).pathname;
const RELAYS = 3;
/** For the relays to be listed, and the client to be there, in seconds. */
const PATIENCE = 60;

/** As the launcher of the single file starts the program. */
const RUN = ["run", "-A", "--no-check", ...RUNTIME_FLAGS, MAIN];
const ENVIRONMENT = { DENO_NO_UPDATE_CHECK: "1", MALLOC_ARENA_MAX: "2" };

/** What is known of a network of sotto beyond what every network has. */
export interface SottoNetwork extends OnionNetwork {
  /** Process ids of the relays in the order in which the client's circuit runs over them. */
  path(): Promise<readonly number[]>;
}

/**
 * Starts a controller, three relays that let everything out, and a `client proxy`, all on loopback: every
 * circuit runs over all three relays.
 */
export async function startSotto(directory: string): Promise<SottoNetwork> {
  const [controllerPort, socksPort, ...ports] = freePorts(2 + RELAYS) as [
    number,
    number,
    ...number[],
  ];
  const nodes: AsyncDisposable[] = [];
  const close = async () => {
    for (const node of nodes.toReversed()) await node[Symbol.asyncDispose]();
  };
  const start = async (
    name: string,
    args: readonly string[],
  ): Promise<NetworkProcess> => {
    const node = await startProcess(
      Deno.execPath(),
      [...RUN, ...args],
      { ...ENVIRONMENT, SOTTO_HOME: `${directory}/${name}` },
      `${directory}/${name}.log`,
    );
    nodes.push(node);
    return node;
  };
  try {
    await start("controller", [
      ...["controller", "--listen", `127.0.0.1:${controllerPort}`],
      ...["--interval", "5s", "--allow-private", "--log-level", "error"],
    ]);
    const controller = await untilThere(
      "the controller",
      PATIENCE,
      () => said(`${directory}/controller.log`, /^address\s+(\S+)$/m),
    );
    const relays: number[] = [];
    for (const [i, port] of ports.entries()) {
      const { pid } = await start(`relay${i + 1}`, [
        ...["relay", "--controller", controller, "--drain", "1s"],
        ...["--listen", `127.0.0.1:${port}`, "--log-level", "error"],
        ...["--exit", "accept *:*", "--exit-private"],
      ]);
      relays.push(pid);
    }
    await untilThere("the relays", PATIENCE, () => listed(controller));
    const client = await start("client", [
      ...["client", "proxy", "--controller", controller],
      ...["--listen", `127.0.0.1:${socksPort}`],
    ]);
    await untilThere(
      "the client",
      PATIENCE,
      () => said(`${directory}/client.log`, /^(listening)/m),
    );
    const builder = await Subprocess.start("onion_circuits_process.ts", [
      controller,
      directory,
    ]);
    nodes.push(builder);
    return {
      socksPort,
      client: client.pid,
      relays,
      async buildCircuits(count) {
        const built = await builder.ask({ ask: "build", count });
        return {
          took: numbersOf(built, "took"),
          open: numberOf(built, "open"),
        };
      },
      async path() {
        const used = await pathPorts(`${directory}/client`);
        return used.map((port) => relays[ports.indexOf(port)]!);
      },
      [Symbol.asyncDispose]: close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** What the first group matches in what a process has written. */
async function said(
  path: string,
  pattern: RegExp,
): Promise<string | undefined> {
  return pattern.exec(await Deno.readTextFile(path))?.[1];
}

async function sotto(
  args: readonly string[],
  home: string,
): Promise<string> {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: [...RUN, ...args],
    env: { ...ENVIRONMENT, SOTTO_HOME: home },
    stdin: "null",
    stderr: "null",
  }).output();
  return new TextDecoder().decode(stdout);
}

async function listed(controller: string): Promise<true | undefined> {
  const home = await Deno.makeTempDir();
  try {
    const asked = ["controller", "show", "--json", "--controller", controller];
    const text = await sotto(asked, home);
    return text !== "" && JSON.parse(text).relays.length === RELAYS
      ? true
      : undefined;
  } finally {
    await Deno.remove(home, { recursive: true });
  }
}

/** Ports of the relays of the circuit that has carried most. */
async function pathPorts(home: string): Promise<number[]> {
  const text = await sotto(["client", "circuits", "--json"], home);
  const circuits = text.trim().split("\n").map((line) => JSON.parse(line));
  const busiest = circuits.reduce((a, b) => b.received > a.received ? b : a);
  return busiest.path.map(({ address }: { address: string }) =>
    Number(address.slice(address.lastIndexOf(":") + 1))
  );
}
