import { assert, assertEquals } from "@std/assert";
import { PIECE_BYTES } from "../../lib/transfer/pieces.ts";
import { Background } from "../support/background.ts";
import { sourceProgram } from "../support/program.ts";
import { Network, sleep } from "./network.ts";
import type { Running } from "./network.ts";
import { TransferProxy } from "./transfer_proxy.ts";

/** Kills in one run; the long run is SOTTO_KILLS=50. */
const KILLS = Number(Deno.env.get("SOTTO_KILLS") ?? "6");
/** What is killed, and roughly when. A failure tells it. */
const SEED = Number(Deno.env.get("SOTTO_SEED") ?? String(Date.now() % 1e9));
/** Bytes of one transfer, and how many of them may pass a second. */
const SIZE = 40 * 2 ** 20;
const RATE = "10M";
const HASH_BYTES = 32;
/** Pieces that a sender may have under way without an answer. */
const WINDOW = 32;
/** For one transfer, in milliseconds. */
const PATIENCE = 120_000;

/**
 * What a command says last. That the files are not at the server any more it says if it was killed
 * between the last answer and the end, and all was fetched before it came back.
 */
const LAST_WORDS = /^(sent|fetched)(, digest .*)?$|not at the server any more/m;

/** Who dies at a moment; the client is the sender or the recipient. */
const VICTIMS = [
  ["pusher"],
  ["puller"],
  ["server"],
  ["pusher", "server"],
  ["puller", "server"],
  ["pusher", "puller", "server"],
] as const;

/** Numbers from 0 to below 1 that a seed repeats (mulberry32). */
function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A command that is started again as it was whenever it was killed. */
class Command {
  readonly #home: string;
  readonly #args: readonly string[];
  #process: Background | undefined;
  #done: Promise<void> = Promise.resolve();
  #failure: Error | undefined;
  /** Whether it has ended by itself, as it should. */
  over = false;

  constructor(home: string, args: readonly string[]) {
    this.#home = home;
    this.#args = args;
  }

