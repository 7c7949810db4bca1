import { assertEquals, assertThrows } from "@std/assert";
import {
  parseGreeting,
  parsePassword,
  parseSocks5Request,
  socks5Reply,
  UnknownAddressError,
} from "../../../lib/onion/front/socks5.ts";
import {
  parseSocks4Request,
  socks4Reply,
} from "../../../lib/onion/front/socks4.ts";
import type { Parsed } from "../../../lib/onion/front/parsed.ts";
import { concat, MalformedError, utf8 } from "../../../lib/protocol/mod.ts";

type Parser = (bytes: Uint8Array) => Parsed<unknown> | undefined;

const NAME = [...utf8("web.example")];
const V6 = [0x20, 0x01, 0x0d, 0xb8, ...Array<number>(11).fill(0), 1];

// What is read from which bytes; every shorter beginning wants more, and nothing behind is taken.
const WHOLE: readonly (readonly [string, Parser, number[], unknown])[] = [
  ["no method", parseGreeting, [5, 0], new Uint8Array(0)],
  ["two methods", parseGreeting, [5, 2, 0, 2], new Uint8Array([0, 2])],
  ["user and password", parsePassword, [1, 1, 117, 2, 112, 255], {
    user: "u",
    password: "p\xff",
  }],
  ["empty user and password", parsePassword, [1, 0, 0], {
    user: "",
    password: "",
  }],
  ["IPv4", parseSocks5Request, [5, 1, 0, 1, 192, 0, 2, 1, 1, 187], {
    command: 1,
    host: "192.0.2.1",
    port: 443,
  }],
  ["IPv6", parseSocks5Request, [5, 1, 0, 4, ...V6, 0, 80], {
    command: 1,
    host: "2001:db8::1",
    port: 80,
  }],
  ["a name", parseSocks5Request, [5, 1, 0, 3, 11, ...NAME, 0xff, 0xff], {
    command: 1,
    host: "web.example",
    port: 65_535,
  }],
  ["a name that is IPv6", parseSocks5Request, [
    ...[5, 1, 0, 3, 7],
    ...utf8("[0::01]"),
    ...[0, 80],
  ], { command: 1, host: "::1", port: 80 }],
  ["RESOLVE", parseSocks5Request, [5, 0xf0, 0, 3, 1, 97, 0, 0], {
    command: 0xf0,
    host: "a",
    port: 0,
  }],
  ["SOCKS4", parseSocks4Request, [4, 1, 0, 80, 192, 0, 2, 1, 117, 0], {
    command: 1,
    host: "192.0.2.1",
    port: 80,
    user: "u",
  }],
  ["SOCKS4a", parseSocks4Request, [4, 1, 0, 80, 0, 0, 0, 9, 0, ...NAME, 0], {
    command: 1,
    host: "web.example",
    port: 80,
    user: "",
  }],
];

for (const [name, parse, bytes, value] of WHOLE) {
  Deno.test(`S4.5: SOCKS: ${name} is read, in whole and in pieces`, () => {
    const whole = new Uint8Array(bytes);
    for (let length = 0; length < whole.length; length++) {
      assertEquals(parse(whole.subarray(0, length)), undefined);
    }
    for (const behind of [[], [0], [5, 1, 0]]) {
      const given = concat(whole, new Uint8Array(behind));
      assertEquals(parse(given), { value, length: whole.length } as never);
    }
  });
}

const BAD: readonly (readonly [string, Parser, number[]])[] = [
  ["a greeting of another version", parseGreeting, [4]],
  ["a password of another version", parsePassword, [5]],
  ["a request of another version", parseSocks5Request, [1]],
  ["a request without its zero", parseSocks5Request, [5, 1, 1]],
  ["an empty name", parseSocks5Request, [5, 1, 0, 3, 0, 0, 80]],
  ["a name with a zero byte", parseSocks5Request, [5, 1, 0, 3, 1, 0, 0, 80]],
  ["a name with a blank", parseSocks5Request, [5, 1, 0, 3, 1, 32, 0, 80]],
  ["a name with a slash", parseSocks5Request, [5, 1, 0, 3, 1, 47, 0, 80]],
  ["a name that is no IPv6", parseSocks5Request, [
    ...[5, 1, 0, 3, 3, 58, 58, 58],
    ...[0, 80],
  ]],
  ["SOCKS4 of another version", parseSocks4Request, [5]],
  ["SOCKS4 with an endless user", parseSocks4Request, [
    ...[4, 1, 0, 80, 1, 1, 1, 1],
    ...Array<number>(256).fill(97),
  ]],
  ["SOCKS4a with an endless name", parseSocks4Request, [
    ...[4, 1, 0, 80, 0, 0, 0, 1, 0],
    ...Array<number>(256).fill(97),
  ]],
  ["SOCKS4a without a name", parseSocks4Request, [
    ...[4, 1, 0, 80, 0, 0, 0, 1],
    ...[0, 0],
  ]],
];

for (const [name, parse, bytes] of BAD) {
  Deno.test(`SOCKS: ${name} is refused`, () => {
    assertThrows(() => parse(new Uint8Array(bytes)), MalformedError);
  });
}

Deno.test("SOCKS: the longest texts are read, longer ones are not", () => {
  const long = Array<number>(255).fill(97);
  const user = parseSocks4Request(
    new Uint8Array([4, 1, 0, 80, 1, 1, 1, 1, ...long, 0]),
  );
  assertEquals(user?.value.user.length, 255);
  const name = parseSocks5Request(
    new Uint8Array([5, 1, 0, 3, 255, ...long, 0, 80]),
  );
  assertEquals(name?.value.host.length, 255);
});

for (const kind of [0, 2, 5, 255]) {
  Deno.test(`SOCKS5: address of kind ${kind} is unknown`, () => {
    const request = new Uint8Array([5, 1, 0, kind, 1, 97, 0, 80]);
    assertThrows(() => parseSocks5Request(request), UnknownAddressError);
  });
}

Deno.test("SOCKS: answers", () => {
  assertEquals([...socks5Reply(5)], [5, 5, 0, 1, 0, 0, 0, 0, 0, 0]);
  assertEquals(
    [...socks5Reply(0, "192.0.2.1")],
    [5, 0, 0, 1, 192, 0, 2, 1, 0, 0],
  );
  assertEquals([...socks5Reply(0, "2001:db8::1")], [5, 0, 0, 4, ...V6, 0, 0]);
  assertEquals(
    [...socks5Reply(0, "web.example")],
    [5, 0, 0, 3, 11, ...NAME, 0, 0],
  );
  assertEquals([...socks4Reply(true)], [0, 90, 0, 0, 0, 0, 0, 0]);
  assertEquals([...socks4Reply(false)], [0, 91, 0, 0, 0, 0, 0, 0]);
});
