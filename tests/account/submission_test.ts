import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import fc from "fast-check";
import { ACCOUNT, DONE, WHO_AM_I } from "../../lib/account/mod.ts";
import {
  DATA,
  DATA_LENGTH,
  SUBMIT,
  VERIFICATION_SHA256,
} from "../../lib/account/commands.ts";
import { RequestVocabulary } from "../../lib/account/request_vocabulary.ts";
import {
  parseCommands,
  readData,
  signedBytes,
  SUBMISSION_COMMANDS,
  SUBMISSION_LIMIT,
  writeData,
} from "../../lib/account/submission.ts";
import {
  CommandWriter,
  concat,
  Decoder,
  MalformedError,
  randomBytes,
  sha256,
  utf8,
  Vocabulary,
} from "../../lib/protocol/mod.ts";
import type { Bytes, Message } from "../../lib/protocol/mod.ts";
import { BLOB, echo, ECHO_TABLE } from "./echo_service.ts";

const WORDS = new Vocabulary(ACCOUNT, ECHO_TABLE);

/** The one message that `commands` hold. */
function decode(commands: Bytes): Message {
  const decoder = new Decoder(WORDS, {
    messageBytes: SUBMISSION_LIMIT + 4_096,
    skippedBytes: 0,
  });
  decoder.push(commands);
  const message = decoder.next();
  assert(message !== undefined && decoder.complete);
  return message;
}

async function submit(plaintext: Bytes): Promise<Message> {
  const writer = new CommandWriter();
  writeData(writer, plaintext, await sha256(plaintext));
  return decode(writer.verb(SUBMIT).done());
}

/** SUBMIT of given pieces, with any length and hash. */
function pieces(length: number, parts: Bytes[], hash: Bytes): Message {
  const writer = new CommandWriter().set(DATA_LENGTH, length);
  for (const part of parts) writer.set(DATA, part);
  return decode(writer.set(VERIFICATION_SHA256, hash).verb(SUBMIT).done());
}

Deno.test("S2.6: plaintexts of every length come back, in pieces of 48 KiB", async () => {
  const table = [
    [0, 0],
    [1, 1],
    [49_151, 1],
    [49_152, 1],
    [49_153, 2],
    [98_304, 2],
    [98_305, 3],
    [SUBMISSION_LIMIT - 1, 6],
    [SUBMISSION_LIMIT, 6],
  ];
  for (const [length, count] of table) {
    const plaintext = randomBytes(length!);
    const message = await submit(plaintext);
    assertEquals(message.get(DATA_LENGTH), length);
    assertEquals(message.all(DATA).length, count, `${length} bytes`);
    assertEquals(await readData(message), plaintext);
  }
});

Deno.test("S2.6: however the pieces were cut, they add up", async () => {
  await fc.assert(fc.asyncProperty(
    fc.array(fc.uint8Array({ maxLength: 50 }), { maxLength: 8 }),
    async (parts) => {
      const plaintext = concat(...parts);
      const hash = await sha256(plaintext);
      const message = pieces(plaintext.length, parts as Bytes[], hash);
      assertEquals(await readData(message), plaintext);
    },
  ));
});

Deno.test("S0.8 S2.6: another length, another hash, other bytes or another order do not count", async () => {
  const [a, b] = [randomBytes(100), randomBytes(100)];
  const hash = await sha256(concat(a, b));
  assertEquals(await readData(pieces(200, [a, b], hash)), concat(a, b));
  const changed = a.slice();
  changed[99]! ^= 0x80;
  const wrong = hash.slice();
  wrong[0]! ^= 1;
  const cases = {
    "longer than said": pieces(199, [a, b], hash),
    "shorter than said": pieces(201, [a, b], hash),
    "nothing said": pieces(0, [a, b], hash),
    "one bit": pieces(200, [changed, b], hash),
    "order": pieces(200, [b, a], hash),
    "a piece missing": pieces(200, [a], hash),
    "a piece twice": pieces(200, [a, b, b], hash),
    "no piece": pieces(200, [], hash),
    "hash": pieces(200, [a, b], wrong),
    "hash of nothing": pieces(200, [a, b], await sha256(new Uint8Array(0))),
  };
  for (const [name, message] of Object.entries(cases)) {
    assertEquals(await readData(message), undefined, name);
  }
});

