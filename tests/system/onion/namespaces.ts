import type { Machine } from "./machine.ts";

/** A machine of the network. */
export interface MachinePlan {
  /** Its IPv4 address, the second of a /30 network that is its own. */
  readonly host: string;
  /** The networks that it has a route to; there is none to anything else. */
  readonly reaches: readonly string[];
}

const NAME = /^sotto-(\d+)-[0-9a-f]+-/;

/**
 * Machines as network namespaces, each on a wire of its own to a router in yet another namespace, so that
 * nobody hears what is not for it. There is no IPv6 and no DNS. Everything is gone when it is disposed of;
 * what a run that was killed has left goes when the next begins.
 */
export class Namespaces<Name extends string> implements AsyncDisposable {
  readonly #prefix = `sotto-${Deno.pid}-${randomName()}-`;
  readonly #machines = new Map<Name, Machine>();

  private constructor() {}

  /**
   * Makes the machines.
   *
   * @throws {Error} if that is not possible here.
   */
  static async make<Name extends string>(
    plans: Readonly<Record<Name, MachinePlan>>,
  ): Promise<Namespaces<Name>> {
    await removeLeftovers();
    const namespaces = new Namespaces<Name>();
    try {
      await namespaces.#raise(Object.entries(plans) as [Name, MachinePlan][]);
      return namespaces;
    } catch (error) {
      await namespaces[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** The machine called `name`. */
  machine(name: Name): Machine {
    const machine = this.#machines.get(name);
    if (machine === undefined) throw new Error(`There is no ${name}`);
    return machine;
  }

  async #raise(plans: readonly [Name, MachinePlan][]): Promise<void> {
    const router = `${this.#prefix}router`;
    await ip("netns", "add", router);
    const set = (space: string, setting: string, value: number) =>
      ip(
        ...["netns", "exec", space, "sh", "-c"],
        `echo ${value} > /proc/sys/net/${setting}`,
      );
    await set(router, "ipv6/conf/all/disable_ipv6", 1);
    await set(router, "ipv4/ip_forward", 1);
    for (const [i, [name, { host, reaches }]] of plans.entries()) {
      const space = `${this.#prefix}${name}`;
      await ip("netns", "add", space);
      await set(space, "ipv6/conf/all/disable_ipv6", 1);
      const wire = ["link", "add", `wire${i}`, "netns", router];
      await ip(...wire, "type", "veth", "peer", "eth0", "netns", space);
      const gateway = host.replace(/\d+$/, (last) => `${Number(last) - 1}`);
      await ip("-n", router, "addr", "add", `${gateway}/30`, "dev", `wire${i}`);
      await ip("-n", router, "link", "set", `wire${i}`, "up");
      await ip("-n", space, "addr", "add", `${host}/30`, "dev", "eth0");
      await ip("-n", space, "link", "set", "eth0", "up");
      await ip("-n", space, "link", "set", "lo", "up");
      for (const network of reaches) {
        await ip("-n", space, "route", "add", network, "via", gateway);
      }
      this.#machines.set(name, {
        host,
        enter: ["ip", "netns", "exec", space],
      });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const name of await namespacesNow()) {
      if (name.startsWith(this.#prefix)) await remove(name);
    }
  }
}

/** Why there can be no namespaces on this machine, or undefined; then tests with them are ignored. */
export const namespacesMissing: string | undefined = await (async () => {
  if (Deno.build.os !== "linux") return "only Linux has them";
  try {
    const plan = { host: "10.1.0.2", reaches: ["10.0.0.0/8"] };
    await using _ = await Namespaces.make({ probe: plan });
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
})();

/** What runs of the tests have left that were killed. */
async function removeLeftovers(): Promise<void> {
  for (const name of await namespacesNow()) {
    const owner = NAME.exec(name)?.[1];
    if (owner === undefined) continue;
    // Read by another program: tests may not look into /proc themselves.
    const { success: lives } = await new Deno.Command("test", {
      args: ["-d", `/proc/${owner}`],
    }).output();
    if (!lives) await remove(name).catch(() => {});
  }
}

async function remove(name: string): Promise<void> {
  for (const pid of (await ip("netns", "pids", name)).split(/\s+/)) {
    if (pid === "") continue;
    try {
      Deno.kill(Number(pid), "SIGKILL");
    } catch {
      // It has ended meanwhile.
    }
  }
  await ip("netns", "del", name);
}

async function namespacesNow(): Promise<string[]> {
  const listed = await ip("netns", "list");
  return listed.split("\n").map((line) => line.split(" ")[0]!)
    .filter((name) => NAME.test(name));
}

async function ip(...args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command("ip", {
    args,
    stdin: "null",
  }).output();
  const text = new TextDecoder();
  if (success) return text.decode(stdout);
  throw new Error(`ip ${args.join(" ")}: ${text.decode(stderr).trim()}`);
}

function randomName(): string {
  return crypto.getRandomValues(new Uint8Array(4)).toHex();
}
