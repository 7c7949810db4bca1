import type {
  Bytes,
  CommandChannel,
  Message,
  Verb,
} from "../../protocol/mod.ts";
import { MixError } from "../mix_error.ts";
import type { MixTimers } from "../mix_timers.ts";
import { roundName } from "../round.ts";
import type { RoundId } from "../round.ts";
import { BatchInput } from "./batch_input.ts";
import type { Due } from "./chain_view.ts";

/** After so long without an answer a mix is given up, in milliseconds. Its coordinator gives up earlier. */
const PATIENCE = 60_000;

interface Pending {
  /** The verb of the answer; `undefined` if that is a batch. */
  readonly verb: Verb | undefined;
  readonly due: Due | undefined;
  readonly resolve: (answer: Message | Bytes) => void;
  readonly reject: (error: MixError) => void;
  input: BatchInput | undefined;
}

/** What a mix was asked and has not answered: one question for each round at a time. */
export class PendingAnswers {
  readonly #timers: MixTimers;
  readonly #giveUp: () => void;
  readonly #pending = new Map<string, Pending>();
  #gone: MixError | undefined;

  /** @param giveUp is called when an answer does not come at all. */
  constructor(timers: MixTimers, giveUp: () => void) {
    this.#timers = timers;
    this.#giveUp = giveUp;
  }

  /** Whether there will be no answer any more. */
  get isGone(): boolean {
    return this.#gone !== undefined;
  }

  /** @throws {MixError} if the mix is gone. */
  insist(): void {
    if (this.#gone !== undefined) throw this.#gone;
  }

  /** Asks what one message answers. @throws {MixError} */
  async message(
    round: RoundId,
    verb: Verb,
    link: CommandChannel,
    question: Bytes,
  ): Promise<Message> {
    const ask = () => link.send(question);
    return await this.#ask(round, verb, undefined, ask) as Message;
  }

  /** Asks what a batch answers. @throws {MixError} */
  async batch(
    round: RoundId,
    due: Due,
    ask: () => Promise<void>,
  ): Promise<Bytes> {
    return await this.#ask(round, undefined, due, ask) as Bytes;
  }

  /** A message has come. One that nobody waits for any more is late. */
  told(round: RoundId, message: Message): void {
    const pending = this.#pending.get(roundName(round));
    if (pending?.verb === message.verb) pending.resolve(message);
  }

  /**
   * Where a part of a batch goes that has come; `undefined` if nobody waits for it.
   *
   * @param total bytes of the batch in all, as the mix says.
   */
  input(round: RoundId, total: number): BatchInput | undefined {
    const pending = this.#pending.get(roundName(round));
    const due = pending?.due;
    if (pending === undefined || due === undefined) return undefined;
    if (pending.input !== undefined) return pending.input;
    if (total > due.most || total < due.least || total % due.size !== 0) {
      pending.reject(
        new MixError(
          "ERR_MIX_REFUSED",
          "Cannot use what a mix gives: more or less than is due",
        ),
      );
      return undefined;
    }
    pending.input = new BatchInput(total);
    return pending.input;
  }

  /** A batch is whole. */
  given(round: RoundId, input: BatchInput, batch: Bytes): void {
    const pending = this.#pending.get(roundName(round));
    if (pending?.input === input) pending.resolve(batch);
    else input.erase();
  }

  /** The mix does not do what it was asked. */
  refused(round: RoundId): void {
    this.#pending.get(roundName(round))?.reject(
      new MixError("ERR_MIX_REFUSED", "Cannot go on with a mix: it refuses"),
    );
  }

  /** Nobody waits any more. */
  abort(round: RoundId): void {
    this.#pending.get(roundName(round))?.reject(
      new MixError("ERR_MIX_ROUND", "Cannot go on with a round: it is over"),
    );
  }

  /** There will be no answers any more. @param cause if it did not end in an orderly way. */
  gone(cause?: unknown): void {
    this.#gone ??= new MixError(
      "ERR_MIX_GONE",
      "Cannot go on with a mix: the connection has ended",
      { cause },
    );
    for (const { reject } of [...this.#pending.values()]) reject(this.#gone);
  }

  async #ask(
    round: RoundId,
    verb: Verb | undefined,
    due: Due | undefined,
    ask: () => Promise<void>,
  ): Promise<Message | Bytes> {
    this.insist();
    const name = roundName(round);
    if (this.#pending.has(name)) {
      throw new MixError(
        "ERR_MIX_ROUND",
        "Cannot ask a mix: the question before is not answered",
      );
    }
    const { promise, resolve, reject } = Promise.withResolvers<
      Message | Bytes
    >();
    const pending = { verb, due, resolve, reject, input: undefined };
    this.#pending.set(name, pending);
    const cancel = this.#timers.after(PATIENCE, this.#giveUp);
    // If it fails, the reading of answers does, too, and says why.
    ask().catch(this.#giveUp);
    try {
      return await promise;
    } finally {
      cancel();
      this.#pending.delete(name);
    }
  }
}
