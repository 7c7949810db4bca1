import { quietPort } from "../../../tools/quiet_port.ts";
import type { Background } from "../../support/background.ts";
import type { Machine } from "./machine.ts";
import { NodeProcess, startSotto } from "./node_process.ts";

/** Where the processes of a network run. */
export interface Layout {
  readonly controller: Machine;
  readonly client: Machine;
  readonly relays: readonly RelayPlan[];
}

/** A relay of a network. */
export interface RelayPlan {
  readonly machine: Machine;
  /** What it is told beside where the controller is and where to listen. */
  readonly args: readonly string[];
}

/** A circuit as `client circuits --json` shows it. */
export interface ShownCircuit {
  readonly id: number;
  readonly streams: number;
  readonly used: boolean;
  readonly path: readonly {
    readonly fingerprint: string;
    readonly address: string;
  }[];
}

/** A relay as `controller show --json` shows it. */
export interface ShownRelay {
  readonly address: string;
  readonly flags: readonly string[];
}

/** Of a relay that connects to anything that its network reaches. */
export const EXITS_ANYWHERE: readonly string[] = [
  ...["--exit", "accept *:*", "--exit-private"],
];

const LISTED_MS = 60_000;

/** Controller, client and `count` relays on one machine. */
export function allOn(
  machine: Machine,
  count: number,
  args: readonly string[] = EXITS_ANYWHERE,
): Layout {
  const relays = Array.from({ length: count }, () => ({ machine, args }));
  return { controller: machine, client: machine, relays };
}

/** A controller, relays and clients as processes, in a directory of their own. */
export class OnionNetwork implements AsyncDisposable {
  readonly directory: string;
  readonly client: Machine;
  readonly controller: NodeProcess;
  /** The controller as others are told of it. */
  readonly address: string;
  readonly relays: readonly NodeProcess[];
  /** `HOST:PORT` of each relay. */
  readonly relayAddresses: readonly string[];
  readonly #proxies: NodeProcess[] = [];

  private constructor(
    directory: string,
    { client, relays }: Layout,
    controller: NodeProcess,
    address: string,
  ) {
    this.directory = directory;
    this.client = client;
    this.controller = controller;
    this.address = address;
    const ports = relays.map(() => quietPort());
    this.relayAddresses = relays.map(({ machine }, i) =>
      `${machine.host}:${ports[i]}`
    );
    this.relays = relays.map(({ machine, args }, i) => {
      const home = `${directory}/relay-${i}`;
      const at = this.relayAddresses[i]!;
      // With an address among others on loopback it takes what is for that only, and is not seen to come
      // from there; with a machine to itself it listens everywhere, and learns its address.
      const where = machine.enter.length === 0
        ? ["--listen", at, "--address", at]
        : ["--listen", `[::]:${ports[i]}`];
      return new NodeProcess(machine, home, [
        ...["relay", "--controller", address, "--data", home],
        ...[...where, "--drain", "0s", ...args],
      ]);
    });
  }

  /** Starts it all; resolves when every relay is listed. */
  static async raise(layout: Layout): Promise<OnionNetwork> {
    const directory = await Deno.makeTempDir({ prefix: "sotto-onion-" });
    const { controller: machine } = layout;
    const home = `${directory}/controller`;
    const port = quietPort();
    const controller = new NodeProcess(machine, home, [
      ...["controller", "--data", home, "--listen", `${machine.host}:${port}`],
      ...["--interval", "1s", "--alive-every", "500ms", "--allow-private"],
    ]);
    let network: OnionNetwork | undefined;
    try {
      await controller.start();
      const found = await controller.waitFor(/^address +(sotto:\S+)$/m);
      network = new OnionNetwork(directory, layout, controller, found[1]!);
      await Promise.all(network.relays.map((relay) => relay.start()));
      await network.listed(network.relayAddresses);
      return network;
    } catch (error) {
      if (network !== undefined) await network[Symbol.asyncDispose]();
      else await endController(controller, directory);
      throw error;
    }
  }