  async start(): Promise<void> {
    const { command: [program = "", ...before], env } = await sourceProgram();
    const process = new Background(program, {
      args: [...before, ...this.#args],
      env: { ...env, SOTTO_HOME: this.#home },
    });
    this.#process = process;
    this.#done = this.#follow(process);
    this.#done.catch((error) => this.#failure = error);
  }

  /** Starts it again, unless it has done all. */
  async again(): Promise<void> {
    if (!this.over) await this.start();
  }

  async #follow(process: Background): Promise<void> {
    const { code, stderr } = await process.ending();
    if (this.#process !== process) return; // It was killed.
    const said = new TextDecoder().decode(stderr);
    if (code !== 0 && !LAST_WORDS.test(said)) {
      throw new Error(`${this.#args.join(" ")}: ${said}`);
    }
    this.over = true;
  }

  async kill(): Promise<void> {
    const process = this.#process;
    if (process === undefined) return;
    this.#process = undefined;
    process.kill();
    await this.#done;
    // It had nothing left to do but to end: the same command again would be a new one.
    const said = new TextDecoder().decode(process.output.stderr);
    this.over ||= LAST_WORDS.test(said);
  }

  async finished(): Promise<void> {
    const end = performance.now() + PATIENCE;
    while (!this.over) {
      if (performance.now() > end) {
        const { stderr } = this.#process!.output;
        throw new Error(
          `${this.#args[1]} does not end: ${new TextDecoder().decode(stderr)}`,
        );
      }
      if (this.#failure !== undefined) throw this.#failure;
      await sleep(50);
    }
  }
}

/** What is on the server's disk and was, or could have been, confirmed: SHA-256 of pieces in hex. */
async function confirmed(spool: string): Promise<Set<string>> {
  const hashes = new Set<string>();
  for await (const { name } of Deno.readDir(spool)) {
    if (!name.endsWith(".map")) continue;
    const map = await Deno.readFile(`${spool}/${name}`).catch(() => undefined);
    for (let at = 0; at + HASH_BYTES <= (map?.length ?? 0); at += HASH_BYTES) {
      hashes.add(map!.subarray(at, at + HASH_BYTES).toHex());
    }
  }
  return hashes;
}

/** A directory of a large file and others around it, filled with noise. */
async function makeFiles(path: string): Promise<void> {
  await Deno.mkdir(`${path}/below/empty`, { recursive: true });
  const sizes: [string, number][] = [
    ["large", SIZE],
    ["below/small", 1_000],
    ["below/none", 0],
    ["between", PIECE_BYTES + 1],
  ];
  for (const [name, size] of sizes) {
    const bytes = new Uint8Array(size);
    for (let at = 0; at < size; at += 65_536) {
      crypto.getRandomValues(bytes.subarray(at, at + 65_536));
    }
    await Deno.writeFile(`${path}/${name}`, bytes);
  }
}

/** Throws if the two trees differ. */
async function compare(one: string, other: string): Promise<void> {
  const { code, stdout } = await new Deno.Command("diff", {
    args: ["-r", one, other],
  }).output();
  assertEquals([code, new TextDecoder().decode(stdout)], [0, ""]);
}

Deno.test({
  name:
    `S0.9: pusher, puller, server or several are killed ${KILLS} times at random, and the same commands end with the same bytes; no piece that was confirmed is sent again`,
  fn: async () => {
    const random = randomOf(SEED);
    await using network = await Network.make();
    await using proxy = new TransferProxy(network.port);
    let server: Running | undefined;
    const commands: Command[] = [];
    try {
      server = await network.server();
      await network.register("alice", proxy.port);
      await network.register("bob");
      let kills = 0;
      let sentAgain = 0;
      let recognized = 0;
      for (let round = 1; kills < KILLS; round++) {
        const { directory } = network;
        const name = `files-${round}`;
        await makeFiles(`${directory}/${name}`);
        await Deno.mkdir(`${directory}/to-${round}`);
        const pusher = new Command(`${directory}/alice`, [
          ...["client", "push", "bob@local", `${directory}/${name}`],
          ...["--limit-rate", RATE],
        ]);
        const puller = new Command(`${directory}/bob`, [
          ...["client", "pull", "alice@local", "--yes", "--wait", "1m"],
          ...["--to", `${directory}/to-${round}`, "--limit-rate", RATE],
        ]);
        commands.push(pusher, puller);
        const before = proxy.seen.length;
        /** What must not come again on a connection that is opened later. */
        const checks: { at: number; there: Set<string> }[] = [];
        let interruptions = 0;
        await pusher.start();
        await puller.start();
        await sleep(1_500);
        while (kills < KILLS && !(pusher.over && puller.over)) {
          await sleep(random() * 2_000);
          const victims = VICTIMS[Math.floor(random() * VICTIMS.length)]!;
          const dying = victims.filter((victim) =>
            victim === "server" ||
            !(victim === "pusher" ? pusher : puller).over
          );
          if (dying.length === 0) continue;
          kills++;
          interruptions++;
          await Promise.all(dying.map((victim) => {
            if (victim === "pusher") return pusher.kill();
            if (victim === "puller") return puller.kill();
            return server!.kill();
          }));
          const there = await confirmed(`${directory}/server/spool`);
          const at = performance.now();
          await sleep(random() * 300);
          // Killed when nothing but the files themselves was left, but before it had said so.
          const placed = await listOf(`${directory}/to-${round}`);
          puller.over ||= dying.includes("puller") &&
            placed.length === 1 && placed[0] === name;
          for (const victim of dying) {
            if (victim === "server") server = await network.server();
            else if (victim === "pusher") await pusher.again();
            else await puller.again();
          }
          checks.push({ at, there });
        }
        await Promise.all([pusher.finished(), puller.finished()]);
        await compare(
          `${directory}/${name}`,
          `${directory}/to-${round}/${name}`,
        );
        assertEquals(await listOf(`${directory}/to-${round}`), [name]);
        const seen = proxy.seen.slice(before);
        for (const { at, there } of checks) {
          const again = seen.filter(({ openedAt }) => openedAt > at)
            .flatMap(({ pieces }) => pieces.filter((each) => there.has(each)));
          assertEquals(again, [], "confirmed, and sent again");
          const before = seen.flatMap(({ pieces }) => pieces);
          recognized += before.filter((each) => there.has(each)).length;
        }
        const bytes = seen.reduce((sum, each) => sum + each.bytes, 0);
        const least = SIZE + 2 * PIECE_BYTES;
        assert(bytes >= SIZE, "the proxy has not seen it all");
        assert(
          bytes <= least + (interruptions * WINDOW + 1) * PIECE_BYTES,
          `${bytes} bytes for ${interruptions} interruptions`,
        );
        sentAgain += bytes - SIZE;
        await Deno.remove(`${directory}/${name}`, { recursive: true });
        await Deno.remove(`${directory}/to-${round}`, { recursive: true });
      }
      // The server cleans up behind its answer.
      const spool = `${network.directory}/server/spool`;
      for (let wait = 0; wait < 100; wait++) {
        if ((await listOf(spool)).length === 0) break;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      assertEquals(await listOf(spool), []);
      // Otherwise nothing was killed in the middle, or what was sent is not what was looked at.
      assert(sentAgain > 0 && recognized > KILLS);
    } catch (error) {
      throw new Error(`It went wrong with the seed ${SEED}`, { cause: error });
    } finally {
      for (const command of commands) await command.kill().catch(() => {});
      await server?.kill();
    }
  },
});

async function listOf(directory: string): Promise<string[]> {
  const names = [];
  for await (const { name } of Deno.readDir(directory)) names.push(name);
  return names;
}
