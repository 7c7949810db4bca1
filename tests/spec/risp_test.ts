import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  CommandWriter,
  Decoder,
  MalformedError,
  Vocabulary,
} from "../../lib/protocol/mod.ts";
import type { AnyParameter, Bytes, Message } from "../../lib/protocol/mod.ts";
import { SPEC_TABLES } from "../../tools/spec_tables.ts";
import { ascii, join } from "./naive_primitives.ts";
import { decode, encode, encodeId } from "./naive_risp.ts";
import type { Decoded, Value } from "./naive_risp.ts";
import { SPEC, specTable, together } from "./naive_tables.ts";

const VOCABULARY = new Vocabulary(...SPEC_TABLES);
const TABLE = together(
  ...SPEC_TABLES.map(({ service }) => specTable(service)),
);
const PARAMETERS = new Map(
  SPEC_TABLES.flatMap(({ parameters }) => parameters)
    .map((each) => [each.name, each]),
);
const VERBS = new Map(
  SPEC_TABLES.flatMap(({ verbs }) => verbs).map((each) => [each.name, each]),
);
const ROOMY = { message: 100_000, skipped: 100_000 };

/** The verb and the values of a message of ours, to be compared. */
function shown(message: Message): unknown[] {
  const values = [...PARAMETERS.values()].flatMap((parameter) => {
    const all = message.all(parameter as never) as readonly Value[];
    return all.length === 0 ? [] : [[parameter.name, [...all]]];
  });
  return [message.verb.name, ...values.sort()];
}

function shownNaive({ messages, end }: Decoded): unknown[] {
  return [
    ...messages.map(({ verb, values }) => [
      verb,
      ...[...values].map(([name, all]) => [name, [...all]]).sort(),
    ]),
    end,
  ];
}

/** What our decoder makes of a stream that arrives in pieces. */
function ours(
  stream: Bytes,
  piece: number,
  limits: { message: number; skipped: number },
): unknown[] {
  const decoder = new Decoder(VOCABULARY, {
    messageBytes: limits.message,
    skippedBytes: limits.skipped,
  });
  const seen: unknown[] = [];
  try {
    for (let at = 0; at < stream.length; at += piece) {
      decoder.push(stream.slice(at, at + piece));
      for (let message; (message = decoder.next()) !== undefined;) {
        seen.push(shown(message));
      }
    }
  } catch (error) {
    assert(error instanceof MalformedError);
    return [...seen, "malformed"];
  }
  return [...seen, decoder.complete ? "whole" : "cut"];
}

const bytes = (maxLength: number): fc.Arbitrary<Bytes> =>
  fc.uint8Array({ maxLength }).map((each) => new Uint8Array(each));

function valueFor({ id }: { readonly id: number }): fc.Arbitrary<Value> {
  if (id < 0x1000) return fc.integer({ min: 0, max: 0xff });
  if (id < 0x2000) return fc.integer({ min: 0, max: 0xffff });
  if (id < 0x3000) return fc.integer({ min: 0, max: 0xffffffff });
  if (id < 0x4000) return fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
  if (id >= 0x8000) {
    return bytes(300).map((b) => id < 0x9000 ? b.slice(0, 255) : b);
  }
  const size = id < 0x5000 ? 16 : id < 0x6000 ? 32 : 64;
  return fc.uint8Array({ minLength: size, maxLength: size })
    .map((each) => new Uint8Array(each));
}

const known = fc.oneof(
  fc.constantFrom(...PARAMETERS.values()).chain((parameter) =>
    valueFor(parameter).map((value) => [parameter.name, value] as const)
  ),
  fc.constantFrom(...VERBS.keys()),
);

/** Any id, mostly one that nobody has named, as the text's ranges encode it. */
const unknown: fc.Arbitrary<Bytes> = fc.integer({ min: 0, max: 0xffff }).chain(
  (id) =>
    id >= 0xc000 || (id >= 0x7000 && id < 0x8000)
      ? fc.constant(encodeId(id))
      : valueFor({ id }).map((value) => encodeId(id, value)),
);

