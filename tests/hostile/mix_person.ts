import { assert, assertEquals } from "@std/assert";
import type { Keyring } from "../../lib/identity/mod.ts";
import { MixClient } from "../../lib/mix/client/mix_client.ts";
import type { MixClientEvent } from "../../lib/mix/client/mix_client_event.ts";
import type { MixClientOptions } from "../../lib/mix/client/mix_client_options.ts";
import type { ExchangeSource } from "../../lib/mix/client/sources.ts";
import type { LineEvent } from "../../lib/mix/line/line_event.ts";
import { PrivateLine } from "../../lib/mix/line/private_line.ts";
import { seeded } from "../mix/statistics/seeded.ts";
import type { VirtualTime } from "../mix/virtual_time.ts";

/** What a person's client is made of. */
export interface MixPersonOptions
  extends Pick<MixClientOptions, "connect" | "identityOf" | "policy"> {
  readonly keyring: Keyring;
  readonly time: VirtualTime;
  readonly seed: number;
  /** Whom the person knows, asked for whenever somebody may have called. */
  readonly others: () => readonly MixPerson[];
  /** What stands between the line and the rounds; nothing unless given. */
  readonly between?: (line: PrivateLine) => ExchangeSource;
}

/** Somebody with a client and a line, who remembers all that they were told. */
export class MixPerson {
  readonly keyring: Keyring;
  readonly line: PrivateLine;
  readonly client: MixClient;
  readonly lineEvents: LineEvent[] = [];
  readonly events: MixClientEvent[] = [];
  /** What was said to whom, in order: address, id, text. */
  readonly said: { to: string; id: string; text: string }[] = [];

  constructor(options: MixPersonOptions) {
    const { keyring, time, seed, others, between, ...rest } = options;
    this.keyring = keyring;
    this.line = new PrivateLine({
      keyring,
      contacts: () =>
        Promise.resolve(others().map((each) => each.keyring.certificate)),
      now: () => time.now(),
      onEvent: (event) => this.lineEvents.push(event),
      random: seeded(2 * seed + 1),
    });
    this.client = new MixClient({
      ...rest,
      exchange: between?.(this.line) ?? this.line,
      dial: this.line,
      clock: time,
      random: seeded(2 * seed + 2),
      onEvent: (event) => this.events.push(event),
    });
  }

  get address(): string {
    return this.keyring.certificate.address;
  }

  /** Says something in a conversation that was answered. */
  say(to: MixPerson, text: string): void {
    const id = this.line.say(to.address, text);
    this.said.push({ to: to.address, id, text });
  }

  /** Texts of that person that were shown, in order. */
  shownOf(other: MixPerson): string[] {
    return this.lineEvents.flatMap((event) =>
      event.kind === "text" && event.address === other.address
        ? [event.text]
        : []
    );
  }

  /** What was said to that person and is shown as delivered. */
  deliveredTo(other: MixPerson): string[] {
    const ids = this.lineEvents.flatMap((event) =>
      event.kind === "state" && event.state === "delivered" ? [event.id] : []
    );
    assertEquals(new Set(ids).size, ids.length, "delivered twice");
    return this.said.filter(({ to, id }) =>
      to === other.address && ids.includes(id)
    ).map(({ text }) => text);
  }

  /** What was said to that person. */
  saidTo(other: MixPerson): string[] {
    return this.said.filter(({ to }) => to === other.address)
      .map(({ text }) => text);
  }

  /** How often rounds of the line ended in some way. */
  count(outcome: string): number {
    return this.lineEvents.filter((event) =>
      event.kind === "round" && event.outcome === outcome
    ).length;
  }

  /** Errors in one's own parts: there are to be none, whatever others do. */
  get faults(): unknown[] {
    return this.events.filter(({ type }) => type === "fault");
  }
}

/**
 * Asserts of everything that the two have said so far: shown at the other in the order in which it was said, nothing
 * twice, nothing else, and what is shown as delivered has been shown there.
 */
export function assertTruthful(a: MixPerson, b: MixPerson): void {
  for (const [from, to] of [[a, b], [b, a]] as const) {
    const said = from.saidTo(to);
    const shown = to.shownOf(from);
    assertEquals(shown, said.slice(0, shown.length));
    for (const text of from.deliveredTo(to)) {
      assert(shown.includes(text), `${text} is said to be delivered`);
    }
    assertEquals(from.faults, []);
  }
}

/** Asserts that all that the two have said was shown at the other, and is known to have been. */
export function assertAllArrived(a: MixPerson, b: MixPerson): void {
  assertTruthful(a, b);
  for (const [from, to] of [[a, b], [b, a]] as const) {
    assertEquals(to.shownOf(from), from.saidTo(to));
    assertEquals(from.deliveredTo(to).toSorted(), from.saidTo(to).toSorted());
  }
}
