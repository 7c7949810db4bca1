import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { concat } from "../../../lib/protocol/bytes/bytes.ts";
import type { Bytes } from "../../../lib/protocol/bytes/bytes.ts";
import { MalformedError } from "../../../lib/protocol/bytes/malformed_error.ts";
import { CommandWriter } from "../../../lib/protocol/risp/command_writer.ts";
import { Decoder } from "../../../lib/protocol/risp/decoder.ts";
import { Vocabulary } from "../../../lib/protocol/risp/vocabulary.ts";
import { decodeNaively } from "./naive_decoder.ts";
import { command, decodeAll, pieces, plain, streams } from "./streams.ts";
import * as t from "./table.ts";

const VOCABULARY = new Vocabulary(t.TABLE);
const ROOMY = { messageBytes: 1_000_000, skippedBytes: 1_000_000 };
const decoder = (limits = ROOMY): Decoder => new Decoder(VOCABULARY, limits);
const hex = (text: string): Bytes => Uint8Array.fromHex(text);
const ascending = (length: number): Bytes =>
  new Uint8Array(length).map((_, i) => i);

/** A message with a value in every range. */
const EVERYTHING = new CommandWriter()
  .set(t.U8, 0xff).set(t.U16, 0xffff).set(t.U32, 0xffffffff)
  .set(t.U64, 0xffffffffffffffffn)
  .set(t.FIXED_16, ascending(16)).set(t.FIXED_32, ascending(32))
  .set(t.FIXED_64, ascending(64))
  .set(t.BYTES_1, ascending(255)).set(t.BYTES_2, ascending(300))
  .set(t.BYTES_4, ascending(20)).set(t.BYTES_8, ascending(21))
  .set(t.PIECES, ascending(2)).set(t.PIECES, ascending(0))
  .verb(t.GO).done();

Deno.test("S2.1: Decoder: every range comes back as it was set", () => {
  const [message, ...more] = decodeAll(decoder(), [EVERYTHING]);
  assertEquals(more, []);
  assertEquals(message!.verb, t.GO);
  assertEquals(message!.need(t.U8), 0xff);
  assertEquals(message!.need(t.U16), 0xffff);
  assertEquals(message!.need(t.U32), 0xffffffff);
  assertEquals(message!.need(t.U64), 0xffffffffffffffffn);
  assertEquals(message!.need(t.FIXED_16), ascending(16));
  assertEquals(message!.need(t.FIXED_32), ascending(32));
  assertEquals(message!.need(t.FIXED_64), ascending(64));
  assertEquals(message!.need(t.BYTES_1), ascending(255));
  assertEquals(message!.need(t.BYTES_2), ascending(300));
  assertEquals(message!.need(t.BYTES_4), ascending(20));
  assertEquals(message!.need(t.BYTES_8), ascending(21));
  assertEquals(message!.all(t.PIECES), [ascending(2), ascending(0)]);
});

Deno.test("S2.1: Decoder: cut in two at every byte, and byte by byte, it decodes as in one piece", () => {
  const expected = [plain(decodeAll(decoder(), [EVERYTHING])[0]!)];
  for (let at = 0; at <= EVERYTHING.length; at++) {
    const whole = decoder();
    const parts = pieces(EVERYTHING, [at]);
    assertEquals(decodeAll(whole, parts).map(plain), expected, `cut at ${at}`);
    assert(whole.complete);
  }
  const single = [...EVERYTHING].map((byte) => new Uint8Array([byte]));
  assertEquals(decodeAll(decoder(), single).map(plain), expected);
});

Deno.test("Decoder: a stream that ends too early gives nothing and says that it is not complete", () => {
  for (let length = 1; length < EVERYTHING.length; length++) {
    const cut = decoder();
    assertEquals(decodeAll(cut, [EVERYTHING.slice(0, length)]), []);
    assert(!cut.complete, `${length} bytes`);
  }
  assert(decoder().complete);
});

