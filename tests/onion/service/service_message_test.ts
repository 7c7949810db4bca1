import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import fc from "fast-check";
import {
  BLOB_BYTES,
  encodeEstablishIntro,
  encodeFetch,
  encodeIntroduce,
  encodeIntroduced,
  encodePublish,
  encodeRendezvous,
  INTRODUCTION_STATUSES,
  parseCookie,
  parseFetch,
  parseFetched,
  parseIntroduce,
  parseIntroduced,
  parseJoined,
  parsePublish,
  parseRendezvous,
  readEstablishIntro,
} from "../../../lib/onion/service/service_message.ts";
import { capacity } from "../../../lib/onion/cell/message.ts";
import { HOPS_LIMIT, SMALL } from "../../../lib/onion/cell/cell.ts";
import type { Bytes } from "../../../lib/protocol/mod.ts";
import {
  concat,
  generateSigning,
  MalformedError,
  randomBytes,
} from "../../../lib/protocol/mod.ts";

const KEY = new Uint8Array(32).fill(7);
const MESSAGE = randomBytes(1_313);
const BLOB = randomBytes(BLOB_BYTES);

/** What parses what, and an encoding that is right. */
const CODECS: readonly [string, (data: Bytes) => unknown, Bytes, unknown][] = [
  [
    "INTRODUCE",
    parseIntroduce,
    encodeIntroduce({ authKey: KEY, message: MESSAGE }),
    { authKey: KEY, message: MESSAGE },
  ],
  ["INTRODUCED", parseIntroduced, encodeIntroduced("busy"), "busy"],
  ["ESTABLISH_RENDEZVOUS", parseCookie, KEY, KEY],
  [
    "RENDEZVOUS",
    parseRendezvous,
    encodeRendezvous(KEY, MESSAGE),
    { cookie: KEY, answer: concat(Uint8Array.of(5, 33), MESSAGE) },
  ],
  [
    "RENDEZVOUS_JOINED",
    parseJoined,
    concat(Uint8Array.of(5, 33), MESSAGE),
    MESSAGE,
  ],
  [
    "PUBLISH",
    parsePublish,
    encodePublish({ index: KEY, blob: BLOB }),
    { index: KEY, blob: BLOB },
  ],
  [
    "FETCH",
    parseFetch,
    encodeFetch({ index: KEY, place: 3 }),
    { index: KEY, place: 3 },
  ],
  ["FETCHED", parseFetched, BLOB, BLOB],
];

for (const [name, parse, bytes, value] of CODECS) {
  Deno.test(`service message: ${name} is read as it was written`, () => {
    assertEquals(parse(bytes), value);
  });

  Deno.test(`service message: ${name} that is cut or longer is refused`, () => {
    for (let length = 0; length < bytes.length; length++) {
      // Nothing at all is a right FETCHED: there is no descriptor.
      if (name === "FETCHED" && length === 0) continue;
      assertThrows(
        () => parse(bytes.slice(0, length)),
        MalformedError,
        undefined,
        String(length),
      );
    }
    assertThrows(() => parse(concat(bytes, KEY)), MalformedError);
    assertThrows(() => parse(concat(bytes, bytes)), MalformedError);
  });

  Deno.test(`service message: random bytes as ${name} give one error or a value`, () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 1_400 }), (data) => {
        try {
          parse(new Uint8Array(data));
        } catch (error) {
          return error instanceof MalformedError;
        }
        return true;
      }),
      { numRuns: 500 },
    );
  });
}

Deno.test("service message: every status has its number, and there are no others", () => {
  for (const [number, status] of INTRODUCTION_STATUSES.entries()) {
    assertEquals(encodeIntroduced(status), Uint8Array.of(number));
    assertEquals(parseIntroduced(Uint8Array.of(number)), status);
  }
  for (const number of [INTRODUCTION_STATUSES.length, 255]) {
    assertThrows(() => parseIntroduced(Uint8Array.of(number)), MalformedError);
  }
});

Deno.test("service message: there are four places, and nothing is in none", () => {
  for (const place of [0, 1, 2, 3]) {
    assertEquals(parseFetch(encodeFetch({ index: KEY, place })).place, place);
  }
  for (const place of [4, 5, 255]) {
    assertThrows(
      () => parseFetch(encodeFetch({ index: KEY, place })),
      MalformedError,
    );
  }
  assertEquals(parseFetched(new Uint8Array(0)), undefined);
});

Deno.test("service message: a handshake longer than any is refused", () => {
  const long = new Uint8Array(4_097);
  for (const [bytes, isGood] of [[4_096, true], [4_097, false]] as const) {
    const message = long.subarray(0, bytes);
    const introduce = encodeIntroduce({ authKey: KEY, message });
    const rendezvous = encodeRendezvous(KEY, message);
    if (isGood) {
      assertEquals(parseIntroduce(introduce).message.length, bytes);
      assertEquals(parseRendezvous(rendezvous).answer.length, bytes + 2);
    } else {
      assertThrows(() => parseIntroduce(introduce), MalformedError);
      assertThrows(() => parseRendezvous(rendezvous), MalformedError);
    }
  }
});

Deno.test("service message: all of them fit into small cells, so that none is told from another", () => {
  for (const [name, , bytes] of CODECS) {
    assertEquals(bytes.length <= capacity(SMALL, HOPS_LIMIT), true, name);
  }
});

Deno.test("S4: an introduction point's key cannot be taken to another circuit", async () => {
  const pair = await generateSigning();
  const binding = randomBytes(32);
  const bytes = await encodeEstablishIntro(pair, binding);
  assertEquals(await readEstablishIntro(bytes, binding), pair.publicKey);
  const refused = (data: Bytes, at: Bytes) =>
    assertRejects(() => readEstablishIntro(data, at), MalformedError);
  await refused(bytes, randomBytes(32));
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const flipped = bytes.slice();
    flipped[bit >> 3]! ^= 1 << (bit & 7);
    await refused(flipped, binding);
  }
  for (let length = 0; length < bytes.length; length += 5) {
    await refused(bytes.slice(0, length), binding);
  }
  await refused(concat(bytes, KEY), binding);
  const other = await encodeEstablishIntro(await generateSigning(), binding);
  await refused(concat(bytes.slice(0, 32), other.slice(32)), binding);
});
