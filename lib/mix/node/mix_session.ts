import type { Incoming } from "../../net/mod.ts";
import type { Bytes, CommandChannel, Message } from "../../protocol/mod.ts";
import { concat, MalformedError } from "../../protocol/mod.ts";
import { about } from "../about_round.ts";
import {
  ABORT_ROUND,
  ADD_ONIONS,
  BATCH_PART,
  CLOSE_ROUND,
  GIVE_REPLIES,
  MIX_REFUSED,
  NOISE_MEAN,
  NOISE_SCALE,
  ONION_KEYS,
  PERIOD,
  PREPARE_RUN,
  RUN_COUNT,
  RUN_MODE,
  RUN_PREPARED,
  SETTINGS,
  SETTINGS_SIGNATURE,
  SETTINGS_SIGNED,
  SIGN_SETTINGS,
  TOTAL_LENGTH,
} from "../commands.ts";
import type { MixTimers } from "../mix_timers.ts";
import { MixError } from "../mix_error.ts";
import type { RoundId, RunMode } from "../round.ts";
import { roundName } from "../round.ts";
import { parseSettingsBody } from "../settings/run_settings.ts";
import { BatchInput, skipPart } from "./batch_input.ts";
import type { MixNode } from "./mix_node.ts";
import { partIn, roundIn, sendBatch } from "./mix_wire.ts";

/** Silence after which a coordinator counts as gone, in milliseconds; it comes back when it has rounds. */
const IDLE_DEADLINE = 900_000;
/** For so long a batch may be on its way, in either direction, in milliseconds. */
const PATIENCE = 60_000;
/** Questions that are being answered at once. */
const TASKS_LIMIT = 64;

/** What a connection of a coordinator is served with. */
export interface MixSessionParts {
  /** The connection. */
  readonly link: CommandChannel;
  /** What does the work. */
  readonly node: MixNode;
  /** How long the other side is waited for. */
  readonly incoming: Pick<Incoming, "deadline">;
  /** The time. */
  readonly timers: MixTimers;
  /** Whether another run may be asked for already. */
  readonly mayPrepare: () => boolean;
}

/** One connection of a coordinator to a mix, once it has proved who it is. */
export class MixSession {
  readonly #link: CommandChannel;
  readonly #node: MixNode;
  readonly #parts: MixSessionParts;
  readonly #tasks = new Set<Promise<void>>();
  #isEnded = false;
  /** Replies that are coming in, by round, and what ends the waiting for the rest of them. */
  readonly #replies = new Map<
    string,
    { readonly input: BatchInput; readonly cancel: () => void }
  >();

  /** Nothing was said yet. */
  constructor(parts: MixSessionParts) {
    this.#parts = parts;
    this.#link = parts.link;
    this.#node = parts.node;
  }

