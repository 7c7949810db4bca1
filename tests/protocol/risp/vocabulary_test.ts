import { assertEquals, assertThrows } from "@std/assert";
import { bytes, integer, verb } from "../../../lib/protocol/risp/command.ts";
import { Vocabulary } from "../../../lib/protocol/risp/vocabulary.ts";
import { BYTES_1, GO, TABLE, U8 } from "./table.ts";

Deno.test("Vocabulary: finds parameters and verbs by id, each in its own place", () => {
  const vocabulary = new Vocabulary(TABLE);
  assertEquals(vocabulary.parameter(U8.id), U8);
  assertEquals(vocabulary.parameter(BYTES_1.id), BYTES_1);
  assertEquals(vocabulary.verb(GO.id), GO);
  assertEquals(vocabulary.parameter(GO.id), undefined);
  assertEquals(vocabulary.verb(U8.id), undefined);
  assertEquals(vocabulary.parameter(0x0043), undefined);
});

Deno.test("Vocabulary: tables may share a command, but not an id", () => {
  const other = { service: "other", parameters: [U8], verbs: [GO] };
  assertEquals(new Vocabulary(TABLE, other, TABLE).verb(GO.id), GO);
  const clash = integer(U8.id, "NEW", "takes an id that is taken");
  assertThrows(
    () => new Vocabulary(TABLE, { ...other, parameters: [clash] }),
    RangeError,
    "Cannot name NEW: its id belongs to U8",
  );
  assertThrows(
    () =>
      new Vocabulary(TABLE, { ...other, verbs: [verb(GO.id, "NEW", "too")] }),
    RangeError,
    "Cannot name NEW: its id belongs to GO",
  );
  const twice = bytes(BYTES_1.id, "BYTES-1", BYTES_1.meaning);
  assertThrows(
    () => new Vocabulary(TABLE, { ...other, parameters: [twice] }),
    RangeError,
  );
});
