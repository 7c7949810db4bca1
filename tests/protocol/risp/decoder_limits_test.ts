import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { concat } from "../../../lib/protocol/bytes/bytes.ts";
import type { Bytes } from "../../../lib/protocol/bytes/bytes.ts";
import { MalformedError } from "../../../lib/protocol/bytes/malformed_error.ts";
import { CommandWriter } from "../../../lib/protocol/risp/command_writer.ts";
import { Decoder } from "../../../lib/protocol/risp/decoder.ts";
import type { DecoderLimits } from "../../../lib/protocol/risp/decoder.ts";
import { Vocabulary } from "../../../lib/protocol/risp/vocabulary.ts";
import { memoryInUse } from "../../hostile/memory.ts";
import { command, decodeAll, pieces } from "./streams.ts";
import * as t from "./table.ts";

const VOCABULARY = new Vocabulary(t.TABLE);
const hex = (text: string): Bytes => Uint8Array.fromHex(text);

function decoder(limits: Partial<DecoderLimits>): Decoder {
  return new Decoder(VOCABULARY, {
    messageBytes: 1_000,
    skippedBytes: 1_000,
    ...limits,
  });
}

function refuses(limits: Partial<DecoderLimits>, stream: Bytes): void {
  assertThrows(() => decodeAll(decoder(limits), [stream]), MalformedError);
}

function takes(limits: Partial<DecoderLimits>, stream: Bytes): void {
  assertEquals(decodeAll(decoder(limits), [stream]).length, 1);
}

Deno.test("Decoder: the bytes of all parameters of one verb, ids and lengths included, obey the limit to the byte", () => {
  const stream = new CommandWriter().set(t.U8, 1).set(
    t.BYTES_2,
    new Uint8Array(90),
  )
    .set(t.FIXED_16, new Uint8Array(16)).verb(t.GO).done();
  const parameters = stream.length - 2;
  takes({ messageBytes: parameters }, stream);
  refuses({ messageBytes: parameters - 1 }, stream);
});

Deno.test("Decoder: a million empty values of a list cannot fill the memory: each counts 256 bytes", () => {
  const empty = new CommandWriter().set(t.PIECES, new Uint8Array(0)).done();
  const four = concat(empty, empty, empty, empty);
  const go = new CommandWriter().verb(t.GO).done();
  takes({ messageBytes: 4 * 256 }, concat(four, go));
  refuses({ messageBytes: 4 * 256 - 1 }, concat(four, go));
  const long = new CommandWriter().set(t.PIECES, new Uint8Array(300)).verb(
    t.GO,
  );
  takes({ messageBytes: 304 }, long.done());
  refuses({ messageBytes: 303 }, long.done());
});

Deno.test("Decoder: every verb has the whole limit; a value that is replaced still counts", () => {
  const one = new CommandWriter().set(t.U32, 1).verb(t.GO).done();
  const many = decoder({ messageBytes: 6 });
  assertEquals(decodeAll(many, [concat(one, one, one)]).length, 3);
  const replaced = new CommandWriter().set(t.U32, 1).set(t.U32, 2).verb(t.GO);
  refuses({ messageBytes: 11 }, replaced.done());
  takes({ messageBytes: 12 }, replaced.done());
});

Deno.test("Decoder: unknown commands are counted over the life of the decoder, verbs with what they took", () => {
  const unknown = command(0x8abc, new Uint8Array(7));
  const go = new CommandWriter().verb(t.GO).done();
  const stream = concat(unknown, go, unknown, go);
  assertEquals(decodeAll(decoder({ skippedBytes: 20 }), [stream]).length, 2);
  refuses({ skippedBytes: 19 }, stream);
  const verbs = new CommandWriter().set(t.U32, 1).append(hex("7abc")).verb(
    t.GO,
  );
  takes({ skippedBytes: 8 }, verbs.done());
  refuses({ skippedBytes: 7 }, verbs.done());
});

Deno.test("Decoder: a known parameter that announces too much is refused before its bytes come", () => {
  for (
    const head of [
      "9042" + "03e5",
      "a042" + "ffffffff",
      "b042" + "0000000000000400",
    ]
  ) refuses({}, hex(head));
  const fits = decoder({});
  assertEquals(decodeAll(fits, [hex("9042" + "03e4")]), []);
});