  /** Waits until the consensus lists just the relays at `addresses`. */
  async listed(addresses: readonly string[]): Promise<void> {
    const wanted = addresses.toSorted().join(" ");
    const deadline = performance.now() + LISTED_MS;
    for (;;) {
      const found = await this.shownRelays();
      const listed = found.map(({ address }) => address).toSorted().join(" ");
      if (listed === wanted) return;
      if (performance.now() > deadline) {
        throw new Error(`Listed are ${listed}, not ${wanted}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }

  /** Waits until every relay has a copy of a consensus with all relays in it. */
  async known(): Promise<void> {
    const wanted = this.relayAddresses.map(descriptorAddress);
    const deadline = performance.now() + LISTED_MS;
    for (const home of this.relays.keys()) {
      const copy = `${this.directory}/relay-${home}/consensus`;
      for (;;) {
        const bytes = await Deno.readFile(copy).catch(() => new Uint8Array(0));
        const text = bytes.toHex();
        if (wanted.every((each) => text.includes(each))) break;
        if (performance.now() > deadline) {
          throw new Error(`Relay ${home} does not know all of them`);
        }
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
  }

  /** The relays of the newest consensus. */
  async shownRelays(): Promise<readonly ShownRelay[]> {
    const args = ["controller", "show", "--controller", this.address];
    const { relays } = JSON.parse(await this.sotto([...args, "--json"]));
    return relays;
  }

  /** A proxy of the client's; `home` holds what it keeps, such as its guards. */
  async proxy(home = "client", args: readonly string[] = []): Promise<Proxy> {
    const { host, enter } = this.client;
    const local = enter.length === 0 ? host : "127.0.0.1";
    const address = `${local}:${quietPort()}`;
    const process = new NodeProcess(this.client, this.#home(home), [
      ...["client", "proxy", "--controller", this.address],
      ...["--listen", address, ...args],
    ]);
    this.#proxies.push(process);
    await process.start();
    return { process, address };
  }

  /** The circuits that the processes with this home have open. */
  async circuits(home = "client"): Promise<readonly ShownCircuit[]> {
    const lines = await this.sotto(["client", "circuits", "--json"], home);
    return lines.split("\n").slice(0, -1).map((line) => JSON.parse(line));
  }

  /** Runs a command at the client to its end; what it printed. */
  async sotto(args: readonly string[], home = "client"): Promise<string> {
    const process = await startSotto(this.client, this.#home(home), args);
    const { code, stdout, stderr } = await process.ending();
    const text = new TextDecoder();
    if (code === 0) return text.decode(stdout);
    throw new Error(`sotto ${args.join(" ")}: ${text.decode(stderr)}`);
  }

  /** The same, left running. */
  async start(
    args: readonly string[],
    home = "client",
  ): Promise<Background> {
    return await startSotto(this.client, this.#home(home), args);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const nodes = [...this.#proxies, ...this.relays];
    await Promise.all(nodes.map((node) => node.stop()));
    await endController(this.controller, this.directory);
  }

  #home(name: string): string {
    return `${this.directory}/${name}`;
  }
}

/** A running `client proxy`. */
export interface Proxy {
  readonly process: NodeProcess;
  /** `HOST:PORT` at the client. */
  readonly address: string;
}

async function endController(
  controller: NodeProcess,
  directory: string,
): Promise<void> {
  await controller.stop();
  await Deno.remove(directory, { recursive: true });
}

/** How a descriptor has an IPv4 address with its port (SPEC.md §11.1), in hex. */
function descriptorAddress(address: string): string {
  const [host = "", port] = address.split(":");
  const numbers = new Uint8Array([4, ...host.split(".").map(Number), 0, 0]);
  new DataView(numbers.buffer).setUint16(5, Number(port));
  return numbers.toHex();
}