Deno.test("S2.1: Decoder: parameters come in any order, and the last value of each wins", () => {
  const commands = [
    new CommandWriter().set(t.U8, 1).done(),
    new CommandWriter().set(t.BYTES_1, hex("aa")).done(),
    new CommandWriter().set(t.U64, 3n).done(),
  ];
  const go = new CommandWriter().verb(t.GO).done();
  fc.assert(fc.property(
    fc.shuffledSubarray([0, 1, 2], { minLength: 3 }),
    (order) => {
      const stale = new CommandWriter().set(t.U8, 9).set(t.U64, 9n).done();
      const stream = concat(stale, ...order.map((i) => commands[i]!), go);
      const [message] = decodeAll(decoder(), [stream]);
      assertEquals(
        [message!.get(t.U8), message!.get(t.U64), message!.get(t.BYTES_1)],
        [1, 3n, hex("aa")],
      );
      assertEquals(message!.all(t.U8), [1]);
    },
  ));
});

Deno.test("Decoder: a verb takes its parameters with it, also one that nobody knows", () => {
  const stream = new CommandWriter()
    .set(t.U8, 1).verb(t.GO).verb(t.STOP)
    .set(t.U8, 2).append(hex("7fff")).verb(t.LAST).done();
  const messages = decodeAll(decoder(), [stream]);
  assertEquals(messages.map(({ verb }) => verb), [t.GO, t.STOP, t.LAST]);
  assertEquals(messages.map((each) => each.get(t.U8)), [
    1,
    undefined,
    undefined,
  ]);
});

Deno.test("Decoder: a parameter without a verb is no message, and leaves the stream incomplete", () => {
  const waiting = decoder();
  assertEquals(
    decodeAll(waiting, [new CommandWriter().set(t.U8, 1).done()]),
    [],
  );
  assert(!waiting.complete);
  decodeAll(waiting, [new CommandWriter().verb(t.GO).done()]);
  assert(waiting.complete);
});

Deno.test("S2.1: Decoder: unknown commands of every range are skipped, wherever they are cut", () => {
  const go = new CommandWriter().set(t.U8, 7).verb(t.GO).done();
  for (let range = 0; range < 16; range++) {
    const unknown = command((range << 12) | 0xabc, ascending(200));
    const stream = concat(unknown, go);
    for (let at = 0; at <= stream.length; at++) {
      const skipping = decoder();
      const messages = decodeAll(skipping, pieces(stream, [at]));
      assertEquals(messages.map(plain), [
        { verb: "GO", values: { U8: ["07"] } },
      ]);
      assert(skipping.complete);
    }
  }
});

Deno.test("Decoder: what a message holds does not change when the input does", () => {
  const input = new CommandWriter().set(t.BYTES_1, ascending(9)).verb(t.GO)
    .done();
  const [message] = decodeAll(decoder(), [input]);
  input.fill(0xff);
  assertEquals(message!.need(t.BYTES_1), ascending(9));
  assertEquals(message!.need(t.BYTES_1).buffer.byteLength, 9);
});

Deno.test("Decoder: the remainder is what no command has used, once", () => {
  const tail = decoder();
  tail.push(concat(new CommandWriter().verb(t.GO).done(), hex("704200ff")));
  assertEquals(tail.next()!.verb, t.GO);
  assertEquals(tail.remainder(), hex("704200ff"));
  assertEquals(tail.remainder(), hex(""));
  assertEquals(tail.next(), undefined);
});

Deno.test("Decoder: the real one and the naive one agree on any stream, however it is cut", () => {
  fc.assert(
    fc.property(streams, fc.array(fc.nat(2_000)), (stream, cuts) => {
      const fast = decoder();
      const messages = decodeAll(fast, pieces(stream, cuts)).map(plain);
      const naive = decodeNaively(stream);
      assertEquals(messages, naive.messages);
      assertEquals(fast.complete, naive.complete);
    }),
    { numRuns: 2_000 },
  );
});

Deno.test("Decoder: the real one and the naive one agree on when a budget for unknown commands is used up", () => {
  let passed = 0;
  fc.assert(
    fc.property(streams, fc.nat(400), (stream, skippedBytes) => {
      const { skipped, messages } = decodeNaively(stream);
      const tight = decoder({ ...ROOMY, skippedBytes });
      if (skipped > skippedBytes) {
        assertThrows(() => decodeAll(tight, [stream]), MalformedError);
      } else {
        passed++;
        assertEquals(decodeAll(tight, [stream]).length, messages.length);
      }
    }),
    { numRuns: 2_000 },
  );
  assert(passed > 100 && passed < 1_900, `${passed} of 2000 passed`);
});
