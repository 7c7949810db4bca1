import type { NodeCertificate, NodeKeyring } from "../../identity/mod.ts";
import type { Bytes, DhKeyPair, RandomSource } from "../../protocol/mod.ts";
import { generateDh, MalformedError, randomBytes } from "../../protocol/mod.ts";
import { LocalEngine } from "../layer/mod.ts";
import type { LayerEngine } from "../layer/mod.ts";
import type { MixTimers } from "../mix_timers.ts";
import { MixError } from "../mix_error.ts";
import type { MixOffer, MixPeer } from "../mix_peer.ts";
import type { NoiseLevel } from "../noise/noise_level.ts";
import type { RoundId, RoundKind, Run } from "../round.ts";
import { parseSettingsBody } from "../settings/run_settings.ts";
import type { RunSettings } from "../settings/run_settings.ts";
import { faultOfRun, keysOf } from "../settings/settings_rules.ts";
import { signSettings } from "../settings/signed_settings.ts";
import type { MixLimits } from "./mix_limits.ts";
import {
  CLOCK_TOLERANCE,
  DEFAULT_MIX_LIMITS,
  HORIZON,
  PREPARED_LIMIT,
  SIGNED_LIMIT,
} from "./mix_limits.ts";
import type { MixRound } from "./mix_round.ts";
import { placeIn } from "./place_in.ts";
import type { PreparedRun } from "./place_in.ts";
import { SignedRun } from "./signed_run.ts";
import type { RoundLengths } from "./signed_run.ts";

/** What a mix is made of. */
export interface MixNodeOptions {
  /** Its own keys. */
  readonly keyring: NodeKeyring;
  /** Fingerprint of the coordinator that it works for, 32 bytes. */
  readonly coordinator: Bytes;
  /** The noise that it offers for rounds of a kind. */
  readonly noise: (kind: RoundKind) => NoiseLevel;
  /** What it opens onions with, at least one; one in this thread, if it is left out. */
  readonly engines?: readonly LayerEngine[] | undefined;
  /** How much it takes on. */
  readonly limits?: MixLimits | undefined;
  /** The time. */
  readonly timers: MixTimers;
  /** Draws noise and orders; the operating system, unless a test has another one. */
  readonly random?: RandomSource | undefined;
}

/** What a mix holds now. When every round is over, all of it is 0. */
export interface MixNodeStatus {
  /** Runs that are prepared and not signed. */
  readonly prepared: number;
  /** Runs that are signed and not over. */
  readonly runs: number;
  /** Rounds under way. */
  readonly rounds: number;
  /** Private onion keys. */
  readonly keys: number;
  /** Circuits of others. */
  readonly circuits: number;
  /** Rounds for which noise is made or being made. */
  readonly noise: number;
}

/**
 * A mix that works for one coordinator, in the same process or behind a `MixHost`. It trusts the
 * coordinator with nothing but the pace: it signs only settings that name its own keys and noise, holds
 * one settings for a round at most, uses every key once, and forgets what it knows of a round when that
 * is over, given up, or late.
 */
export class MixNode implements MixPeer {
  /** Who it is. */
  readonly identity: NodeCertificate;
  readonly #options: MixNodeOptions;
  readonly #engines: readonly LayerEngine[];
  readonly #limits: MixLimits;
  readonly #random: RandomSource;
  /** By kind and start of the first round; the oldest first. */
  readonly #prepared = new Map<string, PreparedRun>();
  #runs: SignedRun[] = [];
  /** Runs that are over, and in which something is still under way. */
  readonly #erasing = new Set<Promise<void>>();
  /** When the timer is due, and what stops it. */
  #alarm: { readonly at: number; readonly cancel: () => void } | undefined;
  #isStopped = false;

  /** Nothing is prepared yet. */
  constructor(options: MixNodeOptions) {
    this.#options = options;
    this.#engines = options.engines ?? [new LocalEngine()];
    this.#limits = options.limits ?? DEFAULT_MIX_LIMITS;
    this.#random = options.random ?? randomBytes;
    this.identity = options.keyring.certificate;
  }

  /** What it holds now. */
  get status(): MixNodeStatus {
    const sum = (count: (run: SignedRun) => number) =>
      this.#runs.reduce((total, run) => total + count(run), 0);
    return {
      prepared: this.#prepared.size,
      runs: this.#runs.length,
      rounds: this.#rounds,
      keys: sum((run) => run.keys),
      circuits: sum((run) => run.circuits),
      noise: sum((run) => run.noise),
    };
  }

