import { MixClient } from "../../../lib/mix/client/mix_client.ts";
import type { MixClientEvent } from "../../../lib/mix/client/mix_client_event.ts";
import type { MixClientOptions } from "../../../lib/mix/client/mix_client_options.ts";
import type {
  Exchange,
  ExchangeSource,
  Loss,
} from "../../../lib/mix/client/sources.ts";
import {
  ONIONS,
  ROUND_KIND,
  ROUND_START,
  SUBMIT_ONIONS,
} from "../../../lib/mix/commands.ts";
import { RoundKind, RunMode } from "../../../lib/mix/round.ts";
import type { RoundId } from "../../../lib/mix/round.ts";
import { encodeSettings } from "../../../lib/mix/settings/run_settings.ts";
import {
  joinSettings,
  signSettings,
} from "../../../lib/mix/settings/signed_settings.ts";
import type { SettingsFields } from "../../../lib/mix/settings/settings_fields.ts";
import type { NodeKeyring } from "../../../lib/identity/mod.ts";
import { concat, randomBytes } from "../../../lib/protocol/mod.ts";
import type {
  Bytes,
  Message,
  RandomSource,
} from "../../../lib/protocol/mod.ts";
import { freshNodeKeyring } from "../../support/keyrings.ts";
import { seeded } from "../statistics/seeded.ts";
import { PLAIN_LAYERS } from "./plain_layers.ts";
import { ScriptedEntry } from "./scripted_entry.ts";
import { settle, until, VirtualClock } from "./virtual_clock.ts";

/** The mixes of every chain here; the first is the coordinator. */
export const MIXES: readonly NodeKeyring[] = [
  await freshNodeKeyring(),
  await freshNodeKeyring(),
];
export const COORDINATOR = MIXES[0]!.certificate.fingerprint;

/** Settings with good signatures, unless `signers` are others. */
export async function signed(
  changes: Partial<SettingsFields> & { first: number },
  signers: readonly NodeKeyring[] = MIXES,
): Promise<Bytes> {
  const fields: SettingsFields = {
    coordinator: COORDINATOR,
    kind: RoundKind.EXCHANGE,
    mode: RunMode.ROUNDS,
    count: 15,
    period: 2_000,
    window: 1_200,
    slots: 3,
    buckets: changes.kind === RoundKind.DIALING ? 4 : 0,
    mixes: [],
    ...changes,
  };
  const keys = fields.mode === RunMode.CIRCUITS ? 1 : fields.count;
  const mixes = changes.mixes ?? MIXES.map(({ certificate }) => ({
    fingerprint: certificate.fingerprint,
    noise: { mean: 20, scale: 5 },
    onionKeys: Array.from({ length: keys }, () => randomBytes(32)),
  }));
  const body = encodeSettings({ ...fields, mixes });
  const signatures = await Promise.all(
    signers.map((each) => signSettings(body, each)),
  );
  return joinSettings(body, signatures);
}

/** A client, its entry and the time. */
export class ClientFixture {
  readonly clock = new VirtualClock();
  readonly entry: ScriptedEntry;
  readonly events: MixClientEvent[] = [];
  readonly client: MixClient;

  constructor(
    options: Partial<MixClientOptions> = {},
    random: RandomSource = seeded(1),
  ) {
    this.entry = new ScriptedEntry(this.clock);
    this.client = new MixClient({
      connect: () => this.entry.connect(),
      identityOf: (fingerprint) =>
        MIXES.map(({ certificate }) => certificate).find((each) =>
          each.fingerprint.toHex() === fingerprint.toHex()
        ),
      policy: { coordinator: COORDINATOR, leastMixes: 2 },
      clock: this.clock,
      random,
      layersForTesting: PLAIN_LAYERS,
      onEvent: (event) => this.events.push(event),
      ...options,
    });
  }

  /** Joins, with everything that the entry must answer for that. */
  async join(): Promise<void> {
    this.client.start();
    await this.clock.advance(20 * this.entry.delay);
    await settle();
  }

