import { CommandWriter, Message } from "../../../lib/protocol/mod.ts";
import { randomBytes } from "../../../lib/protocol/mod.ts";
import type { Bytes } from "../../../lib/protocol/mod.ts";
import {
  ANNOUNCE,
  FAULT_PLACE,
  JOIN,
  LATE_BY,
  ONIONS,
  REPLIES,
  ROUND_DONE,
  ROUND_FAILED,
  ROUND_KIND,
  ROUND_LATE,
  ROUND_START,
  SETTINGS,
  SUBMIT_ONIONS,
} from "../../../lib/mix/commands.ts";
import type { MixService } from "../../../lib/mix/coordinator/mix_service.ts";
import { indexIn, RoundKind, roundName } from "../../../lib/mix/round.ts";
import type { RoundId } from "../../../lib/mix/round.ts";
import { parseSettingsDocument } from "../../../lib/mix/settings/run_settings.ts";
import type { RunSettings } from "../../../lib/mix/settings/run_settings.ts";
import { sizesOf } from "../../../lib/mix/sizes.ts";
import { FakeLink } from "./fake_link.ts";
import type { VirtualTime } from "../virtual_time.ts";

/** What a client was told of a round. */
export type Told =
  | { readonly done: Bytes | undefined }
  | { readonly failed: number }
  | { readonly late: number };

/** A client without secrets: it takes part in every round that it hears of, if it is told to. */
export class FakeClient {
  readonly link = new FakeLink();
  /** The settings that it was told, oldest first, and when. */
  readonly settings: { readonly at: number; readonly run: RunSettings }[] = [];
  /** What it has handed in, by round. */
  readonly sent = new Map<string, Bytes>();
  /** What it was told, by round. */
  readonly told = new Map<string, Told[]>();
  /** Resolves when its connection is over. */
  readonly over: Promise<unknown>;
  /** Where in the window it hands in, 0 to 1; `undefined` if it takes part in nothing by itself. */
  readonly #at: (() => number) | undefined;
  readonly #time: VirtualTime;

  constructor(service: MixService, time: VirtualTime, at?: () => number) {
    this.#time = time;
    this.#at = at;
    this.link.onMessage = (message) => this.#hear(message);
    const caller = { deadline() {} };
    this.over = service.welcome(
      { link: this.link, caller },
      new Message(JOIN, new Map()),
    ).catch((error: unknown) => error);
  }

  /** The settings that hold for a round. */
  find({ kind, start }: RoundId): RunSettings | undefined {
    return this.settings.findLast(({ run }) =>
      run.kind === kind && indexIn(run, start) !== undefined
    )?.run;
  }

  /** The first run of a kind that it was told of. */
  firstOf(kind: RoundKind): RunSettings {
    return this.settings.find(({ run }) => run.kind === kind)!.run;
  }

  /** Onions of the right length for a round. */
  onions(round: RoundId): Bytes {
    const run = this.find(round)!;
    const index = indexIn(run, round.start)!;
    const { onion } = sizesOf(run.kind, run.mode, index, run.mixes.length - 1);
    return randomBytes(onion * run.slots);
  }

  /** Hands in for a round. */
  submit(round: RoundId, onions: Bytes = this.onions(round)): void {
    this.sent.set(roundName(round), onions);
    this.link.say(
      new CommandWriter(onions.length + 32).set(ROUND_KIND, round.kind)
        .set(ROUND_START, BigInt(round.start)).set(ONIONS, onions)
        .verb(SUBMIT_ONIONS).done(),
    );
  }

  /** What a chain of fake mixes makes of the onions of a round. */
  expected(round: RoundId): Bytes | undefined {
    if (round.kind === RoundKind.DIALING) return undefined;
    const run = this.find(round)!;
    const sent = this.sent.get(roundName(round))!;
    const { reply } = sizesOf(run.kind, run.mode, 1, run.mixes.length - 1);
    const size = sent.length / run.slots;
    const padding = 16 * run.mixes.length;
    const replies = new Uint8Array(reply * run.slots);
    for (let slot = 0; slot < run.slots; slot++) {
      const end = (slot + 1) * size;
      replies.set(
        sent.subarray(end - (reply - padding), end),
        slot * reply + padding,
      );
    }
    return replies;
  }

  /** Rounds of which it was told in that way. */
  count(how: "done" | "failed" | "late", kind?: RoundKind): number {
    return [...this.told].filter(([name, all]) =>
      (kind === undefined || name.startsWith(`${kind}/`)) &&
      all.some((each) => how in each)
    ).length;
  }

  #hear(message: Message): void {
    if (message.verb === ANNOUNCE) return this.#announced(message);
    const kind = message.get(ROUND_KIND);
    if (kind === undefined) return;
    const name = `${kind}/${message.get(ROUND_START)}`;
    const told = this.told.get(name) ?? [];
    this.told.set(name, told);
    if (message.verb === ROUND_DONE) told.push({ done: message.get(REPLIES) });
    else if (message.verb === ROUND_FAILED) {
      told.push({ failed: message.need(FAULT_PLACE) });
    } else if (message.verb === ROUND_LATE) {
      told.push({ late: message.need(LATE_BY) });
    }
  }

  #announced(message: Message): void {
    const { settings: run } = parseSettingsDocument(message.need(SETTINGS));
    this.settings.push({ at: this.#time.now(), run });
    if (this.#at === undefined) return;
    for (let index = 0; index < run.count; index++) {
      const start = run.first + index * run.period;
      const wait = start + run.window * this.#at() - this.#time.now();
      if (wait < 0) continue;
      this.#time.after(wait, () => {
        const round = { kind: run.kind, start };
        const isDue = this.link.ended === undefined &&
          this.find(round) === run && !this.sent.has(roundName(round));
        if (isDue) this.submit(round);
      });
    }
  }
}
