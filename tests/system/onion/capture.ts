import type { Background } from "../../support/background.ts";
import type { Machine } from "./machine.ts";
import { missingProgram } from "./test_unless.ts";
import { startOn } from "./node_process.ts";
import type { TcpSegment } from "./pcap.ts";
import { parsePcap } from "./pcap.ts";

const PATIENCE_MS = 60_000;

/** All that passes the network interface of a machine, as tcpdump sees it. */
export class Capture implements AsyncDisposable {
  readonly #path: string;
  readonly #process: Background;

  private constructor(path: string, process: Background) {
    this.#path = path;
    this.#process = process;
  }

  /** Watches from when it resolves. */
  static async start(machine: Machine): Promise<Capture> {
    const path = await Deno.makeTempFile({ prefix: "sotto-capture-" });
    const process = startOn(machine, [
      // Otherwise it becomes somebody who may not write to a file of ours.
      ...["tcpdump", "-Z", "root", "--interface", "eth0", "-U", "-w", path],
      ...["--immediate-mode", "--buffer-size", "65536"],
    ]);
    await process.waitFor(/listening on eth0/, PATIENCE_MS);
    return new Capture(path, process);
  }

  /**
   * Ends it.
   *
   * @throws {Error} if it has not seen all.
   */
  async stop(): Promise<Captured> {
    const { stderr } = await this.#process.stop("SIGINT");
    const said = new TextDecoder().decode(stderr);
    const dropped = /(\d+) packets? dropped by kernel/.exec(said)?.[1];
    if (dropped !== "0") throw new Error(`tcpdump has not seen all: ${said}`);
    const bytes = await Deno.readFile(this.#path);
    return { bytes, segments: parsePcap(bytes) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill();
    await this.#process.ending();
    await Deno.remove(this.#path);
  }
}

/** What a capture holds. */
export interface Captured {
  /** The file. */
  readonly bytes: Uint8Array;
  readonly segments: readonly TcpSegment[];
}

/** The addresses that a machine speaks with, sorted. */
export function peersOf({ segments }: Captured, { host }: Machine): string[] {
  const peers = new Set<string>();
  for (const { from, to } of segments) peers.add(from.host).add(to.host);
  peers.delete(host);
  return [...peers].sort();
}

/** Why nothing can be captured here, or undefined. */
export const tcpdumpMissing: string | undefined = await missingProgram(
  "tcpdump",
);
