import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  BODY_BYTES,
  CELL,
  LARGE,
  SMALL,
} from "../../../lib/onion/cell/cell.ts";
import type { CellSize } from "../../../lib/onion/cell/cell.ts";
import { CellQueue } from "../../../lib/onion/link/cell_queue.ts";
import type { OutgoingCell } from "../../../lib/onion/link/cell_queue.ts";

const NOTHING = new Uint8Array(0);

/** A cell; `detail` tells it from the others. */
function cell(
  circuit: number,
  size: CellSize = SMALL,
  detail = 0,
): OutgoingCell {
  const header = { circuit, command: CELL.RELAY, size, detail };
  return { header, body: NOTHING, length: 0, tail: NOTHING };
}

function circuitsOf(cells: readonly OutgoingCell[]): number[] {
  return cells.map(({ header }) => header.circuit);
}

Deno.test("circuits take turns: a busy one does not hold up the others", () => {
  const queue = new CellQueue();
  for (let i = 0; i < 100; i++) queue.push(cell(1), i);
  for (const circuit of [2, 3]) {
    queue.push(cell(circuit), 200);
    queue.push(cell(circuit), 201);
  }
  assertEquals(circuitsOf(queue.take(8, Infinity)), [1, 2, 3, 1, 2, 3, 1, 1]);
});

Deno.test("a batch ends at its count, or once it has its bytes", () => {
  const queue = new CellQueue();
  for (let i = 0; i < 10; i++) queue.push(cell(1, LARGE), i);
  assertEquals(queue.take(3, Infinity).length, 3);
  assertEquals(queue.take(10, 1).length, 1);
  assertEquals(queue.take(10, BODY_BYTES[LARGE] + 1).length, 2);
  assertEquals(queue.take(10, 0).length, 0);
  assertEquals(queue.bytes, 4 * BODY_BYTES[LARGE]);
});

type Step =
  | { readonly kind: "push"; readonly circuit: number; readonly size: CellSize }
  | { readonly kind: "take"; readonly count: number; readonly bytes: number }
  | { readonly kind: "drop"; readonly circuit: number }
  | { readonly kind: "clear" };

const circuits = fc.integer({ min: 1, max: 5 });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    arbitrary: fc.record({
      kind: fc.constant("push" as const),
      circuit: circuits,
      size: fc.constantFrom(SMALL, LARGE),
    }),
    weight: 6,
  },
  {
    arbitrary: fc.record({
      kind: fc.constant("take" as const),
      count: fc.nat(6),
      bytes: fc.nat(3 * BODY_BYTES[LARGE]),
    }),
    weight: 2,
  },
  fc.record({ kind: fc.constant("drop" as const), circuit: circuits }),
  { arbitrary: fc.constant({ kind: "clear" as const }), weight: 1 },
);

Deno.test("whatever is pushed, taken and dropped, the accounts are those of the contents, and each circuit's cells keep their order", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      const queue = new CellQueue();
      const model = new Map<number, { at: number; bytes: number }[]>();
      for (const [at, each] of steps.entries()) {
        if (each.kind === "push") {
          queue.push(cell(each.circuit, each.size, at), at);
          const waiting = model.get(each.circuit) ?? [];
          waiting.push({ at, bytes: BODY_BYTES[each.size] });
          model.set(each.circuit, waiting);
        } else if (each.kind === "take") {
          const taken = queue.take(each.count, each.bytes);
          assert(taken.length <= each.count);
          for (const { header: { circuit, detail } } of taken) {
            assertEquals(model.get(circuit)!.shift()!.at, detail);
          }
        } else if (each.kind === "drop") {
          const waiting = model.get(each.circuit) ?? [];
          assertEquals(queue.drop(each.circuit), sum(waiting));
          model.delete(each.circuit);
        } else {
          assertEquals(queue.clear(), sum([...model.values()].flat()));
          model.clear();
        }
        const all = [...model.values()].flat();
        assertEquals(queue.bytes, sum(all));
        assertEquals(queue.isEmpty, all.length === 0);
        for (let circuit = 1; circuit <= 5; circuit++) {
          assertEquals(queue.bytesOf(circuit), sum(model.get(circuit) ?? []));
        }
        const oldest = all.length === 0
          ? undefined
          : Math.min(...all.map((waiting) => waiting.at));
        assertEquals(queue.oldest()?.since, oldest);
        if (oldest !== undefined) {
          assertEquals(model.get(queue.oldest()!.circuit)![0]!.at, oldest);
        }
      }
    }),
  );
});

function sum(waiting: readonly { readonly bytes: number }[]): number {
  return waiting.reduce((total, { bytes }) => total + bytes, 0);
}
