import { Capture } from "./capture.ts";
import type { Captured } from "./capture.ts";
import { Destination } from "./destination.ts";
import type { Machine } from "./machine.ts";
import { Namespaces, namespacesMissing } from "./namespaces.ts";
import { hasOpenSsl } from "../../support/openssl.ts";
import { EXITS_ANYWHERE, OnionNetwork } from "./onion_network.ts";

const ONION = "10.0.0.0/8";
const WEB = "198.51.100.0/24";
const RELAYS = ["relay-a", "relay-b", "relay-c"] as const;

/**
 * The client has no way to the destination, only to the controller and the relays; each is in a network
 * (an IPv4 /16) of its own.
 */
const PLANS = {
  "controller": { host: "10.1.0.2", reaches: [ONION] },
  "relay-a": { host: "10.2.0.2", reaches: [ONION, WEB] },
  "relay-b": { host: "10.3.0.2", reaches: [ONION, WEB] },
  "relay-c": { host: "10.4.0.2", reaches: [ONION, WEB] },
  "client": { host: "10.5.0.2", reaches: [ONION] },
  "site": { host: "198.51.100.2", reaches: [ONION] },
};

/** A machine of the field. */
export type FieldName = keyof typeof PLANS;

/** The only name there is; nobody but the exits knows it. */
export const SITE = "site.test";

/** Why there can be no field here, or undefined. */
export const fieldMissing: string | undefined = namespacesMissing ??
  (hasOpenSsl ? undefined : "there is no openssl");

/**
 * Three relays, a controller, a client and a destination with HTTP and HTTPS, each a machine of its own with
 * its own address, and captures of all that passes some of them.
 */
export class Field implements AsyncDisposable {
  readonly destination: Destination;
  readonly network: OnionNetwork;
  readonly #machines: Namespaces<FieldName>;
  readonly #captures: ReadonlyMap<FieldName, Capture>;
  readonly #stack: AsyncDisposableStack;

  private constructor(
    machines: Namespaces<FieldName>,
    captures: ReadonlyMap<FieldName, Capture>,
    destination: Destination,
    network: OnionNetwork,
    stack: AsyncDisposableStack,
  ) {
    this.#machines = machines;
    this.#captures = captures;
    this.destination = destination;
    this.network = network;
    this.#stack = stack;
  }

  /** Raises it; the destination offers a file of `size` bytes, and `captured` machines are watched. */
  static async raise(
    size: number,
    captured: readonly FieldName[] = [],
  ): Promise<Field> {
    await using stack = new AsyncDisposableStack();
    const machines = stack.use(await Namespaces.make(PLANS));
    const captures = new Map<FieldName, Capture>();
    for (const name of captured) {
      const capture = await Capture.start(machines.machine(name));
      captures.set(name, stack.use(capture));
    }
    const site = machines.machine("site");
    const destination = stack.use(
      await Destination.start(site, 80, size, 443),
    );
    const hosts = await Deno.makeTempFile({ prefix: "sotto-hosts-" });
    stack.defer(() => Deno.remove(hosts));
    await Deno.writeTextFile(hosts, `${site.host} ${SITE}\n`);
    const args = [...EXITS_ANYWHERE, "--hosts", hosts];
    const network = stack.use(
      await OnionNetwork.raise({
        controller: machines.machine("controller"),
        client: machines.machine("client"),
        relays: RELAYS.map((name) => ({
          machine: machines.machine(name),
          args,
        })),
      }),
    );
    return new Field(machines, captures, destination, network, stack.move());
  }

  /** One of the machines. */
  machine(name: FieldName): Machine {
    return this.#machines.machine(name);
  }

  /** The machine at an address. */
  at(host: string): FieldName {
    const found = Object.entries(PLANS).find(([, plan]) => plan.host === host);
    return found![0] as FieldName;
  }

  /** Ends a capture, and gives what it holds. */
  async captured(name: FieldName): Promise<Captured> {
    return await this.#captures.get(name)!.stop();
  }

  /** The relays of every circuit that streams were on, the guard first. */
  async usedPaths(): Promise<readonly (readonly FieldName[])[]> {
    const circuits = await this.network.circuits();
    return circuits.filter(({ used }) => used).map(({ path }) =>
      path.map(({ address }) =>
        this.at(address.slice(0, address.lastIndexOf(":")))
      )
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}
