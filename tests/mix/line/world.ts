import { assert, assertEquals, assertThrows } from "@std/assert";
import type { Certificate } from "../../../lib/identity/mod.ts";
import { LineError } from "../../../lib/mix/line/line_error.ts";
import type { LineEvent } from "../../../lib/mix/line/line_event.ts";
import { PrivateLine } from "../../../lib/mix/line/private_line.ts";
import { RoundKind } from "../../../lib/mix/round.ts";
import type { Bytes } from "../../../lib/protocol/mod.ts";
import { randomBytes } from "../../../lib/protocol/mod.ts";
import { testKeyring } from "../../support/keyrings.ts";

const EXCHANGE_PERIOD = 2_000;
const DIALING_PERIOD = 10_000;
const SLOTS = 3;

/** Somebody with a line. */
export interface Person {
  readonly address: string;
  readonly certificate: Certificate;
  readonly line: PrivateLine;
  readonly events: LineEvent[];
  /** Whose certificates are trusted. */
  contacts: readonly Certificate[];
  /** Takes part in rounds, or is away and fetches filters when back. */
  online: boolean;
  /** What becomes of the next tokens: the round takes them unless told. */
  dialLoss: "late" | undefined;
  /** Starts of dialing rounds whose filters were not fetched. */
  unheard: number[];
}

/** Kinds of what a person was told, without rounds. */
export function told({ events }: Person): string[] {
  return events.map(({ kind }) => kind).filter((kind) => kind !== "round");
}

/** Texts that a person was told, with the writer. */
export function texts({ events }: Person): [string, string][] {
  return events.filter((event) => event.kind === "text")
    .map(({ address, text }) => [address.split("@")[0]!, text]);
}

/** Why a line does not do something. */
export function codeOf(action: () => void): string {
  return assertThrows(action, LineError).code;
}

/** Rounds of both kinds, played one after another on one clock; all lines see the same. */
export class World {
  now = 1_800_000_000_000;
  readonly people: Person[] = [];
  /** How many payloads everybody gave in each exchange round, by address. */
  readonly counts = new Map<string, number[]>();
  readonly #filters = new Map<number, Map<string, Set<string>>>();

  async person(name: string): Promise<Person> {
    const keyring = await testKeyring(`${name}@example.org`);
    const events: LineEvent[] = [];
    const person: Person = {
      address: keyring.certificate.address,
      certificate: keyring.certificate,
      events,
      contacts: [],
      online: true,
      dialLoss: undefined,
      unheard: [],
      line: new PrivateLine({
        keyring,
        contacts: () => Promise.resolve(person.contacts),
        now: () => this.now,
        onEvent: (event) => events.push(event),
      }),
    };
    this.people.push(person);
    return person;
  }

  /** People who all have each other as contacts. */
  async friends(...names: string[]): Promise<Person[]> {
    const people = await Promise.all(names.map((name) => this.person(name)));
    for (const person of people) {
      person.contacts = people.map(({ certificate }) => certificate);
    }
    return people;
  }

  /** Lets so many seconds pass, an even number. */
  async pass(seconds: number): Promise<void> {
    for (let i = 0; i < seconds * 1000; i += EXCHANGE_PERIOD) {
      if (this.now % DIALING_PERIOD === 0) await this.#dialing();
      await this.#exchange();
      this.now += EXCHANGE_PERIOD;
    }
  }

  async #dialing(): Promise<void> {
    const round = { kind: RoundKind.DIALING, start: this.now };
    const buckets = new Map<string, Set<string>>();
    this.#filters.set(this.now, buckets);
    for (const person of this.people) {
      person.unheard.push(this.now);
      const dialed = person.online ? await person.line.dial(round) : undefined;
      if (dialed === undefined) continue;
      assertEquals([dialed.to.length, dialed.token.length], [32, 32]);
      if (person.dialLoss === undefined) {
        const bucket = dialed.to.toHex();
        const tokens = buckets.get(bucket) ?? new Set();
        buckets.set(bucket, tokens.add(dialed.token.toHex()));
      }
      dialed.done(person.dialLoss);
    }
    for (const person of this.people.filter(({ online }) => online)) {
      for (const start of person.unheard.splice(0)) {
        const own = person.line.certificateId.toHex();
        const tokens = this.#filters.get(start)?.get(own);
        await person.line.heard({ kind: RoundKind.DIALING, start }, {
          has: (token) => tokens?.has(token.toHex()) ?? false,
        });
      }
      await person.line.settled();
    }
  }

  async #exchange(): Promise<void> {
    const round = { kind: RoundKind.EXCHANGE, start: this.now };
    const drops = new Map<
      string,
      { sealed: Bytes; give(reply: Bytes): void }[]
    >();
    for (const person of this.people.filter(({ online }) => online)) {
      const exchanges = await person.line.outgoing(round, SLOTS);
      assert(exchanges.length <= SLOTS);
      const counts = this.counts.get(person.address) ?? [];
      this.counts.set(person.address, [...counts, exchanges.length]);
      for (const { payload, answered } of exchanges) {
        assertEquals(payload.length, 512);
        const drop = payload.subarray(0, 16).toHex();
        const sealed = payload.slice(16);
        const others = drops.get(drop) ?? [];
        drops.set(drop, [...others, { sealed, give: answered }]);
      }
    }
    for (const [first, second, ...more] of drops.values()) {
      first!.give((second ?? first!).sealed);
      second?.give(first!.sealed);
      for (const each of more) each.give(randomBytes(496));
    }
    for (const { line } of this.people) await line.settled();
  }
}