Deno.test("S2.1: the encoder of the text and ours write the same bytes", () => {
  fc.assert(
    fc.property(fc.array(known, { maxLength: 20, size: "max" }), (commands) => {
      const writer = new CommandWriter();
      for (const command of commands) {
        if (typeof command === "string") writer.verb(VERBS.get(command)!);
        else {
          const parameter: AnyParameter = PARAMETERS.get(command[0])!;
          writer.set(parameter as never, command[1] as never);
        }
      }
      assertEquals(writer.done(), encode(TABLE, ...commands));
    }),
    { numRuns: 500 },
  );
});

Deno.test("S2.1: the decoder of the text and ours read the same, whatever the order, the pieces and the unknown", () => {
  let messages = 0;
  fc.assert(
    fc.property(
      fc.array(
        fc.oneof(
          { weight: 3, arbitrary: known.map((each) => encode(TABLE, each)) },
          { weight: 1, arbitrary: unknown },
        ),
        { maxLength: 30, size: "max" },
      ),
      fc.integer({ min: 0, max: 40 }),
      fc.integer({ min: 1, max: 64 }),
      (parts, cut, piece) => {
        const whole = join(...parts);
        const stream = whole.slice(0, Math.max(0, whole.length - cut));
        const naive = decode(stream, TABLE, ROOMY);
        assertEquals(ours(stream, piece, ROOMY), shownNaive(naive));
        messages += naive.messages.length;
      },
    ),
    { numRuns: 1_000 },
  );
  assert(messages > 2_000, `${messages} messages`);
});

Deno.test("S2.1 S2.2: limits fall at the same byte for the decoder of the text and ours", () => {
  const seen = new Set<string>();
  fc.assert(
    fc.property(
      fc.array(
        fc.oneof(known.map((each) => encode(TABLE, each)), unknown),
        { maxLength: 12, size: "max" },
      ),
      fc.integer({ min: 0, max: 400 }),
      fc.integer({ min: 0, max: 400 }),
      fc.integer({ min: 1, max: 64 }),
      (parts, message, skipped, piece) => {
        const stream = join(...parts);
        const naive = decode(stream, TABLE, { message, skipped });
        assertEquals(
          ours(stream, piece, { message, skipped }),
          shownNaive(naive),
        );
        seen.add(naive.end);
      },
    ),
    { numRuns: 2_000 },
  );
  assertEquals([...seen].sort(), ["cut", "malformed", "whole"]);
});

Deno.test("S2.2: random bytes mean the same to the decoder of the text and ours", () => {
  fc.assert(
    fc.property(
      bytes(400),
      fc.integer({ min: 1, max: 400 }),
      (stream, piece) => {
        const limits = { message: 200, skipped: 1_000 };
        assertEquals(
          ours(stream, piece, limits),
          shownNaive(decode(stream, TABLE, limits)),
        );
      },
    ),
    { numRuns: 2_000 },
  );
});

Deno.test("S2.1: a length of eight bytes beyond every limit is refused as soon as it stands there", () => {
  const limits = { message: 100, skipped: 100 };
  for (const head of ["0020000000000000", "ffffffffffffffff"]) {
    const stream = Uint8Array.fromHex(`b123${head}`);
    assertEquals(ours(stream, 64, limits), ["malformed"]);
    assertEquals(shownNaive(decode(stream, TABLE, limits)), ["malformed"]);
    assertEquals(ours(stream.slice(0, 9), 64, limits), ["cut"]);
    assertEquals(
      shownNaive(decode(stream.slice(0, 9), TABLE, limits)),
      ["cut"],
    );
  }
});

Deno.test("S2.1: the example in SPEC.md §2.2 is what both encoders write", () => {
  const lines = SPEC.split("### 2.2")[1]!.split("### 2.3")[0]!
    .matchAll(/^ {4}([0-9a-f ]+?) {3}/gm);
  const example = [...lines].map(([, hex]) => hex!.replaceAll(" ", "")).join(
    "",
  );
  const username = ascii("alice@example.org");
  assertEquals(
    encode(TABLE, ["USERNAME", username], "PREPARE").toHex(),
    example,
  );
  const parameter = PARAMETERS.get("USERNAME")!;
  assertEquals(
    new CommandWriter().set(parameter as never, username as never)
      .verb(VERBS.get("PREPARE")!).done().toHex(),
    example,
  );
});
