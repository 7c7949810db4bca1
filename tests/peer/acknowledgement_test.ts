import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { MalformedError, Reader, Writer } from "../../lib/protocol/mod.ts";
import type { SequenceSet } from "../../lib/peer/mod.ts";
import {
  acknowledge,
  addAcknowledgement,
  addSequences,
  hasSequence,
  highestAcknowledged,
  NO_SEQUENCES,
  RANGE_LIMIT,
  readSequenceSet,
  SACK_BITS,
  writeSequenceSet,
} from "../../lib/peer/mod.ts";

/** What the arithmetic must agree with: all numbers, one by one. */
class NaiveSet {
  readonly #numbers = new Set<number>();

  add(first: number, last: number): void {
    for (let seq = first; seq <= last; seq++) this.#numbers.add(seq);
  }

  has(seq: number): boolean {
    return this.#numbers.has(seq);
  }

  acknowledge(): { ack: number; sack: number } {
    let ack = 0;
    while (this.has(ack + 1)) ack++;
    const bits = Array.from(
      { length: 32 },
      (_, i) => this.has(ack + 2 + i) ? "1" : "0",
    );
    return { ack, sack: Number.parseInt(bits.reverse().join(""), 2) };
  }
}

const additions = fc.array(
  fc.tuple(
    fc.oneof(
      { weight: 4, arbitrary: fc.integer({ min: 1, max: 60 }) },
      { weight: 1, arbitrary: fc.integer({ min: 1, max: 400 }) },
    ),
    fc.nat({ max: 3 }),
  ),
  { maxLength: 80 },
);

Deno.test("acknowledgement: agrees with a plain set of numbers", () => {
  fc.assert(
    fc.property(additions, (steps) => {
      const naive = new NaiveSet();
      let set = NO_SEQUENCES;
      for (const [first, more] of steps) {
        naive.add(first, first + more);
        set = addSequences(set, first, first + more);
        assertEquals(acknowledge(set), naive.acknowledge());
      }
      for (let seq = 1; seq <= 405; seq++) {
        assertEquals(hasSequence(set, seq), naive.has(seq), `${seq}`);
      }
      inOrder(set);
      const again = roundTrip(set);
      assertEquals(again, set);
    }),
    { numRuns: 300 },
  );
});

Deno.test("acknowledgement: what is said is what is there, and what was said is never unsaid", () => {
  fc.assert(
    fc.property(additions, fc.infiniteStream(fc.boolean()), (steps, lost) => {
      let there = NO_SEQUENCES;
      let known = NO_SEQUENCES;
      const heard = new NaiveSet();
      const late: ReturnType<typeof acknowledge>[] = [];
      for (const [first, more] of steps) {
        there = addSequences(there, first, first + more);
        late.push(acknowledge(there));
        if (lost.next().value) continue;
        // One of what was said so far comes in, perhaps an old one.
        const said = late.splice(Math.floor(late.length / 2), 1)[0]!;
        known = addAcknowledgement(known, said);
        heard.add(1, said.ack);
        for (let bit = 0; bit < SACK_BITS; bit++) {
          const seq = said.ack + 2 + bit;
          if (Math.floor(said.sack / 2 ** bit) % 2 === 1) heard.add(seq, seq);
        }
        inOrder(known);
      }
      for (let seq = 1; seq <= 405; seq++) {
        assertEquals(hasSequence(known, seq), heard.has(seq));
        if (heard.has(seq)) assert(hasSequence(there, seq));
      }
    }),
    { numRuns: 300 },
  );
});

Deno.test("acknowledgement: the bitmap begins behind the first missing number", () => {
  const table: readonly (readonly [number[], number, number])[] = [
    [[], 0, 0],
    [[1], 1, 0],
    [[2], 0, 1],
    [[1, 3], 1, 1],
    [[1, 3, 4, 6], 1, 0b1011],
    [[33], 0, 0x80000000],
    [[34], 0, 0],
    [[2, 33, 34], 0, 0x80000001],
  ];
  for (const [numbers, ack, sack] of table) {
    const set = numbers.reduce(
      (set, seq) => addSequences(set, seq, seq),
      NO_SEQUENCES,
    );
    assertEquals(acknowledge(set), { ack, sack });
    assertEquals(
      highestAcknowledged({ ack, sack }),
      Math.max(0, ...numbers.filter((seq) => seq !== 34)),
    );
  }
});

Deno.test("acknowledgement: works up to the last u32", () => {
  const top = 0xffffffff;
  let set = addSequences(NO_SEQUENCES, 1, top - 2);
  assertEquals(acknowledge(set), { ack: top - 2, sack: 0 });
  set = addSequences(set, top, top);
  assertEquals(acknowledge(set), { ack: top - 2, sack: 1 });
  assertEquals(roundTrip(set), set);
  set = addSequences(set, top - 1, top - 1);
  assertEquals(set, { cumulative: top, ranges: [] });
  assertEquals(acknowledge(set), { ack: top, sack: 0 });
  assertEquals(highestAcknowledged({ ack: top, sack: 1 }), top + 2);
  for (const [first, last] of [[0, 0], [5, 4], [1, top + 1]] as const) {
    assertThrows(() => addSequences(NO_SEQUENCES, first, last), RangeError);
  }
});

Deno.test("acknowledgement: at most 256 runs apart are remembered", () => {
  let set = NO_SEQUENCES;
  for (let i = 1; i <= RANGE_LIMIT; i++) set = addSequences(set, 2 * i, 2 * i);
  assertEquals(set.ranges.length, 256);
  assertEquals(roundTrip(set), set);
  assertThrows(() => addSequences(set, 514, 514), RangeError);
  // What joins runs or touches one is still welcome.
  assertEquals(addSequences(set, 513, 513).ranges.length, 256);
  assertEquals(addSequences(set, 3, 3).ranges.length, 255);
  assertEquals(addSequences(set, 1, 1).cumulative, 2);
});

Deno.test("acknowledgement: ranges that overlap, touch, are too many or cut short are malformed", () => {
  const bad: readonly SequenceSet[] = [
    { cumulative: 5, ranges: [{ first: 6, last: 9 }] },
    { cumulative: 5, ranges: [{ first: 3, last: 9 }] },
    { cumulative: 5, ranges: [{ first: 9, last: 8 }] },
    {
      cumulative: 5,
      ranges: [{ first: 7, last: 8 }, { first: 9, last: 9 }],
    },
    {
      cumulative: 5,
      ranges: [{ first: 20, last: 21 }, { first: 10, last: 11 }],
    },
    {
      cumulative: 0,
      ranges: Array.from({ length: RANGE_LIMIT + 1 }, (_, i) => ({
        first: 2 * i + 2,
        last: 2 * i + 2,
      })),
    },
  ];
  for (const set of bad) assertThrows(() => roundTrip(set), MalformedError);
  const writer = new Writer();
  writeSequenceSet(writer, {
    cumulative: 1,
    ranges: [{ first: 3, last: 3 }, { first: 5, last: 6 }],
  });
  const bytes = writer.done();
  for (let length = 0; length < bytes.length; length++) {
    assertThrows(
      () => readSequenceSet(new Reader(bytes.subarray(0, length))),
      MalformedError,
    );
  }
});

function inOrder(set: SequenceSet): void {
  let before = set.cumulative;
  for (const { first, last } of set.ranges) {
    assert(first > before + 1 && last >= first);
    before = last;
  }
}

function roundTrip(set: SequenceSet): SequenceSet {
  const writer = new Writer();
  writeSequenceSet(writer, set);
  const reader = new Reader(writer.done());
  const read = readSequenceSet(reader);
  reader.end();
  return read;
}
