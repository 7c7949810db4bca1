import type { Bytes } from "../../protocol/mod.ts";
import { MixError } from "../mix_error.ts";
import type {
  EngineOpened,
  EngineRound,
  EngineRun,
  LayerEngine,
  RoundKeys,
} from "./layer_engine.ts";
import { LAYER_THREAD } from "./thread_module.ts";
import type { ThreadAnswer, ThreadRequest } from "./thread_messages.ts";

/** Whoever waits for an answer. */
interface Waiting {
  readonly resolve: (result: ThreadAnswer["result"]) => void;
  readonly reject: (error: MixError) => void;
}

/**
 * An engine in a thread of its own (a Worker): what it costs to call WebCrypto is paid there. The thread is
 * there from the first run on until the last one is erased. If it breaks down before, the rounds of its
 * runs fail, and the next run gets another thread.
 */
export class ThreadEngine implements LayerEngine {
  #thread: Thread | undefined;
  /** Runs and rounds so far: their numbers. */
  #begun = 0;

  begin(): EngineRun {
    if (this.#thread?.isGone !== false) this.#thread = new Thread();
    const thread = this.#thread;
    const run = ++this.#begun;
    thread.beginRun(run);
    return {
      begin: (keys) => this.#round(thread, run, keys),
      erase: () => thread.eraseRun(run),
    };
  }

  #round(thread: Thread, run: number, keys: RoundKeys): EngineRound {
    const round = ++this.#begun;
    thread.tell({ verb: "begin round", run, round, keys });
    return {
      open: (onions) => {
        const request = { verb: "open", round, onions } as const;
        return thread.ask<EngineOpened>(request, onions);
      },
      seal: (first, count, replies) => {
        const request = { verb: "seal", round, first, count, replies } as const;
        return thread.ask<Bytes>(request, replies);
      },
      erase: async () => {
        // A thread that is gone has forgotten all.
        await thread.ask({ verb: "erase round", round }).catch(() => {});
      },
    };
  }
}

/** One thread, and who waits for its answers. It ends with the last of its runs. */
class Thread {
  readonly #worker: Worker;
  readonly #runs = new Set<number>();
  readonly #waiting = new Map<number, Waiting>();
  #calls = 0;
  #isGone = false;

  constructor() {
    this.#worker = new Worker(LAYER_THREAD, { type: "module" });
    this.#worker.onmessage = ({ data }: MessageEvent<ThreadAnswer>) => {
      this.#waiting.get(data.call)?.resolve(data.result);
      this.#waiting.delete(data.call);
    };
    this.#worker.onerror = (event) => {
      // Nobody but those who wait for it has to know.
      event.preventDefault();
      this.#end();
    };
  }

  get isGone(): boolean {
    return this.#isGone;
  }

  beginRun(run: number): void {
    this.#runs.add(run);
    this.tell({ verb: "begin run", run });
  }

  eraseRun(run: number): void {
    if (!this.#runs.delete(run)) return;
    if (this.#runs.size === 0) this.#end();
    else this.tell({ verb: "erase run", run });
  }

  /** Has it do something that is not waited for. */
  tell(request: ThreadRequest): void {
    this.ask(request).catch(() => {/* what comes behind it fails, too */});
  }

  /**
   * Has it do something.
   *
   * @param moved bytes of the request that are given away.
   */
  ask<T extends ThreadAnswer["result"]>(
    request: ThreadRequest,
    moved?: Bytes,
  ): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<
      ThreadAnswer["result"]
    >();
    if (this.#isGone) {
      reject(threadGone());
    } else {
      const call = ++this.#calls;
      this.#waiting.set(call, { resolve, reject });
      const transfer = moved === undefined ? [] : [moved.buffer];
      this.#worker.postMessage({ call, request }, transfer);
    }
    return promise as Promise<T>;
  }

  #end(): void {
    this.#isGone = true;
    this.#worker.terminate();
    for (const { reject } of this.#waiting.values()) reject(threadGone());
    this.#waiting.clear();
  }
}

function threadGone(): MixError {
  return new MixError(
    "ERR_MIX_GONE",
    "Cannot work on a round: the thread that did has ended",
  );
}
