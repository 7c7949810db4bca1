import { assert, assertEquals } from "@std/assert";
import { requestFraming } from "../../../lib/onion/front/body_framing.ts";
import { ChunkScanner } from "../../../lib/onion/front/chunk_scanner.ts";
import {
  requestHeadParser,
  responseHeadParser,
} from "../../../lib/onion/front/http_head.ts";
import { parseTarget } from "../../../lib/onion/front/http_target.ts";
import type { Parsed } from "../../../lib/onion/front/parsed.ts";
import { parseSocks4Request } from "../../../lib/onion/front/socks4.ts";
import {
  parseGreeting,
  parsePassword,
  parseSocks5Request,
} from "../../../lib/onion/front/socks5.ts";
import { MalformedError, utf8 } from "../../../lib/protocol/mod.ts";
import type { Bytes } from "../../../lib/protocol/mod.ts";
import { randomFrom, randomInput } from "./random_input.ts";

/** Random inputs to the parsers; more by SOTTO_FUZZ. */
const RUNS = Number(Deno.env.get("SOTTO_FUZZ") ?? 20_000);
type Parser = (bytes: Uint8Array) => Parsed<unknown> | undefined;

const PARSERS: Readonly<Record<string, () => Parser>> = {
  greeting: () => parseGreeting,
  password: () => parsePassword,
  socks5: () => parseSocks5Request,
  socks4: () => parseSocks4Request,
  request: () => (bytes) => {
    const parsed = requestHeadParser()(bytes);
    if (parsed !== undefined) {
      parseTarget(parsed.value);
      requestFraming(parsed.value);
    }
    return parsed;
  },
  response: responseHeadParser,
  chunks: () => (bytes) => {
    const scanner = new ChunkScanner();
    const length = scanner.scan(bytes);
    return scanner.done ? { value: 0, length } : undefined;
  },
};

Deno.test("hostile: parsers give a value, want more or refuse, and agree with themselves byte by byte", () => {
  const seed = Math.floor(Math.random() * 2 ** 32);
  const random = randomFrom(seed);
  const seen = { value: 0, more: 0, refused: 0 };
  for (let run = 0; run < RUNS; run++) {
    const input = randomInput(random);
    for (const [name, parser] of Object.entries(PARSERS)) {
      const outcome = attempt(parser(), input, `${name}, seed ${seed}`);
      seen[typeof outcome === "string" ? outcome : "value"]++;
      // What was read does not depend on what is behind it, nor on how it came.
      if (typeof outcome === "string") continue;
      assert(outcome.length <= input.length);
      const again = parser();
      for (let end = 0; end < outcome.length; end++) {
        assertEquals(again(input.subarray(0, end)), undefined, name);
      }
      assertEquals(again(input.subarray(0, outcome.length)), outcome, name);
    }
  }
  // A fuzzer that finds nothing valid tests little.
  assert(seen.value > RUNS / 1_000, JSON.stringify(seen));
  assert(seen.more > 0 && seen.refused > 0);
});

function attempt(
  parse: Parser,
  input: Bytes,
  about: string,
): Parsed<unknown> | "more" | "refused" {
  try {
    return parse(input) ?? "more";
  } catch (error) {
    assert(error instanceof MalformedError, `${about}: ${error}`);
    return "refused";
  }
}

Deno.test("hostile: a head of 64 KiB that comes byte by byte costs no more than its bytes", () => {
  const parse = requestHeadParser();
  const bytes = utf8(`GET / HTTP/1.1\r\n${"A: b\r\n".repeat(10_900)}\r\n`);
  assert(bytes.length > 65_000 && bytes.length < 65_536);
  const begin = performance.now();
  let parsed;
  for (let end = 1; end <= bytes.length; end++) {
    parsed = parse(bytes.subarray(0, end));
  }
  assertEquals(parsed?.value.fields.list.length, 10_900);
  assert(performance.now() - begin < 2_000);
});
