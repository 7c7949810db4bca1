import { parseServerAddress } from "../../../lib/identity/mod.ts";
import type { RoundCounts } from "../../../lib/mix/mod.ts";
import type { Lab } from "../../../lib/lab/mod.ts";
import { Caller } from "../../../lib/protocol/mod.ts";

/** What a crowd has told last. */
export interface CrowdNews {
  readonly joined: number;
  readonly gone: number;
  readonly refused: number;
  readonly exchange: RoundCounts;
  readonly dialing: RoundCounts;
  /** By the starts of exchange rounds. */
  readonly rounds: Readonly<Record<string, RoundCounts>>;
}

/** Simulated clients in the rounds of a lab's server, in a process of their own. */
export class CrowdProcess {
  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #reading: Promise<void>;
  /** Every exchange round that it was in, as it was told of last. */
  readonly rounds = new Map<number, RoundCounts>();
  #latest: CrowdNews | undefined;

  private constructor(child: Deno.ChildProcess) {
    this.#child = child;
    this.#input = child.stdin.getWriter();
    this.#reading = this.#read();
  }

  /** Starts so many of them. */
  static async start(lab: Lab, size: number): Promise<CrowdProcess> {
    const { host: hostname, port } = parseServerAddress(lab.server!);
    const connection = await Deno.connect({ hostname, port });
    const certificate = await new Caller(connection).publicKey();
    connection.close();
    const { relays } = await lab.consensus();
    const script = "../../lab/crowd/crowd_process.ts";
    const child = new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "--quiet", "--cached-only", "--allow-net"],
        new URL(script, import.meta.url).pathname,
      ],
      env: { DENO_NO_UPDATE_CHECK: "1" },
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    const crowd = new CrowdProcess(child);
    const config = {
      ...{ hostname, port, size },
      server: certificate.toHex(),
      mixes: relays.map(({ descriptor }) => descriptor.identity.bytes.toHex()),
    };
    const line = new TextEncoder().encode(`${JSON.stringify(config)}\n`);
    await crowd.#input.write(line);
    return crowd;
  }

  /** What it has told last. */
  get latest(): CrowdNews {
    if (this.#latest === undefined) throw new Error("It has told nothing");
    return this.#latest;
  }

  /** They all leave. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#input.close().catch(() => {}); // it may be gone
    await this.#child.status;
    await this.#reading;
  }

  async #read(): Promise<void> {
    const decoder = new TextDecoder();
    let open = "";
    for await (const bytes of this.#child.stdout) {
      const lines = (open + decoder.decode(bytes, { stream: true }))
        .split("\n");
      open = lines.pop()!;
      for (const line of lines) {
        const news: CrowdNews = JSON.parse(line);
        for (const [start, round] of Object.entries(news.rounds)) {
          this.rounds.set(Number(start), round);
        }
        this.#latest = news;
      }
    }
  }
}
