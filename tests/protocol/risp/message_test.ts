import { assert, assertEquals, assertThrows } from "@std/assert";
import { MalformedError } from "../../../lib/protocol/bytes/malformed_error.ts";
import { utf8 } from "../../../lib/protocol/bytes/bytes.ts";
import { Message } from "../../../lib/protocol/risp/message.ts";
import { BYTES_1, GO, PIECES, U64, U8 } from "./table.ts";

const MESSAGE = new Message(
  GO,
  new Map<typeof U8 | typeof U64 | typeof BYTES_1, readonly never[]>([
    [U8, [7 as never]],
    [U64, [1n as never]],
    [BYTES_1, [utf8("secret") as never]],
    [PIECES, [utf8("a") as never, utf8("bc") as never]],
  ]),
);

Deno.test("Message: get answers undefined for what was not set, need refuses with both names", () => {
  const empty = new Message(GO, new Map());
  assertEquals(empty.get(U8), undefined);
  assertEquals(empty.all(PIECES), []);
  assertThrows(
    () => empty.need(U8),
    MalformedError,
    "Cannot execute GO: U8 was not set",
  );
});

Deno.test("Message: get and need give the value, all gives every one of a list", () => {
  assertEquals(MESSAGE.get(U8), 7);
  assertEquals(MESSAGE.need(U64), 1n);
  assertEquals(MESSAGE.get(PIECES), utf8("bc"));
  assertEquals(MESSAGE.all(PIECES), [utf8("a"), utf8("bc")]);
});

Deno.test("Message: described, it tells lengths and integers but no bytes", () => {
  const text = MESSAGE.describe();
  assertEquals(
    text,
    "U8=7 U64=1 BYTES-1=6 bytes PIECES=1 bytes+2 bytes GO",
  );
  assert(!text.includes("secret"));
});
