import type { EngineRound, EngineRun } from "./layer_engine.ts";
import { LocalEngine } from "./local_engine.ts";
import type { ThreadAnswer, ThreadRequest } from "./thread_messages.ts";

/** The inside of an engine's thread: does what a `ThreadEngine` asks for, with an engine of its own. */
export class LayerThread {
  readonly #engine = new LocalEngine();
  readonly #runs = new Map<number, EngineRun>();
  readonly #rounds = new Map<number, EngineRound>();

  /** Resolves with what is to be answered; begins before it returns, so that the order of requests holds. */
  async handle(request: ThreadRequest): Promise<ThreadAnswer["result"]> {
    switch (request.verb) {
      case "begin run":
        this.#runs.set(request.run, this.#engine.begin());
        return undefined;
      case "erase run":
        this.#runs.get(request.run)!.erase();
        this.#runs.delete(request.run);
        return undefined;
      case "begin round": {
        const run = this.#runs.get(request.run)!;
        this.#rounds.set(request.round, run.begin(request.keys));
        return undefined;
      }
      case "open":
        return await this.#round(request).open(request.onions);
      case "seal":
        return await this.#round(request).seal(
          request.first,
          request.count,
          request.replies,
        );
      case "erase round": {
        // Of what is erased twice there is nothing left.
        const round = this.#rounds.get(request.round);
        this.#rounds.delete(request.round);
        await round?.erase();
        return undefined;
      }
    }
  }

  #round({ round }: { readonly round: number }): EngineRound {
    return this.#rounds.get(round)!;
  }
}
