import type { RoundsQuestion } from "./mix_entry_process.ts";
import { cpuSeconds } from "./process_cost.ts";
import { numberOf, Subprocess } from "./subprocess.ts";
import type { Json } from "./subprocess.ts";

/** Mixes in a chain: that of the server, and two more. */
export const MIXES = 3;

/** Processes of a chain: the server with the first mix, and the mixes behind it. */
export class MixNetwork implements AsyncDisposable {
  readonly entry: Subprocess;
  readonly hosts: readonly Subprocess[];
  #port = 0;

  private constructor(entry: Subprocess, hosts: readonly Subprocess[]) {
    this.entry = entry;
    this.hosts = hosts;
  }

  /** Starts them; `directory` is for the server. */
  static async start(directory: string): Promise<MixNetwork> {
    const hosts = await Promise.all(
      Array.from(
        { length: MIXES - 1 },
        () => Subprocess.start("mix_host_process.ts"),
      ),
    );
    const entry = await Subprocess.start("mix_entry_process.ts", [
      directory,
      JSON.stringify(hosts.map(({ greeting }) => greeting)),
    ]);
    return new MixNetwork(entry, hosts);
  }

  /** Clients can come. */
  async open(rounds: Omit<RoundsQuestion, "ask">): Promise<void> {
    const { mean, scale } = rounds.noise;
    for (const host of this.hosts) {
      await host.ask({ ask: "noise", mean, scale });
    }
    this.#port = numberOf(
      await this.entry.ask({ ask: "open", ...rounds }),
      "port",
    );
  }

  /** What clients must know. */
  get said(): Json {
    return {
      entry: { ...this.entry.greeting, port: this.#port },
      mixes: this.hosts.map(({ greeting }) => greeting),
    };
  }

  /** Processor time of the server and of the mixes behind it so far, in seconds. */
  cpu(): number[] {
    return [this.entry, ...this.hosts].map(({ pid }) => cpuSeconds(pid));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.entry[Symbol.asyncDispose]();
    for (const host of this.hosts) await host[Symbol.asyncDispose]();
  }
}
