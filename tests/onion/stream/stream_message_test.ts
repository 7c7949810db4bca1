import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import {
  END_REASONS,
  StreamError,
} from "../../../lib/onion/stream/stream_error.ts";
import {
  ADDRESSES_LIMIT,
  encodeBegin,
  encodeEnd,
  encodeResolve,
  encodeResolved,
  HOST_LIMIT,
  parseBegin,
  parseEnd,
  parseResolve,
  parseResolved,
} from "../../../lib/onion/stream/stream_message.ts";
import type { Bytes } from "../../../lib/protocol/mod.ts";
import { concat, MalformedError } from "../../../lib/protocol/mod.ts";

const PARSERS: readonly ((data: Bytes) => unknown)[] = [
  parseBegin,
  parseResolve,
  parseResolved,
  parseEnd,
];

const NAMES = [
  "a",
  "example.com",
  "192.0.2.1",
  "2001:db8::1",
  "münchen.example",
  "x".repeat(HOST_LIMIT),
];
const NO_NAMES = [
  "",
  "a b",
  "a\n",
  "a\0",
  "\x7f",
  "x".repeat(HOST_LIMIT + 1),
  "ü".repeat(HOST_LIMIT / 2 + 1),
  "x".repeat(1_000),
];

Deno.test("destinations, names, answers and reasons come out as they went in", () => {
  for (const host of NAMES) {
    for (const port of [1, 80, 0xffff]) {
      assertEquals(parseBegin(encodeBegin({ host, port })), { host, port });
    }
    assertEquals(parseResolve(encodeResolve(host)), host);
  }
  assertEquals(parseResolved(encodeResolved(NAMES)), NAMES);
  assertEquals(parseResolved(encodeResolved([])), []);
  for (const reason of END_REASONS) {
    assertEquals(parseEnd(encodeEnd(reason)), reason);
  }
  assertEquals(parseEnd(Uint8Array.of(END_REASONS.length)), "misc");
});

Deno.test("what the other side would take for an attack is not sent", () => {
  for (const host of NO_NAMES) {
    assertThrows(() => encodeBegin({ host, port: 80 }), StreamError);
    assertThrows(() => encodeResolve(host), StreamError);
  }
  for (const port of [0, -1, 0x1_0000, 1.5, NaN]) {
    assertThrows(() => encodeBegin({ host: "a", port }), StreamError);
  }
});

Deno.test("of answers only names are told, and no more than there is room for", () => {
  assertEquals(parseResolved(encodeResolved([...NO_NAMES, "a"])), ["a"]);
  const many = Array.from({ length: 40 }, (_, i) => `${i}.example`);
  assertEquals(
    parseResolved(encodeResolved(many)),
    many.slice(0, ADDRESSES_LIMIT),
  );
});

Deno.test("what is cut, or goes on behind its end, is refused", () => {
  const whole: [Bytes, (data: Bytes) => unknown][] = [
    [encodeBegin({ host: "example.com", port: 80 }), parseBegin],
    [encodeResolve("example.com"), parseResolve],
    [encodeResolved(["192.0.2.1", "::1"]), parseResolved],
    [encodeEnd("done"), parseEnd],
  ];
  for (const [bytes, parse] of whole) {
    parse(bytes);
    for (let length = 0; length < bytes.length; length++) {
      assertThrows(() => parse(bytes.slice(0, length)), MalformedError);
    }
    assertThrows(() => parse(concat(bytes, Uint8Array.of(0))), MalformedError);
  }
  assertThrows(() => parseBegin(Uint8Array.of(0, 0, 1, 97)), MalformedError);
  assertThrows(() => parseResolve(Uint8Array.of(1, 32)), MalformedError);
  assertThrows(() => parseResolve(Uint8Array.of(1, 0xff)), MalformedError);
  assertThrows(
    () => parseResolved(Uint8Array.of(ADDRESSES_LIMIT + 1)),
    MalformedError,
  );
});

Deno.test("random bytes are read, or refused with MalformedError", () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.uint8Array({ maxLength: 300 }),
        fc.uint8Array({ maxLength: 6, max: 4 }),
      ),
      (random) => {
        for (const parse of PARSERS) {
          try {
            parse(new Uint8Array(random));
          } catch (error) {
            assert(error instanceof MalformedError, `${error}`);
          }
        }
      },
    ),
    { numRuns: 2_000 },
  );
});