  /**
   * Answers until the other side ends; then everything of the rounds under way is erased.
   *
   * @throws {ChannelError | MalformedError} if the other side broke a rule or was cut off.
   */
  async serve(): Promise<void> {
    try {
      for (;;) {
        this.#parts.incoming.deadline(IDLE_DEADLINE);
        const message = await this.#link.next();
        if (message === null) return;
        await this.#take(message);
      }
    } catch (error) {
      // Before anything else: what is still being answered takes its time.
      this.#link.abort();
      // What was ended here is nobody's fault.
      if (!this.#isEnded) throw error;
    } finally {
      this.#node.abandon();
      for (const name of [...this.#replies.keys()]) this.#forget(name);
      await Promise.all(this.#tasks);
    }
  }

  /** Ends the connection without a word. */
  end(): void {
    this.#isEnded = true;
    this.#link.abort();
  }

  async #take(message: Message): Promise<void> {
    switch (message.verb) {
      case PREPARE_RUN:
        return this.#answer(roundIn(message), () => this.#prepare(message));
      case SIGN_SETTINGS:
        return this.#sign(message.need(SETTINGS));
      case ADD_ONIONS:
        return await this.#add(message);
      case CLOSE_ROUND:
        return this.#closeRound(roundIn(message));
      case GIVE_REPLIES:
        return await this.#takeReplies(message);
      case ABORT_ROUND:
        return this.#abortRound(roundIn(message));
      default:
        throw new MalformedError(
          `Cannot take ${message.verb.name}: nobody has asked for it`,
        );
    }
  }

  async #prepare(message: Message): Promise<void> {
    if (!this.#parts.mayPrepare()) throw refusal("prepare a run: too many");
    const { kind, start } = roundIn(message);
    const { onionKeys, noise } = await this.#node.prepare({
      kind,
      mode: message.need(RUN_MODE) as RunMode,
      first: start,
      count: message.need(RUN_COUNT),
      period: message.need(PERIOD),
    });
    const commands = about({ kind, start }, 128 + 32 * onionKeys.length)
      .set(ONION_KEYS, concat(...onionKeys))
      .set(NOISE_MEAN, noise.mean).set(NOISE_SCALE, noise.scale)
      .verb(RUN_PREPARED).done();
    await this.#link.send(commands);
  }

  /** What does not parse has no round by which it could be refused: the connection ends. */
  #sign(body: Bytes): void {
    const { kind, first } = parseSettingsBody(body);
    const run = { kind, start: first };
    this.#answer(run, async () => {
      const signature = await this.#node.sign(body);
      const commands = about(run, 128).set(SETTINGS_SIGNATURE, signature)
        .verb(SETTINGS_SIGNED).done();
      await this.#link.send(commands);
    });
  }

  async #add(message: Message): Promise<void> {
    const round = roundIn(message);
    const length = partIn(message);
    if (length === 0) return;
    const onions = await this.#link.body(length);
    this.#answer(round, () => this.#node.add(round, onions));
  }

  #closeRound(round: RoundId): void {
    this.#answer(round, async () => {
      const { forth } = this.#node.lengths(round);
      await this.#give(round, await this.#node.close(round), forth);
    });
  }

  /** The replies are taken if they are due, and as many as are due. */
  async #takeReplies(message: Message): Promise<void> {
    const round = roundIn(message);
    const name = roundName(round);
    const total = message.need(TOTAL_LENGTH);
    if (!this.#replies.has(name)) {
      if (this.#node.awaited(round) !== total) {
        await skipPart(this.#link, message);
        this.#node.abort(round);
        const error = refusal("take replies: they are not due, or not so many");
        return this.#answer(round, () => Promise.reject(error));
      }
      const cancel = this.#parts.timers.after(
        PATIENCE,
        () => this.#abortRound(round),
      );
      this.#replies.set(name, { input: new BatchInput(total), cancel });
    }
    const { input, cancel } = this.#replies.get(name)!;
    const replies = await input.take(this.#link, message);
    if (replies === undefined) return;
    cancel();
    this.#replies.delete(name);
    this.#answer(round, async () => {
      const { back } = this.#node.lengths(round);
      await this.#give(round, await this.#node.answer(round, replies), back);
      replies.fill(0);
    });
  }

  #abortRound(round: RoundId): void {
    this.#forget(roundName(round));
    this.#node.abort(round);
  }

  #forget(name: string): void {
    const coming = this.#replies.get(name);
    coming?.cancel();
    coming?.input.erase();
    this.#replies.delete(name);
  }

  async #give(round: RoundId, batch: Bytes, size: number): Promise<void> {
    const cancel = this.#parts.timers.after(PATIENCE, () => this.#link.abort());
    try {
      await sendBatch(this.#link, BATCH_PART, round, batch, size);
    } finally {
      cancel();
      batch.fill(0);
    }
  }

  /** Does something while more is read. A refusal is an answer, too; whatever else fails is the end. */
  #answer(round: RoundId, work: () => Promise<void>): void {
    if (this.#tasks.size >= TASKS_LIMIT) {
      throw new MalformedError("Cannot take more: too many questions at once");
    }
    const task = work().catch(async (error) => {
      if (!(error instanceof MixError)) throw error;
      await this.#link.send(about(round).verb(MIX_REFUSED).done());
    }).catch(() => this.#link.abort()).finally(() => this.#tasks.delete(task));
    this.#tasks.add(task);
  }
}

function refusal(what: string): MixError {
  return new MixError("ERR_MIX_REFUSED", `Cannot ${what}`);
}