Deno.test("Decoder: an unknown parameter that announces too much is refused before its bytes come", () => {
  for (
    const head of [
      "9abc" + "ffff",
      "aabc" + "ffffffff",
      "babc" + "0000000000010000",
      "babc" + "001fffffffffffff",
    ]
  ) refuses({ skippedBytes: 65_536 }, hex(head));
});

Deno.test("Decoder: a length of 2^53 or more, which no number holds exactly, is beyond every budget", () => {
  for (
    const length of [
      "0020000000000000",
      "0020000000000001",
      "8000000000000000",
      "ffffffffffffffff",
    ]
  ) {
    refuses({ skippedBytes: Number.MAX_SAFE_INTEGER }, hex("babc" + length));
    refuses({ messageBytes: Number.MAX_SAFE_INTEGER }, hex("b042" + length));
  }
});

Deno.test("Decoder: a long unknown parameter is skipped as it arrives and kept nowhere", () => {
  const skipping = decoder({ skippedBytes: 2 ** 40 });
  const total = 64 * 1_048_576;
  skipping.push(hex("babc" + total.toString(16).padStart(16, "0")));
  assertEquals(skipping.next(), undefined);
  const piece = new Uint8Array(65_536);
  const before = memoryInUse().live;
  for (let sent = 0; sent < total; sent += piece.length) {
    skipping.push(piece);
    assertEquals(skipping.next(), undefined);
    assertEquals(skipping.remainder().length, 0);
  }
  const grown = memoryInUse().live - before;
  assert(grown < 1_048_576, `${grown} bytes more`);
  skipping.push(new CommandWriter().verb(t.GO).done());
  assertEquals(skipping.next()!.verb, t.GO);
});

Deno.test("Decoder: an announced length takes no memory, however generous the limits", () => {
  const limits = { messageBytes: 2 ** 40, skippedBytes: 2 ** 40 };
  const before = memoryInUse().live;
  const waiting: Decoder[] = [];
  for (let i = 0; i < 1_000; i++) {
    for (const head of ["a042" + "7fffffff", "b042" + "0000000fffffffff"]) {
      const each = new Decoder(VOCABULARY, limits);
      each.push(hex(head));
      assertEquals(each.next(), undefined);
      waiting.push(each);
    }
  }
  const grown = memoryInUse().live - before;
  assertEquals(waiting.length, 2_000);
  assert(grown < 4 * 1_048_576, `${grown} bytes more for 2,000 decoders`);
});

Deno.test("S2.2: Decoder: random bytes give messages or MalformedError and nothing else (12,000 inputs)", () => {
  let refused = 0;
  let read = 0;
  const input = fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    // Ids of the table first, so that more than the first id is looked at.
    fc.tuple(
      fc.constantFrom(...t.PARAMETERS.map(({ id }) => id)),
      fc.uint8Array({ maxLength: 100 }),
    ).map(([id, tail]) => concat(new Uint8Array([id >> 8, id & 0xff]), tail)),
  );
  fc.assert(
    fc.property(input, fc.array(fc.nat(300)), (bytes, cuts) => {
      try {
        decodeAll(decoder({}), pieces(new Uint8Array(bytes), cuts));
        read++;
      } catch (error) {
        if (!(error instanceof MalformedError)) throw error;
        refused++;
      }
    }),
    { numRuns: 12_000 },
  );
  assert(read > 1_000 && refused > 1_000, `${read} read, ${refused} refused`);
});

Deno.test("Decoder: where bytes are refused does not depend on how they were cut", () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 200 }),
      fc.array(fc.nat(200)),
      (input, cuts) => {
        const bytes = new Uint8Array(input);
        const outcome = (parts: readonly Bytes[]): string => {
          const messages: string[] = [];
          const each = decoder({ messageBytes: 50, skippedBytes: 50 });
          try {
            for (const part of parts) {
              each.push(part);
              for (;;) {
                const message = each.next();
                if (message === undefined) break;
                messages.push(message.describe());
              }
            }
          } catch (error) {
            messages.push(String(error));
          }
          return messages.join("\n");
        };
        assertEquals(outcome(pieces(bytes, cuts)), outcome([bytes]));
      },
    ),
    { numRuns: 3_000 },
  );
});
