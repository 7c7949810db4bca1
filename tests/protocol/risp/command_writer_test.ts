import { assertEquals, assertThrows } from "@std/assert";
import type { Parameter } from "../../../lib/protocol/risp/command.ts";
import { CommandWriter } from "../../../lib/protocol/risp/command_writer.ts";
import * as t from "./table.ts";

const write = (): CommandWriter => new CommandWriter(0);
const ascending = (length: number): Uint8Array<ArrayBuffer> =>
  new Uint8Array(length).map((_, i) => i);

Deno.test("S2.1: CommandWriter: every range as bytes, typed in from the table of the design", () => {
  const cases: readonly (readonly [CommandWriter, string])[] = [
    [write().set(t.U8, 0xab), "0042" + "ab"],
    [write().set(t.U16, 0xabcd), "1042" + "abcd"],
    [write().set(t.U32, 0xabcdef01), "2042" + "abcdef01"],
    [write().set(t.U64, 0xabcdef0123456789n), "3042" + "abcdef0123456789"],
    [
      write().set(t.FIXED_16, ascending(16)),
      "4042" + ascending(16).toHex(),
    ],
    [
      write().set(t.FIXED_32, ascending(32)),
      "5042" + ascending(32).toHex(),
    ],
    [
      write().set(t.FIXED_64, ascending(64)),
      "6042" + ascending(64).toHex(),
    ],
    [write().set(t.BYTES_1, ascending(3)), "8042" + "03" + "000102"],
    [write().set(t.BYTES_2, ascending(3)), "9042" + "0003" + "000102"],
    [write().set(t.BYTES_4, ascending(3)), "a042" + "00000003" + "000102"],
    [
      write().set(t.BYTES_8, ascending(3)),
      "b042" + "0000000000000003" + "000102",
    ],
    [write().verb(t.GO), "7042"],
    [write().verb(t.STOP), "c042"],
    [write().verb(t.LAST), "ffff"],
  ];
  for (const [writer, hex] of cases) {
    assertEquals(writer.done().toHex(), hex);
    assertEquals(writer.length, hex.length / 2);
  }
});

Deno.test("CommandWriter: commands stand behind each other in the order of the calls", () => {
  const inner = write().set(t.U8, 1).verb(t.STOP).done();
  const whole = write().set(t.BYTES_1, ascending(1)).verb(t.GO).append(inner);
  assertEquals(whole.done().toHex(), "80420100" + "7042" + "004201" + "c042");
});

Deno.test("CommandWriter: undefined leaves a parameter unset", () => {
  assertEquals(write().set(t.U8, undefined).verb(t.GO).done().toHex(), "7042");
});

Deno.test("CommandWriter: what does not fit its parameter is refused", () => {
  const refused: readonly (() => unknown)[] = [
    () => write().set(t.U8, 256),
    () => write().set(t.U8, -1),
    () => write().set(t.U8, 1.5),
    () => write().set(t.U16, 65_536),
    () => write().set(t.U32, 2 ** 32),
    () => write().set(t.U64, 1n << 64n),
    () => write().set(t.U64, -1n),
    () => write().set(t.FIXED_16, ascending(15)),
    () => write().set(t.FIXED_16, ascending(17)),
    () => write().set(t.FIXED_32, ascending(0)),
    () => write().set(t.FIXED_64, ascending(32)),
    () => write().set(t.BYTES_1, ascending(256)),
    () => write().set(t.BYTES_2, ascending(65_536)),
    // A caller who gets round the types.
    () => write().set(t.U8 as Parameter<number | bigint>, 256n),
  ];
  for (const each of refused) assertThrows(each, RangeError);
});

Deno.test("CommandWriter: the longest values of short lengths fit", () => {
  assertEquals(write().set(t.BYTES_1, ascending(255)).length, 2 + 1 + 255);
  assertEquals(
    write().set(t.BYTES_2, ascending(65_535)).length,
    2 + 2 + 65_535,
  );
  assertEquals(
    write().set(t.BYTES_4, ascending(65_536)).length,
    2 + 4 + 65_536,
  );
});
