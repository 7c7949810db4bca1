import { assert, assertEquals } from "@std/assert";
import { QueueMemory } from "../../../lib/onion/link/queue_memory.ts";
import type { MemoryHolder } from "../../../lib/onion/link/queue_memory.ts";

/** Holds blocks that came at a time; letting go of one costs a little, as a DESTROY does. */
class Holder implements MemoryHolder {
  readonly #memory: QueueMemory;
  readonly #cost: number;
  readonly blocks: { since: number; bytes: number }[] = [];
  relieved = 0;

  constructor(memory: QueueMemory, cost = 0) {
    this.#memory = memory;
    this.#cost = cost;
  }

  hold(since: number, bytes: number): void {
    this.blocks.push({ since, bytes });
    this.#memory.change(bytes);
  }

  oldest(): number | undefined {
    return this.blocks[0]?.since;
  }

  relieve(): void {
    this.relieved++;
    this.#memory.change(-this.blocks.shift()!.bytes);
    if (this.#cost > 0) this.#memory.change(this.#cost);
  }
}

Deno.test("above the limit whoever holds the oldest lets go, until it is enough", () => {
  const memory = new QueueMemory(100);
  const [first, second] = [new Holder(memory), new Holder(memory)];
  memory.enter(first);
  memory.enter(second);
  second.hold(1, 40);
  first.hold(2, 40);
  second.hold(3, 20);
  assertEquals([first.relieved, second.relieved], [0, 0]);
  assertEquals(memory.used, 100);
  first.hold(4, 1);
  assertEquals([first.relieved, second.relieved], [0, 1]);
  assertEquals(memory.used, 61);
  // One block that needs the place of two.
  first.hold(5, 90);
  assertEquals([first.relieved, second.relieved], [1, 2]);
  assertEquals(memory.used, 91);
});

Deno.test("whoever has left is not asked", () => {
  const memory = new QueueMemory(10);
  const [gone, left] = [new Holder(memory), new Holder(memory)];
  const leave = memory.enter(gone);
  memory.enter(left);
  gone.hold(1, 5);
  leave();
  left.hold(2, 6);
  assertEquals([gone.relieved, left.relieved], [0, 1]);
});

Deno.test("without anybody who could let go it just counts", () => {
  const memory = new QueueMemory(10);
  memory.change(50);
  assertEquals(memory.used, 50);
  memory.change(-50);
  assertEquals(memory.used, 0);
});

Deno.test("letting go of very many that are small does not pile up calls, and ends", () => {
  for (const cost of [1, 2, 3]) {
    const memory = new QueueMemory(30_000);
    const holder = new Holder(memory, cost);
    memory.enter(holder);
    // Each is worth as much as, or hardly more than, saying that it is gone.
    for (let i = 0; i < 15_000; i++) holder.hold(i, 2);
    const other = new Holder(memory);
    memory.enter(other);
    other.hold(30_000, 29_000);
    assert(holder.relieved > 0);
    if (cost === 1) assert(memory.used <= 30_000, `${memory.used}`);
  }
});