  /** Announces settings, and waits until they are taken or refused. */
  async announce(document: Bytes): Promise<void> {
    // One is verified after the other: when this one is refused, what was before it is done with.
    const ends = () => this.of("refused").filter(isMark).length;
    const before = ends();
    this.entry.announce(document);
    this.entry.announce(MARK);
    await this.clock.advance(this.entry.delay);
    await until(() => ends() > before);
  }

  /** A multiple of `period` at least `ahead` milliseconds from now, on the coordinator's clock. */
  soon(period = 2_000, ahead = 2_000): number {
    return Math.ceil((this.entry.now() + ahead) / period) * period;
  }

  of<T extends MixClientEvent["type"]>(
    type: T,
  ): Extract<MixClientEvent, { type: T }>[] {
    return this.events.filter((
      event,
    ): event is Extract<MixClientEvent, { type: T }> => event.type === type);
  }

  get refusals(): string[] {
    return this.of("refused").filter((event) => !isMark(event))
      .map(({ error }) => error.message);
  }

  get outcomes(): string[] {
    return this.of("round").map(({ outcome }) => outcome);
  }

  /** Answers every exchange round like a chain with nobody else in it: everything is echoed, at the end of its window. */
  echo(
    alter: (replies: Bytes, round: RoundId) => Bytes | undefined = (all) => all,
  ): void {
    this.entry.onMessage = (message, link) => {
      this.entry.courtesy(message, link);
      if (message.verb !== SUBMIT_ONIONS) return;
      const round = roundOf(message);
      const replies = alter(echoOf(message), round);
      if (replies === undefined) return;
      const isTwoWay = round.kind === RoundKind.EXCHANGE;
      const wait = Math.max(0, round.start + 1_300 - this.entry.now());
      this.clock.after(wait, () => {
        if (link.ended !== undefined) return;
        this.entry.done(round, isTwoWay ? replies : undefined);
      });
    };
  }
}

const MARK = Uint8Array.of(7);

function isMark({ error }: { readonly error: Error }): boolean {
  return error.message.endsWith("version 7");
}

export function roundOf(message: Message): RoundId {
  return {
    kind: message.need(ROUND_KIND) as RoundKind,
    start: Number(message.need(ROUND_START)),
  };
}

/** The payloads of what was handed in, under layers that hide nothing. */
export function payloadsOf(
  message: Message,
  slots = 3,
  layers = 2 * 48,
): Bytes[] {
  const onions = message.need(ONIONS);
  const size = onions.length / slots;
  return Array.from(
    { length: slots },
    (_, slot) => onions.slice(slot * size, (slot + 1) * size - layers),
  );
}

/** What comes back of it where nobody else is: what was left, without the drop. */
export function echoOf(message: Message, slots = 3, layers = 2 * 48): Bytes {
  return concat(
    ...payloadsOf(message, slots, layers).flatMap((payload) => [
      payload.subarray(16),
      new Uint8Array(32),
    ]),
  );
}

/** A source that always has something, and remembers what became of it. */
export class BusySource implements ExchangeSource {
  readonly asked: RoundId[] = [];
  readonly fates: ("answered" | Loss | "told twice")[] = [];
  /** How many slots it takes. */
  takes = 2;
  /** What it waits for before it answers. */
  pause: () => Promise<void> = () => Promise.resolve();
  readonly payloads: Bytes[] = [];

  async outgoing(round: RoundId, slots: number): Promise<readonly Exchange[]> {
    this.asked.push(round);
    await this.pause();
    return Array.from(
      { length: Math.min(this.takes, slots) },
      () => this.one(),
    );
  }

  one(length = 512): Exchange {
    const payload = randomBytes(length);
    this.payloads.push(payload);
    let isOver = false;
    const tell = (fate: "answered" | Loss) => {
      this.fates.push(isOver ? "told twice" : fate);
      isOver = true;
    };
    return {
      payload,
      answered: (reply) =>
        tell(
          reply.length === 496 && reply.toHex() === payload.toHex().slice(32)
            ? "answered"
            : "failed",
        ),
      lost: tell,
    };
  }
}