  async prepare(run: Run): Promise<MixOffer> {
    this.#checkRun(run);
    const noise = this.#options.noise(run.kind);
    const keyPairs: DhKeyPair[] = [];
    // WebCrypto makes keys in this thread, and others want their turn: one after the other.
    for (let i = keysOf(run); i > 0; i--) keyPairs.push(await generateDh());
    this.#insist();
    const name = `${run.kind}/${run.first}`;
    this.#prepared.delete(name);
    const ofKind = [...this.#prepared].filter(([, each]) =>
      each.run.kind === run.kind
    );
    if (ofKind.length >= PREPARED_LIMIT) this.#prepared.delete(ofKind[0]![0]);
    this.#prepared.set(name, { run, keyPairs, noise });
    this.#arm();
    return { onionKeys: keyPairs.map(({ publicKey }) => publicKey), noise };
  }

  async sign(body: Bytes): Promise<Bytes> {
    this.#insist();
    const settings = read(body);
    const { kind, first } = settings;
    const name = `${kind}/${first}`;
    const prepared = this.#prepared.get(name);
    const { keyring, coordinator } = this.#options;
    const place = placeIn(
      settings,
      prepared,
      coordinator,
      this.identity.fingerprint,
    );
    const others = this.#runs.filter((run) =>
      run.settings.kind === kind && run.settings.first < first
    );
    if (others.length >= SIGNED_LIMIT) {
      throw new MixError("ERR_MIX_REFUSED", "Cannot sign settings: too many");
    }
    // Keys are signed for once: there are no two settings with the same ones.
    this.#prepared.delete(name);
    for (const run of this.#runs) {
      if (run.settings.kind === kind) run.voidFrom(first);
    }
    this.#runs.push(
      new SignedRun(
        settings,
        place,
        prepared!.keyPairs,
        this.#engines,
        this.#random,
      ),
    );
    this.#tidy();
    return await signSettings(settings.body, keyring);
  }

  /** What is added is taken before this returns, so that several calls keep their order. */
  add(round: RoundId, onions: Bytes): Promise<void> {
    return Promise.try(() => {
      const run = this.#runOf(round);
      try {
        run.find(round.start)!.add(onions);
      } catch (error) {
        throw this.#failed(run, round, error);
      }
    });
  }

  async close(round: RoundId): Promise<Bytes> {
    return await this.#step(
      this.#runOf(round),
      round,
      (mixRound) => mixRound.close(),
    );
  }

  async answer(round: RoundId, replies: Bytes): Promise<Bytes> {
    const run = this.#find(round);
    if (run === undefined) throw unknownRound();
    return await this.#step(
      run,
      round,
      (mixRound) => mixRound.answer(replies),
    );
  }

  abort(round: RoundId): void {
    for (const run of this.#runs) {
      if (run.settings.kind === round.kind) run.end(round.start);
    }
    this.#tidy();
  }

  /** Bytes of the replies that `answer` takes, if the round waits for them. */
  awaited(round: RoundId): number | undefined {
    return this.#find(round)?.find(round.start)?.awaited;
  }

  /** As `SignedRun.lengthsAt`, of a round that is under way or can be begun. */
  lengths(round: RoundId): RoundLengths {
    return this.#runOf(round).lengthsAt(round.start);
  }

  /** Erases the rounds under way, as when the coordinator is gone; runs that are signed can go on. */
  abandon(): void {
    for (const run of this.#runs) run.abandon();
    this.#tidy();
  }

  /**
   * Erases everything at once; from now on every call is refused. Resolves when nothing is under way any
   * more.
   */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#prepared.clear();
    for (const run of this.#runs) this.#erase(run);
    this.#tidy();
    await Promise.all(this.#erasing);
  }

  get #rounds(): number {
    return this.#runs.reduce((total, { rounds }) => total + rounds, 0);
  }

  #checkRun(run: Run): void {
    this.#insist();
    const fault = faultOfRun(run);
    if (fault !== undefined) {
      throw new MixError("ERR_MIX_REFUSED", `Cannot prepare a run: ${fault}`);
    }
    const now = this.#options.timers.now();
    if (run.first + run.count * run.period + CLOCK_TOLERANCE < now) {
      throw new MixError("ERR_MIX_LATE", "Cannot prepare a run: it is over");
    }
    if (run.first > now + HORIZON) {
      throw new MixError(
        "ERR_MIX_REFUSED",
        "Cannot prepare a run: it begins too long from now",
      );
    }
  }

  /** The run of a round that is under way. */
  #find({ kind, start }: RoundId): SignedRun | undefined {
    return this.#runs.find((run) =>
      run.settings.kind === kind && run.find(start) !== undefined
    );
  }

  /** The same; if the round has not begun, it does now. */
  #runOf(round: RoundId): SignedRun {
    this.#insist();
    const found = this.#find(round);
    if (found !== undefined) return found;
    const run = this.#runs.find((each) =>
      each.settings.kind === round.kind && each.awaits(round.start)
    );
    if (run === undefined) throw unknownRound();
    if (this.#rounds >= this.#limits.rounds) {
      throw new MixError("ERR_MIX_REFUSED", "Cannot begin a round: too many");
    }
    run.begin(round.start, this.#limits.onions);
    return run;
  }

  async #step(
    run: SignedRun,
    round: RoundId,
    step: (mixRound: MixRound) => Promise<Bytes>,
  ): Promise<Bytes> {
    const mixRound = run.find(round.start)!;
    try {
      const bytes = await step(mixRound);
      if (mixRound.isOver) this.#end(run, round);
      return bytes;
    } catch (error) {
      throw this.#failed(run, round, error);
    }
  }

  /** What comes out of order changes nothing; whatever else goes wrong ends the round. */
  #failed(run: SignedRun, round: RoundId, error: unknown): MixError {
    if (error instanceof MixError && error.code === "ERR_MIX_ROUND") {
      return error;
    }
    this.#end(run, round);
    if (error instanceof MixError) return error;
    return new MixError("ERR_MIX_REFUSED", "Cannot go on with a round", {
      cause: error,
    });
  }

  #end(run: SignedRun, { start }: RoundId): void {
    run.end(start);
    this.#tidy();
  }

  #insist(): void {
    if (!this.#isStopped) return;
    throw new MixError("ERR_MIX_GONE", "Cannot mix: the mix has stopped");
  }

  /** Lets go of what is over, and sees to it that it is looked at what comes to be. */
  #tidy(): void {
    for (const run of this.#runs) {
      if (run.isOver) this.#erase(run);
    }
    this.#runs = this.#runs.filter((run) => !run.isOver);
    this.#arm();
  }

  #erase(run: SignedRun): void {
    const erasing = run.erase().finally(() => this.#erasing.delete(erasing));
    this.#erasing.add(erasing);
  }

  #arm(): void {
    const dues = this.#runs.map(({ due }) => due);
    for (const { run } of this.#prepared.values()) dues.push(expiryOf(run));
    const at = dues.reduce<number | undefined>(
      (least, due) => Math.min(least ?? Infinity, due ?? Infinity),
      undefined,
    );
    if (at === this.#alarm?.at) return;
    this.#alarm?.cancel();
    this.#alarm = undefined;
    if (at === undefined) return;
    const { timers } = this.#options;
    const wait = Math.max(0, at - timers.now());
    this.#alarm = { at, cancel: timers.after(wait, () => this.#expire()) };
  }

  #expire(): void {
    this.#alarm = undefined;
    const now = this.#options.timers.now();
    for (const [name, { run }] of [...this.#prepared]) {
      if (expiryOf(run) <= now) this.#prepared.delete(name);
    }
    for (const run of this.#runs) run.expire(now);
    this.#tidy();
  }
}

/** When a run that nobody has had signed is forgotten. */
function expiryOf({ first, count, period }: Run): number {
  return first + count * period + CLOCK_TOLERANCE;
}

function read(body: Bytes): RunSettings {
  try {
    return parseSettingsBody(body);
  } catch (cause) {
    if (!(cause instanceof MalformedError)) throw cause;
    throw new MixError(
      "ERR_MIX_SETTINGS",
      "Cannot sign settings: they do not parse",
      { cause },
    );
  }
}

function unknownRound(): MixError {
  return new MixError(
    "ERR_MIX_ROUND",
    "Cannot go on with a round: it is not known, or it is over",
  );
}