Deno.test("S2.6: without a length or a hash it is malformed", async () => {
  const hash = await sha256(new Uint8Array(0));
  const noLength = decode(
    new CommandWriter().set(VERIFICATION_SHA256, hash).verb(SUBMIT).done(),
  );
  const noHash = decode(
    new CommandWriter().set(DATA_LENGTH, 0).verb(SUBMIT).done(),
  );
  for (const message of [noLength, noHash]) {
    await assertRejects(() => readData(message), MalformedError);
  }
});

Deno.test("S1.4: what is signed is label, channel, counter, name, plaintext, and no two of them run together", () => {
  const hash = new Uint8Array(32).fill(0xaa);
  assertEquals(
    signedBytes(hash, 0x0102n, utf8("al@z"), new Uint8Array([9])),
    concat(
      utf8("sotto submission 1"),
      hash,
      new Uint8Array([0, 0, 0, 0, 0, 0, 1, 2, 4]),
      utf8("al@z"),
      new Uint8Array([9]),
    ),
  );
  const shifted = [
    signedBytes(hash, 1n, utf8("al@z"), utf8("x")),
    signedBytes(hash, 1n, utf8("al@zx"), utf8("")),
    signedBytes(hash, 1n, utf8("al@"), utf8("zx")),
    signedBytes(hash, 2n, utf8("al@z"), utf8("x")),
  ];
  assertEquals(new Set(shifted.map((each) => each.toHex())).size, 4);
});

Deno.test("submission: commands come out in order; none is fine", () => {
  assertEquals(parseCommands(new Uint8Array(0), WORDS), []);
  const messages = parseCommands(
    concat(echo(1), new CommandWriter().verb(WHO_AM_I).done(), echo(2)),
    WORDS,
  );
  assertEquals(messages.map(({ verb }) => verb.name), [
    "ECHO",
    "WHO-AM-I",
    "ECHO",
  ]);
});

Deno.test("submission: a plaintext must end with a command", () => {
  const whole = echo(7, randomBytes(20));
  for (let length = 1; length < whole.length; length++) {
    assertThrows(
      () => parseCommands(whole.slice(0, length), WORDS),
      MalformedError,
    );
  }
  const dangling = new CommandWriter().set(BLOB, randomBytes(3)).done();
  assertThrows(
    () => parseCommands(concat(whole, dangling), WORDS),
    MalformedError,
  );
});

Deno.test("submission: 1,024 commands are taken, one more is not", () => {
  const one = new CommandWriter().verb(DONE).done();
  const many = (count: number) =>
    concat(...Array.from({ length: count }, () => one));
  assertEquals(SUBMISSION_COMMANDS, 1_024);
  assertEquals(parseCommands(many(1_024), WORDS).length, 1_024);
  assertThrows(() => parseCommands(many(1_025), WORDS), MalformedError);
});

Deno.test("submission: the parameters of a command are read up to 256 KiB", () => {
  const head = echo(undefined, new Uint8Array(0)).length - 2;
  const longest = echo(undefined, new Uint8Array(SUBMISSION_LIMIT - head));
  assertEquals(parseCommands(longest, WORDS).length, 1);
  const longer = echo(undefined, new Uint8Array(SUBMISSION_LIMIT - head + 1));
  assertThrows(() => parseCommands(longer, WORDS), MalformedError);
});

Deno.test("submission: any bytes parse or are malformed", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      try {
        parseCommands(bytes as Bytes, WORDS);
      } catch (error) {
        assert(error instanceof MalformedError);
      }
    }),
  );
});

Deno.test("S2.8: inside a submission an unknown parameter is skipped, an unknown verb is owed an answer", () => {
  const unknownParameter = new Uint8Array([0x87, 0x77, 3, 1, 2, 3]);
  const unknownVerbs = new Uint8Array([0x77, 0x77, 0xc0, 0x01]);
  const plaintext = concat(unknownParameter, echo(1), unknownVerbs, echo(2));
  const names = (vocabulary: Vocabulary) =>
    parseCommands(plaintext, vocabulary).map(({ verb }) => verb.name);
  assertEquals(names(WORDS), ["ECHO", "ECHO"]);
  assertEquals(
    names(new RequestVocabulary(ACCOUNT, ECHO_TABLE)),
    ["ECHO", "UNKNOWN", "UNKNOWN", "ECHO"],
  );
});
