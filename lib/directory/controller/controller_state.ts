import type { Bytes } from "../../protocol/mod.ts";
import { concat } from "../../protocol/mod.ts";
import type { Standing } from "../agreement/standing.ts";
import { encodeStanding, parseStanding } from "../agreement/standing.ts";
import type { Consensus } from "../consensus.ts";
import { parseConsensus } from "../consensus.ts";
import { descriptorsOf } from "../consensus_body.ts";
import type { ConsensusHeader } from "../consensus_header.ts";
import { encodeHeader, HEADER_BYTES } from "../consensus_header.ts";
import { readDurable, replaceDurable } from "../durable_file.ts";
import type { Network } from "../network.ts";
import { HeaderLog } from "./header_log.ts";

/** The state of a controller cannot be used. */
export class ControllerStateError extends Error {
  /** The name of this class. */
  override readonly name = "ControllerStateError";
  /** Stable, for programs. */
  readonly code = "ERR_CONTROLLER_STATE";
}

/**
 * What a controller has from start to start, in a directory of its own: `head`, the newest consensus;
 * `headers`, the chain that leads to it; `standing`, what it has bound itself to at the height behind
 * the head. Only one process at a time has it.
 */
export class ControllerState {
  readonly #directory: string;
  readonly #lock: Deno.FsFile;
  readonly #headers: HeaderLog;
  #head: Consensus | undefined;
  #standing: Standing | undefined;

  private constructor(
    directory: string,
    lock: Deno.FsFile,
    head: Consensus | undefined,
    headers: HeaderLog,
    standing: Standing | undefined,
  ) {
    this.#directory = directory;
    this.#lock = lock;
    this.#head = head;
    this.#headers = headers;
    this.#standing = standing;
  }

  /**
   * Opens what lies in `directory`, which is made if it is missing.
   *
   * @throws {ControllerStateError} if another process has it, or it is damaged.
   */
  static async open(
    directory: string,
    network: Network,
  ): Promise<ControllerState> {
    await Deno.mkdir(directory, { recursive: true, mode: 0o700 });
    const lock = await Deno.open(`${directory}/lock`, {
      create: true,
      write: true,
      mode: 0o600,
    });
    try {
      if (!await lock.tryLock(true)) {
        throw damaged(directory, "another process uses it");
      }
      const head = await readHead(directory, network);
      const file = await readDurable(`${directory}/headers`);
      const headers = head === undefined
        ? new HeaderLog()
        : await HeaderLog.read(file ?? new Uint8Array(0), head);
      const standing = await readStanding(directory, head);
      return new ControllerState(directory, lock, head, headers, standing);
    } catch (error) {
      lock.close();
      throw error;
    }
  }

  /** The newest consensus. */
  get head(): Consensus | undefined {
    return this.#head;
  }

  /** What the controller has bound itself to, as it was kept last. */
  get standing(): Standing | undefined {
    return this.#standing;
  }

  /** As `HeaderLog.slice`. */
  headers(first: number, count: number): Bytes | undefined {
    return this.#headers.slice(first, count);
  }

  /** Puts on disk what the controller binds itself to; once this has resolved it may say so. */
  async keep(standing: Standing): Promise<void> {
    const path = `${this.#directory}/standing`;
    await replaceDurable(path, encodeStanding(standing));
    this.#standing = standing;
  }

  /**
   * Puts the next consensus on disk.
   *
   * @param between the headers of the heights between the head so far and it.
   */
  async advance(
    consensus: Consensus,
    between: readonly ConsensusHeader[] = [],
  ): Promise<void> {
    const added = [...between, consensus];
    // The headers first: what stands behind the head is left out when they are read.
    await this.#appendHeaders(concat(...added.map(encodeHeader)));
    await replaceDurable(`${this.#directory}/head`, consensus.bytes);
    for (const each of added) this.#headers.append(each);
    this.#head = consensus;
  }

  /** Lets another process have it. */
  close(): void {
    this.#lock.close();
  }

  async #appendHeaders(added: Bytes): Promise<void> {
    const path = `${this.#directory}/headers`;
    const { size } = await Deno.stat(path).catch(() => ({ size: 0 }));
    // Anything but the log as it is here: written anew, as after a crash or when the oldest were left out.
    if (size !== this.#headers.count * HEADER_BYTES) {
      return await replaceDurable(path, concat(this.#headers.bytes, added));
    }
    using file = await Deno.open(path, {
      create: true,
      append: true,
      mode: 0o600,
    });
    for (let at = 0; at < added.length;) {
      at += await file.write(added.subarray(at));
    }
    await file.sync();
  }
}

async function readHead(
  directory: string,
  network: Network,
): Promise<Consensus | undefined> {
  const bytes = await readDurable(`${directory}/head`);
  if (bytes === undefined) return undefined;
  try {
    return await parseConsensus(bytes, network);
  } catch (cause) {
    throw damaged(
      directory,
      "its consensus is damaged, or one of other controllers",
      cause,
    );
  }
}

async function readStanding(
  directory: string,
  head: Consensus | undefined,
): Promise<Standing | undefined> {
  const bytes = await readDurable(`${directory}/standing`);
  if (bytes === undefined) return undefined;
  try {
    return await parseStanding(bytes, head && descriptorsOf(head));
  } catch (cause) {
    throw damaged(directory, "what was promised there is damaged", cause);
  }
}

function damaged(
  directory: string,
  seen: string,
  cause?: unknown,
): ControllerStateError {
  return new ControllerStateError(
    `Cannot use the controller's state in ${directory}: ${seen}`,
    cause === undefined ? undefined : { cause },
  );
}
