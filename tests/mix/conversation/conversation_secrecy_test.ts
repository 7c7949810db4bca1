import { assert, assertEquals } from "@std/assert";
import type { Conversation } from "../../../lib/mix/conversation/conversation.ts";
import { StepKind } from "../../../lib/mix/conversation/step_part.ts";
import type { Bytes } from "../../../lib/protocol/mod.ts";
import { concat, decapsulate, dh } from "../../../lib/protocol/mod.ts";
import { calm, conversation, DIALED, PERIOD } from "./two_people.ts";
import type { Met } from "./two_people.ts";
import {
  naiveBase,
  naiveGeneration,
  naiveOpen,
  naiveRoundKey,
} from "./naive_keys.ts";

const FIRST = DIALED + 10_000;
const ROUNDS = 130;

type Memory = ReturnType<Conversation["memoryForTestingOnly"]>;

/** A round as an observer of both sides has it, with what only the test knows: under which generations it is. */
interface Watched extends Met {
  readonly generations: readonly number[];
}

/**
 * Whoever has stolen the memory of one side and records everything that both leave at the drops. It
 * knows how the keys are made, and learns from what it reads.
 */
class Thief {
  readonly #memory: Memory;
  readonly #from: number;
  readonly #secrets = new Map<number, Bytes>();
  readonly #parts = new Map<string, Bytes>();

  /** @param from number of the side it has stolen from. */
  constructor(memory: Memory, from: number) {
    this.#memory = memory;
    this.#from = from;
    for (const { number, secret } of memory.braid.generations) {
      this.#secrets.set(number, secret);
    }
    // Generation 0 is no secret.
    this.#secrets.set(0, new Uint8Array(32));
  }

  /** Under which generation it could read what the side with that number left; nothing if it could not. */
  async read({ start, left }: Met, side: number): Promise<number | undefined> {
    const { wheel, rounds } = this.#memory;
    const base = rounds.get(start) ??
      (Math.floor(start / 60_000) >= wheel.minute
        ? naiveBase(naiveRoundKey(wheel.key, wheel.minute, start))
        : undefined);
    if (base === undefined) return undefined;
    for (const [generation, secret] of this.#secrets) {
      const message = naiveOpen(base, secret, side, left[side]!);
      if (message === undefined) continue;
      if (message[1] === 6 && side !== this.#from) {
        await this.#learn(message.subarray(17));
      }
      return generation;
    }
    return undefined;
  }

  /** Goes on with the private keys that it has. */
  async #learn(payload: Bytes): Promise<void> {
    const [kind, high, low, part] = payload;
    const step = high! * 256 + low!;
    const sizes = [32, 304, 374];
    this.#parts.set(
      `${kind} ${step} ${part}`,
      payload.slice(4, 4 + sizes[kind!]!),
    );
    const counts = [1, 4, 3];
    const found = Array.from(
      { length: counts[kind!]! },
      (_, i) =>
        this.#parts.get(`${kind} ${step} ${i}`) ??
          this.#memory.braid.parts[i],
    ).filter((each) => each !== undefined);
    const before = this.#secrets.get(step - 1);
    if (found.length < counts[kind!]! || before === undefined) return;
    if (this.#secrets.has(step)) return;
    const whole = concat(...found);
    for (const pair of this.#memory.braid.dh) {
      if (kind === StepKind.DH) {
        const agreed = await dh(pair.privateKey, whole);
        this.#secrets.set(step, naiveGeneration(agreed, before, step));
      }
      for (const kem of this.#memory.braid.kem) {
        if (kind !== StepKind.ANSWER) continue;
        const agreed = concat(
          await dh(pair.privateKey, whole.slice(0, 32)),
          await decapsulate(kem.privateKey, whole.slice(32, 1120)),
        );
        this.#secrets.set(step, naiveGeneration(agreed, before, step));
      }
    }
  }
}

Deno.test("S3.4: a thief of all that one side holds reads on until the next step is complete, and nothing from before the generation", async () => {
  const { alice, bob } = await conversation();
  const sides = [alice, bob];
  const watched: Watched[] = [];
  const memories: { at: number; side: number; memory: Memory }[] = [];
  let start = FIRST;
  for (let i = 0; i < ROUNDS; i++) {
    for (const [side, { conversation }] of sides.entries()) {
      conversation.say(`${i}`, i);
      const memory = conversation.memoryForTestingOnly();
      memories.push({ at: i, side, memory });
    }
    start = await calm(sides, start, 1, (met) => {
      const generations = sides.map(({ conversation }) =>
        conversation.generation
      );
      watched.push({ ...met, generations });
    });
  }
  const last = watched.at(-1)!.generations[0]!;
  assert(last >= 4, `generation ${last}`);
  let stolenInStep = 0;
  for (
    const { at, side, memory } of memories.filter(({ at }) => at % 3 === 0)
  ) {
    const thief = new Thief(memory, side);
    const numbers = memory.braid.generations.map(({ number }) => number);
    const current = Math.max(...numbers);
    // With private keys of a step that is under way it also has what that step leads to.
    const inStep = memory.braid.dh.length > 0;
    const reach = current + (inStep ? 1 : 0);
    if (inStep) stolenInStep++;
    for (const [i, round] of watched.entries()) {
      for (const writer of [0, 1]) {
        const under = round.generations[writer]!;
        const read = await thief.read(round, writer);
        const minute = Math.floor(round.start / 60_000);
        const known = under === 0 || i >= at && under <= reach ||
          numbers.includes(under);
        const expected = known && minute >= memory.wheel.minute;
        const where = `stolen from ${side} at ${at}, round ${i} of ${writer}`;
        assertEquals(read, expected ? under : undefined, where);
      }
    }
  }
  assert(stolenInStep > 3);
});

Deno.test("S3.4: the generation before is forgotten when nothing under it can come, and everything at the end", async () => {
  const { alice, bob } = await conversation();
  const numbers = (of: Conversation): number[] =>
    of.memoryForTestingOnly().braid.generations.map(({ number }) => number);
  const start = await calm([alice, bob], FIRST, 20);
  for (const { conversation } of [alice, bob]) {
    assertEquals(numbers(conversation), [2]);
    assertEquals(conversation.memoryForTestingOnly().braid.dh, []);
    assertEquals(conversation.memoryForTestingOnly().rounds, new Map());
  }
  const pending = await alice.conversation.outgoing(start);
  assert(pending !== undefined);
  await calm([alice, bob], start + PERIOD, 70);
  // A reply of long ago could still come: the round was given up after sixteen others.
  assertEquals(alice.conversation.memoryForTestingOnly().rounds.size, 1);
  await alice.conversation.erase();
  const { wheel, braid, rounds } = alice.conversation.memoryForTestingOnly();
  assertEquals(wheel.key, new Uint8Array(32));
  assert(braid.generations.every(({ secret }) => secret.every((b) => b === 0)));
  assertEquals(rounds.size, 0);
});
