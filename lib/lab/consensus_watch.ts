import type { Consensus, Network } from "../directory/mod.ts";
import { Directory } from "../directory/mod.ts";
import { dial } from "../net/mod.ts";
import type { Bytes } from "../protocol/mod.ts";
import type { Crew } from "./crew.ts";
import { LabError } from "./lab_error.ts";
import type { LabErrorCode } from "./lab_error.ts";
import type { Member } from "./member.ts";

/** What controllers say when there is a consensus. */
const CONSENSUS = / consensus height=/;

/** Which relays there are, as any client of the lab's controllers sees it. */
export class ConsensusWatch {
  readonly #crew: Crew;
  readonly #directory: Directory;

  private constructor(crew: Crew, directory: Directory) {
    this.#crew = crew;
    this.#directory = directory;
  }

  /** `now` gives milliseconds since 1970. */
  static async open(
    crew: Crew,
    network: Network,
    now: () => number,
  ): Promise<ConsensusWatch> {
    let copy: Bytes | undefined;
    const directory = await Directory.open({
      network,
      dial: ({ host, port }, signal) => dial({ hostname: host, port, signal }),
      cache: {
        read: () => Promise.resolve(copy),
        write: (bytes) => Promise.resolve(void (copy = bytes)),
      },
      now,
    });
    return new ConsensusWatch(crew, directory);
  }

  /** The newest one, from any controller that answers. At most one a second is asked for. */
  async newest(): Promise<Consensus> {
    return await this.#directory.refresh();
  }

  /**
   * Waits for one of which `condition` is true. It is looked at whenever a controller says that there
   * is a new one.
   *
   * @throws {LabError} `ERR_LAB_LATE` if there is none in `patience` milliseconds; `ERR_LAB_ENDED` if
   * no controller runs any more.
   */
  async until(
    condition: (consensus: Consensus) => boolean,
    patience: number,
  ): Promise<Consensus> {
    const late = Promise.withResolvers<LabErrorCode>();
    const timer = setTimeout(() => late.resolve("ERR_LAB_LATE"), patience);
    let end: LabErrorCode | undefined;
    try {
      while (end === undefined) {
        const controllers = this.#controllers;
        const next = controllers.map(({ output }) =>
          output.next(CONSENSUS).then(() => undefined)
        );
        const over = Promise.all(controllers.map(({ ended }) => ended))
          .then((): LabErrorCode => "ERR_LAB_ENDED");
        const consensus = await this.newest().catch(() => undefined);
        if (consensus !== undefined && condition(consensus)) return consensus;
        end = await Promise.race([...next, over, late.promise]);
      }
    } finally {
      clearTimeout(timer);
    }
    const seen = end === "ERR_LAB_LATE"
      ? `none in ${patience} ms`
      : "no controller runs any more";
    throw new LabError(
      end,
      `Cannot find the consensus that is waited for: ${seen}`,
      {
        logs: new Map(this.#controllers.map(({ name, tail }) => [name, tail])),
      },
    );
  }

  /** Asks no more. */
  close(): void {
    this.#directory.close();
  }

  get #controllers(): Member[] {
    return [...this.#crew.members.values()]
      .filter(({ name }) => name.startsWith("controller-"));
  }
}
