import { proofOf } from "../../directory/mod.ts";
import type { NodeCertificate, NodeKeyring } from "../../identity/mod.ts";
import type { Bytes, ByteStream, Message } from "../../protocol/mod.ts";
import {
  Caller,
  CommandChannel,
  CommandWriter,
  MalformedError,
} from "../../protocol/mod.ts";
import { about } from "../about_round.ts";
import {
  ABORT_ROUND,
  ADD_ONIONS,
  BATCH_PART,
  CLOCK,
  CLOSE_ROUND,
  COORDINATOR,
  GIVE_REPLIES,
  MIX,
  MIX_PROOF,
  MIX_REFUSED,
  MIXING,
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
import type { MixOffer, MixPeer } from "../mix_peer.ts";
import type { RoundId, Run } from "../round.ts";
import { parseSettingsBody } from "../settings/run_settings.ts";
import { keysOf } from "../settings/settings_rules.ts";
import { skipPart } from "./batch_input.ts";
import { ChainView } from "./chain_view.ts";
import {
  MIX_DECODER_LIMITS,
  MIX_VOCABULARY,
  roundIn,
  sendBatch,
} from "./mix_wire.ts";
import { PendingAnswers } from "./pending_answers.ts";

/** What a connection to a mix is made of. */
export interface MixLinkOptions {
  /** The mix that is to answer. */
  readonly mix: NodeCertificate;
  /** The coordinator's keys. */
  readonly keyring: NodeKeyring;
  /** The time. */
  readonly timers: MixTimers;
}

/** How long a mix may take to shake hands, in milliseconds. */
const GREETING_PATIENCE = 10_000;
const KEY_BYTES = 32;

/**
 * A mix behind a connection, as the coordinator sees it. Several rounds are under way at a time. When
 * the connection breaks, or the mix breaks a rule or does not answer at all, every call rejects with
 * `ERR_MIX_GONE`, and another connection is to be made.
 */
export class MixLink implements MixPeer {
  /** Who it is. */
  readonly identity: NodeCertificate;
  /** By how much the mix's clock is ahead of the coordinator's, in milliseconds, or the way is long. */
  readonly skew: number;
  /** Resolves when the connection has ended; never rejects. */
  readonly ended: Promise<void>;
  readonly #link: CommandChannel;
  readonly #pending: PendingAnswers;
  readonly #view: ChainView;

  private constructor(
    link: CommandChannel,
    { mix, timers }: MixLinkOptions,
    skew: number,
  ) {
    this.#link = link;
    this.identity = mix;
    this.skew = skew;
    this.#view = new ChainView(mix.fingerprint);
    this.#pending = new PendingAnswers(timers, () => link.abort());
    this.ended = this.#read();
  }

  /**
   * Shakes hands with a mix over a connection, and proves who coordinates; closes it if that fails.
   *
   * @throws {MixError} `ERR_MIX_REFUSED` if the mix does not want to, `ERR_MIX_GONE` if it is not that
   *   mix, or the connection breaks.
   */
  static async open(
    stream: ByteStream,
    options: MixLinkOptions,
  ): Promise<MixLink> {
    const cancel = options.timers.after(
      GREETING_PATIENCE,
      () => closeQuietly(stream),
    );
    try {
      return await MixLink.#greet(stream, options);
    } catch (cause) {
      closeQuietly(stream);
      if (cause instanceof MixError) throw cause;
      throw new MixError("ERR_MIX_GONE", "Cannot reach a mix", { cause });
    } finally {
      cancel();
    }
  }

  /** Whether the connection is of no use any more. */
  get isGone(): boolean {
    return this.#pending.isGone;
  }

  async prepare(run: Run): Promise<MixOffer> {
    const { kind, mode, first, count, period } = run;
    const round = { kind, start: first };
    const message = await this.#pending.message(
      round,
      RUN_PREPARED,
      this.#link,
      about(round).set(RUN_MODE, mode).set(RUN_COUNT, count)
        .set(PERIOD, period).verb(PREPARE_RUN).done(),
    );
    return offerIn(message, run);
  }

  async sign(body: Bytes): Promise<Bytes> {
    const settings = parseSettingsBody(body);
    const message = await this.#pending.message(
      { kind: settings.kind, start: settings.first },
      SETTINGS_SIGNED,
      this.#link,
      new CommandWriter(body.length + 16).set(SETTINGS, body)
        .verb(SIGN_SETTINGS).done(),
    );
    const signature = message.get(SETTINGS_SIGNATURE);
    if (signature === undefined) throw nonsense();
    this.#view.signed(settings);
    return signature;
  }

  async add(round: RoundId, onions: Bytes): Promise<void> {
    this.#pending.insist();
    const size = this.#view.add(round, onions.length);
    if (onions.length === 0) return;
    await this.#send(sendBatch(this.#link, ADD_ONIONS, round, onions, size));
  }

  async close(round: RoundId): Promise<Bytes> {
    const due = this.#view.forth(round);
    const batch = await this.#pending.batch(
      round,
      due,
      () => this.#link.send(about(round).verb(CLOSE_ROUND).done()),
    );
    if (!this.#view.comesBack(round)) this.#view.end(round);
    return batch;
  }

  async answer(round: RoundId, replies: Bytes): Promise<Bytes> {
    const { size, due } = this.#view.back(round);
    const batch = await this.#pending.batch(
      round,
      due,
      () => sendBatch(this.#link, GIVE_REPLIES, round, replies, size),
    );
    this.#view.end(round);
    return batch;
  }

  abort(round: RoundId): void {
    this.#view.end(round);
    this.#pending.abort(round);
    if (this.isGone) return;
    this.#link.send(about(round).verb(ABORT_ROUND).done())
      .catch(() => {/* it is gone, and has erased the round by that */});
  }

  /** Ends the connection in an orderly way. */
  async end(): Promise<void> {
    await this.#link.close();
    await this.ended;
  }

  static async #greet(
    stream: ByteStream,
    options: MixLinkOptions,
  ): Promise<MixLink> {
    const { mix, keyring, timers } = options;
    const channel = await new Caller(stream).connect(mix.dhKey);
    const link = new CommandChannel(
      channel,
      MIX_VOCABULARY,
      MIX_DECODER_LIMITS,
    );
    const proof = await proofOf(channel.hash, keyring);
    await link.send(
      new CommandWriter(1_024).set(COORDINATOR, keyring.certificate.bytes)
        .set(MIX_PROOF, proof).verb(MIX).done(),
    );
    const answer = await link.next();
    if (answer?.verb !== MIXING) {
      throw new MixError(
        "ERR_MIX_REFUSED",
        "Cannot use a mix: it does not mix for this coordinator",
      );
    }
    const skew = Number(answer.need(CLOCK)) - timers.now();
    return new MixLink(link, options, skew);
  }

  async #read(): Promise<void> {
    try {
      for (;;) {
        const message = await this.#link.next();
        if (message === null) return this.#pending.gone();
        await this.#take(message);
      }
    } catch (cause) {
      this.#pending.gone(cause);
    } finally {
      this.#link.abort();
    }
  }

  async #take(message: Message): Promise<void> {
    switch (message.verb) {
      case RUN_PREPARED:
      case SETTINGS_SIGNED:
        return this.#pending.told(roundIn(message), message);
      case MIX_REFUSED:
        return this.#pending.refused(roundIn(message));
      case BATCH_PART: {
        const total = message.need(TOTAL_LENGTH);
        const input = this.#pending.input(roundIn(message), total);
        if (input === undefined) return await skipPart(this.#link, message);
        const batch = await input.take(this.#link, message);
        if (batch !== undefined) {
          this.#pending.given(roundIn(message), input, batch);
        }
        return;
      }
      default:
        throw new MalformedError(
          `Cannot take ${message.verb.name}: nobody has asked for it`,
        );
    }
  }

  async #send(sending: Promise<void>): Promise<void> {
    try {
      await sending;
    } catch (cause) {
      throw new MixError("ERR_MIX_GONE", "Cannot give a mix onions", { cause });
    }
  }
}

function offerIn(message: Message, run: Run): MixOffer {
  const keys = message.get(ONION_KEYS);
  const mean = message.get(NOISE_MEAN);
  const scale = message.get(NOISE_SCALE);
  const isWhole = keys?.length === keysOf(run) * KEY_BYTES;
  if (!isWhole || mean === undefined || scale === undefined) throw nonsense();
  const onionKeys = Array.from(
    { length: keysOf(run) },
    (_, i) => keys.slice(i * KEY_BYTES, (i + 1) * KEY_BYTES),
  );
  return { onionKeys, noise: { mean, scale } };
}

function nonsense(): MixError {
  return new MixError(
    "ERR_MIX_REFUSED",
    "Cannot use what a mix says: something is missing",
  );
}

function closeQuietly(stream: ByteStream): void {
  try {
    stream.close();
  } catch {
    // Closed before.
  }
}
