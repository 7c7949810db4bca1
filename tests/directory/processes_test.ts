import { assert, assertEquals } from "@std/assert";
import {
  consensusFile,
  Directory,
  networkOf,
  Registration,
  signDescriptor,
} from "../../lib/directory/mod.ts";
import type { Network } from "../../lib/directory/mod.ts";
import { parseServerAddress } from "../../lib/identity/mod.ts";
import { DEFAULT_LISTENER_LIMITS, listen } from "../../lib/net/mod.ts";
import { answer, receiveAll } from "../../lib/protocol/mod.ts";
import { Background } from "../support/background.ts";
import { freshNodeKeyring } from "../support/keyrings.ts";
import { sourceProgram } from "../support/program.ts";
import { fields } from "./relays.ts";
import { dialTcp } from "./tcp_network.ts";

const COUNT = 3;

/** Controllers as real processes, each in a directory of its own, and one relay in this one. */
class Processes {
  readonly folder: string;
  readonly addresses: string[] = [];
  readonly running: (Background | undefined)[] = [];

  constructor(folder: string) {
    this.folder = folder;
  }

  get network(): Network {
    return networkOf(this.addresses.map(parseServerAddress));
  }

  /** Makes keys and takes ports that are free. */
  async prepare(): Promise<void> {
    for (let i = 0; i < COUNT; i++) {
      const made = await (await this.#sotto([
        "keygen",
        "node",
        "--out",
        `${this.folder}/${i}.key`,
        "--secret-file",
        `${this.folder}/${i}.secret`,
        "--json",
      ])).ending();
      const { fingerprint } = JSON.parse(new TextDecoder().decode(made.stdout));
      const free = Deno.listen({ hostname: "127.0.0.1", port: 0 });
      const { port } = free.addr as Deno.NetAddr;
      free.close();
      this.addresses.push(`sotto://${fingerprint}@127.0.0.1:${port}`);
    }
  }

  async start(i: number): Promise<void> {
    const place = this.addresses[i]!.split("@")[1]!;
    const child = await this.#sotto([
      "controller",
      ...["--listen", place, "--data", `${this.folder}/${i}`],
      ...["--key", `${this.folder}/${i}.key`],
      ...["--secret-file", `${this.folder}/${i}.secret`],
      ...["--interval", "1s", "--allow-private", "--alive-every", "200ms"],
      ...this.addresses.flatMap((each) => ["--peer", each]),
    ]);
    await child.address(20_000);
    this.running[i] = child;
  }

  async kill(i: number): Promise<void> {
    await this.running[i]?.stop("SIGKILL");
    this.running[i] = undefined;
  }

  async #sotto(args: readonly string[]): Promise<Background> {
    const { command, env } = await sourceProgram();
    const [program, ...rest] = command;
    return new Background(program!, {
      args: [...rest, ...args],
      env: { ...env, SOTTO_HOME: this.folder },
    });
  }
}

Deno.test("S4.1: controllers as processes, killed at random: clients see one chain, and the relay stays in it", async () => {
  const folder = await Deno.makeTempDir();
  const processes = new Processes(folder);
  const keyring = await freshNodeKeyring();
  const relay = listen(
    { hostname: "127.0.0.1", port: 0 },
    DEFAULT_LISTENER_LIMITS,
    async (incoming) => {
      const channel = await answer(incoming, {
        static: keyring.dh,
        certificate: keyring.certificate.bytes,
      });
      if (channel !== undefined) await receiveAll(channel);
    },
    () => {},
  );
  let registration: Registration | undefined;
  let directory: Directory | undefined;
  try {
    await processes.prepare();
    await Promise.all([0, 1, 2].map((i) => processes.start(i)));
    registration = new Registration({
      network: processes.network,
      keyring,
      dial: dialTcp,
      describe: (host) =>
        signDescriptor(
          fields({
            address: { host, port: relay.port },
            publishedAt: Math.floor(Date.now() / 1_000),
          }),
          keyring,
        ),
    });
    const failures: unknown[] = [];
    directory = await Directory.open({
      network: processes.network,
      dial: dialTcp,
      cache: consensusFile(`${folder}/copy`),
      now: Date.now,
      failed: (error) => failures.push(error),
    });
    /** Refreshes until the chain is so high, and the relay in it; a fork would throw. */
    const reach = async (height: number) => {
      const end = performance.now() + 30_000;
      while (performance.now() < end) {
        const seen = await directory!.refresh().catch((error) => {
          if (error?.code === "ERR_CONSENSUS_FORKED") throw error;
        });
        if (seen && seen.height >= height && seen.relays.length === 1) {
          return seen.height;
        }
      }
      throw new Error(`height ${height} was not reached: ${failures.at(-1)}`);
    };
    let height = await reach(1);
    for (let round = 0; round < 4; round++) {
      const victim = Math.floor(Math.random() * COUNT);
      await new Promise((done) => setTimeout(done, Math.random() * 700));
      await processes.kill(victim);
      height = await reach(height + 2);
      await processes.start(victim);
    }
    const { signers } = directory.current!;
    assert(signers.length >= 2);
    // What each has on its disk is the same chain.
    for (let i = 0; i < COUNT; i++) await processes.kill(i);
    const chains = await Promise.all(
      [0, 1, 2].map((i) => Deno.readFile(`${folder}/${i}/chain/headers`)),
    );
    const shared = Math.min(...chains.map(({ length }) => length)) - 97 * 2;
    assert(shared > 97 * 4, `${shared} bytes`);
    for (const chain of chains) {
      assertEquals(
        chain.subarray(0, shared),
        chains[0]!.subarray(0, shared),
      );
    }
  } finally {
    directory?.close();
    await registration?.close();
    await relay.close();
    for (let i = 0; i < COUNT; i++) await processes.kill(i);
    await Deno.remove(folder, { recursive: true });
  }
});
