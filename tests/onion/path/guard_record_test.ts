import { assert, assertEquals, assertThrows } from "@std/assert";
import { Guards } from "../../../lib/onion/path/guards.ts";
import {
  encodeGuards,
  parseGuards,
} from "../../../lib/onion/path/guard_record.ts";
import { MalformedError } from "../../../lib/protocol/mod.ts";
import { printOf } from "./relays.ts";

const A = "a".repeat(52);

function guard(change: Record<string, unknown> = {}): Record<string, unknown> {
  return { fingerprint: A, addedAt: 5, unlistedSince: null, ...change };
}

Deno.test("guards as data: what is written is read as the same", () => {
  const records = Array.from({ length: 20 }, (_, i) => ({
    fingerprint: printOf(i),
    addedAt: 1_000 + i,
    ...(i % 2 === 0 ? { unlistedSince: 2_000 + i } : {}),
  }));
  const data = JSON.parse(JSON.stringify(encodeGuards(records)));
  assertEquals(parseGuards(data), records);
  assertEquals(data.guards[0], {
    fingerprint: A,
    addedAt: 1_000,
    unlistedSince: 2_000,
  });
  assertEquals(data.guards[1].unlistedSince, null);
  assertEquals(parseGuards({ version: 1, guards: [] }), []);
});

Deno.test("guards as data: anything else is refused", () => {
  const bad: readonly unknown[] = [
    null,
    "",
    7,
    [],
    {},
    { version: 1 },
    { guards: [] },
    { version: 2, guards: [] },
    { version: "1", guards: [] },
    { version: 1, guards: {} },
    { version: 1, guards: [], more: 1 },
    { version: 1, guards: [null] },
    { version: 1, guards: [[]] },
    { version: 1, guards: [guard(), guard()] },
    { version: 1, guards: [guard({ more: 1 })] },
    { version: 1, guards: [{ fingerprint: A, addedAt: 5 }] },
    { version: 1, guards: [guard({ fingerprint: 7 })] },
    { version: 1, guards: [guard({ fingerprint: "a" })] },
    { version: 1, guards: [guard({ fingerprint: A.toUpperCase() })] },
    { version: 1, guards: [guard({ fingerprint: ` ${A}` })] },
    { version: 1, guards: [guard({ fingerprint: `${A.slice(1)}b` })] },
    { version: 1, guards: [guard({ addedAt: -1 })] },
    { version: 1, guards: [guard({ addedAt: 0.5 })] },
    { version: 1, guards: [guard({ addedAt: "5" })] },
    { version: 1, guards: [guard({ addedAt: 2 ** 53 })] },
    { version: 1, guards: [guard({ addedAt: null })] },
    { version: 1, guards: [guard({ unlistedSince: undefined })] },
    { version: 1, guards: [guard({ unlistedSince: -1 })] },
  ];
  for (const data of bad) {
    const text = JSON.stringify(data);
    assertThrows(() => parseGuards(data), MalformedError, "Cannot read", text);
    assertThrows(() => new Guards(data), MalformedError, undefined, text);
  }
  assert(parseGuards({ version: 1, guards: [guard()] }).length === 1);
});

Deno.test("guards as data: no more than 20", () => {
  const records = Array.from({ length: 21 }, (_, i) => ({
    fingerprint: printOf(i),
    addedAt: 1,
  }));
  parseGuards(encodeGuards(records.slice(1)));
  assertThrows(() => parseGuards(encodeGuards(records)), MalformedError, "20");
});
