import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  requestFraming,
  responseFraming,
} from "../../../lib/onion/front/body_framing.ts";
import {
  forwardRequest,
  forwardResponse,
} from "../../../lib/onion/front/forwarded_head.ts";
import { Fields } from "../../../lib/onion/front/fields.ts";
import {
  formatRequestHead,
  HttpVersionError,
  requestHeadParser,
  responseHeadParser,
} from "../../../lib/onion/front/http_head.ts";
import type {
  RequestHead,
  ResponseHead,
} from "../../../lib/onion/front/http_head.ts";
import { parseTarget } from "../../../lib/onion/front/http_target.ts";
import { MalformedError, utf8 } from "../../../lib/protocol/mod.ts";

function request(text: string): RequestHead {
  const parsed = requestHeadParser()(utf8(text));
  assert(parsed !== undefined);
  return parsed.value;
}

function response(text: string): ResponseHead {
  const parsed = responseHeadParser()(utf8(text));
  assert(parsed !== undefined);
  return parsed.value;
}

function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

/** The request as it goes on. */
function forwarded(given: string): string {
  const head = request(given);
  const target = parseTarget(head);
  assert(target.form === "absolute");
  return text(forwardRequest(head, target, requestFraming(head)));
}

Deno.test("HTTP: a request head is read, in whole and byte by byte", () => {
  const bytes = utf8(
    "GET http://a/ HTTP/1.1\r\nHost:a\r\nX-Empty:\r\nx: \t b  c \t\r\n\r\nrest",
  );
  const end = bytes.length - 4;
  const parse = requestHeadParser();
  for (let length = 0; length < end; length++) {
    assertEquals(parse(bytes.subarray(0, length)), undefined);
  }
  const parsed = parse(bytes);
  assertEquals(parsed?.length, end);
  const { method, target, minor, fields } = parsed!.value;
  assertEquals([method, target, minor], ["GET", "http://a/", 1]);
  assertEquals(fields.list, [["Host", "a"], ["X-Empty", ""], ["x", "b  c"]]);
});

Deno.test("HTTP: a head that is written is read as it was", () => {
  const head = request("M HTTP://ä/?ü HTTP/1.0\r\nA: ö\r\nb: c\r\n\r\n");
  assertEquals(requestHeadParser()(formatRequestHead(head))?.value, head);
});

const BAD_FIELDS = [
  "A : b",
  " A: b",
  "A",
  ": b",
  "A: \0",
  "A: b\rC: d",
  "A: b\r\n c",
];
const BAD_HEADS = [
  ...["\r\n", "\n", "GET / HTTP/1.1\n\n", "GET / HTTP/1.1\r\n\n"],
  ...["GET / HTTP/1.1\r\nA: b\n\r\n", "GET /\r\n\r\n"],
  ...["GET  / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1 \r\n\r\n"],
  ...[" GET / HTTP/1.1\r\n\r\n", "GET /\0 HTTP/1.1\r\n\r\n"],
  ...["GET / HTTP/1.11\r\n\r\n", "G(T / HTTP/1.1\r\n\r\n"],
  ...["GET /\t HTTP/1.1\r\n\r\n"],
  ...BAD_FIELDS.map((field) => `GET / HTTP/1.1\r\n${field}\r\n\r\n`),
];

for (const head of BAD_HEADS) {
  Deno.test(`HTTP: ${JSON.stringify(head)} is no request`, () => {
    assertThrows(() => requestHeadParser()(utf8(head)), MalformedError);
  });
}

for (const version of ["2.0", "0.9", "3.0"]) {
  Deno.test(`HTTP/${version} is not spoken`, () => {
    const head = utf8(`GET / HTTP/${version}\r\n\r\n`);
    assertThrows(() => requestHeadParser()(head), HttpVersionError);
  });
}

Deno.test("HTTP: responses with and without a reason", () => {
  for (const reason of ["", " ", " OK", " Not  Found"]) {
    const head = response(`HTTP/1.0 200${reason}\r\n\r\n`);
    assertEquals([head.status, head.minor], [200, 0]);
    assertEquals(head.reason, reason.slice(1));
  }
  for (const bad of ["HTTP/1.1 20", "HTTP/1.1 099 x", "ICY 200 OK", "x"]) {
    assertThrows(
      () => responseHeadParser()(utf8(`${bad}\r\n\r\n`)),
      MalformedError,
    );
  }
});

// Conflicting lengths are how requests are smuggled: nothing that two readers could read differently passes.
const FRAMINGS: readonly (readonly [string, unknown])[] = [
  ["", { kind: "none" }],
  ["Content-Length: 0", { kind: "length", length: 0 }],
  ["Content-Length: 5", { kind: "length", length: 5 }],
  ["Content-Length: 5\r\ncontent-length: 5", { kind: "length", length: 5 }],
  ["Content-Length: 999999999999999", {
    kind: "length",
    length: 999_999_999_999_999,
  }],
  ["Transfer-Encoding: chunked", { kind: "chunked" }],
  ["transfer-encoding: Chunked", { kind: "chunked" }],
  ["Content-Length: 5\r\nContent-Length: 6", "refused"],
  ["Content-Length: 5\r\nContent-Length: 05", "refused"],
  ["Content-Length: 5, 5", "refused"],
  ["Content-Length: -1", "refused"],
  ["Content-Length: +1", "refused"],
  ["Content-Length: 0x10", "refused"],
  ["Content-Length: 1 1", "refused"],
  ["Content-Length:", "refused"],
  ["Content-Length: 1000000000000000", "refused"],
  ["Content-Length: 5\r\nTransfer-Encoding: chunked", "refused"],
  ["Transfer-Encoding: gzip, chunked", "refused"],
  ["Transfer-Encoding: chunked, identity", "refused"],
  ["Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", "refused"],
  ["Transfer-Encoding: identity", "refused"],
  ["Transfer-Encoding: \x0bchunked", "no head"],
  ["Transfer-Encoding : chunked", "no head"],
  ["Transfer-Encoding:\r\n chunked", "no head"],
];

for (const [fields, expected] of FRAMINGS) {
  Deno.test(`HTTP: framing of ${JSON.stringify(fields)}`, () => {
    const lines = `HTTP/1.1\r\n${fields}${fields === "" ? "" : "\r\n"}\r\n`;
    const read = () => requestFraming(request(`POST http://a/ ${lines}`));
    if (typeof expected === "string") assertThrows(read, MalformedError);
    else assertEquals(read(), expected as ReturnType<typeof read>);
  });
}

Deno.test("HTTP: chunks are of HTTP/1.1 only", () => {
  const lines = "HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n";
  assertThrows(
    () => requestFraming(request(`POST / ${lines}`)),
    MalformedError,
  );
});

Deno.test("HTTP: what has no body has none, whatever it announces", () => {
  const long = "Content-Length: 5\r\n\r\n";
  const plain = response(`HTTP/1.1 200 OK\r\n${long}`);
  assertEquals(responseFraming(plain, "GET"), { kind: "length", length: 5 });
  assertEquals(responseFraming(plain, "HEAD"), { kind: "none" });
  for (const status of [204, 304]) {
    const head = response(`HTTP/1.1 ${status} x\r\n${long}`);
    assertEquals(responseFraming(head, "GET"), { kind: "none" });
  }
  const open = response("HTTP/1.1 200 OK\r\n\r\n");
  assertEquals(responseFraming(open, "GET"), { kind: "end" });
});

const TARGETS: readonly (readonly [string, unknown])[] = [
  ["CONNECT web.example:443", {
    form: "authority",
    destination: { host: "web.example", port: 443 },
  }],
  ["GET /", { form: "origin" }],
  ["GET //web.example/", { form: "origin" }],
  ...([
    ["GET http://web.example", "web.example", 80, "/"],
    ["GET http://web.example/", "web.example", 80, "/"],
    ["GET HTTP://Web.example:81?q=/", "Web.example:81", 81, "/?q=/"],
    ["OPTIONS http://web.example", "web.example", 80, "*"],
    [
      "GET http://web.example/a//b/../c?d#".slice(0, -1),
      "web.example",
      80,
      "/a//b/../c?d",
    ],
  ] as const).map(([line, authority, port, path]) =>
    [line, {
      form: "absolute",
      destination: { host: authority.split(":")[0], port },
      authority,
      path,
    }] as const
  ),
  ["GET http://[2001:db8::1]:8080/", {
    form: "absolute",
    destination: { host: "2001:db8::1", port: 8080 },
    authority: "[2001:db8::1]:8080",
    path: "/",
  }],
  ...[
    ...["CONNECT web.example", "CONNECT /", "CONNECT http://web.example:80/"],
    ...["GET https://web.example/", "GET ftp://web.example/", "GET *", "GET a"],
    ...["GET http://", "GET http:///", "GET http://u:p@web.example/"],
    ...["GET http://web.example/#x", "GET http://web.example\\@evil/"],
  ].map((line) => [line, "refused"] as const),
];

for (const [line, expected] of TARGETS) {
  Deno.test(`HTTP: target of ${line}`, () => {
    const read = () => parseTarget(request(`${line} HTTP/1.1\r\n\r\n`));
    if (expected === "refused") assertThrows(read, MalformedError);
    else assertEquals(read(), expected as ReturnType<typeof read>);
  });
}

Deno.test("HTTP: what is meant for the proxy does not go on, the rest does as it was", () => {
  assertEquals(
    forwarded(
      "GET http://web.example:81/a?b HTTP/1.1\r\nHost: other\r\nhost: more\r\n" +
        "Proxy-Connection: keep-alive\r\nConnection: keep-alive, X-Secret\r\n" +
        "x-secret: 1\r\nProxy-Authorization: Basic dTpw\r\nTE: trailers\r\n" +
        "Upgrade: websocket\r\nKeep-Alive: 300\r\nUser-Agent: x\r\nAccept: y\r\n\r\n",
    ),
    "GET /a?b HTTP/1.1\r\nHost: web.example:81\r\nUser-Agent: x\r\nAccept: y\r\n\r\n",
  );
});

Deno.test("HTTP: Connection cannot take away where a body ends", () => {
  assertEquals(
    forwarded(
      "POST http://a/ HTTP/1.1\r\nConnection: content-length, host\r\nContent-Length: 3\r\n\r\n",
    ),
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n",
  );
  assertEquals(
    forwarded(
      "POST http://a/ HTTP/1.1\r\nConnection: transfer-encoding\r\nTransfer-Encoding: chunked\r\n\r\n",
    ),
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
  );
});

const RESPONSES:
  readonly (readonly [string, string, string, string, string])[] = [
    // request version and fields, response, as it goes on, [in chunks, keeps client, keeps server]
    [
      "1.1",
      "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nKeep-Alive: x\r\nConnection: keep-alive\r\n",
      "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n",
      "GET",
      "false,true,true",
    ],
    [
      "1.1",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n",
      "GET",
      "false,true,false",
    ],
    [
      "1.1",
      "HTTP/1.0 200 OK\r\n",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n",
      "GET",
      "true,true,false",
    ],
    [
      "1.0",
      "HTTP/1.1 200 OK\r\n",
      "HTTP/1.1 200 OK\r\nConnection: close\r\n",
      "GET",
      "false,false,false",
    ],
    [
      "1.1\r\nConnection: Close",
      "HTTP/1.1 304 Not Modified\r\nETag: x\r\n",
      "HTTP/1.1 304 Not Modified\r\nETag: x\r\nConnection: close\r\n",
      "GET",
      "false,false,true",
    ],
    [
      "1.1\r\nProxy-Connection: close",
      "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n",
      "HTTP/1.1 200 OK\r\nContent-Length: 9\r\nConnection: close\r\n",
      "HEAD",
      "false,false,true",
    ],
  ];

for (const [version, given, expected, method, facts] of RESPONSES) {
  Deno.test(`HTTP: to ${JSON.stringify(`${method} ${version}`)}: ${JSON.stringify(given)}`, () => {
    const { bytes, inChunks, keepsClient, keepsServer } = forwardResponse(
      request(`${method} http://a/ HTTP/${version}\r\n\r\n`),
      response(`${given}\r\n`),
    );
    assertEquals(text(bytes), `${expected}\r\n`);
    assertEquals([inChunks, keepsClient, keepsServer].join(), facts);
  });
}

Deno.test("HTTP: a client of HTTP/1.0 is not given chunks", () => {
  const head = response(
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
  );
  const old = request("GET http://a/ HTTP/1.0\r\n\r\n");
  assertThrows(() => forwardResponse(old, head), MalformedError);
});

Deno.test("HTTP: fields are found in any case, lists taken apart", () => {
  const fields = new Fields([["A", "x, Y"], ["b", "1"], ["a", ",z"]]);
  assertEquals(fields.values("a"), ["x, Y", ",z"]);
  assertEquals(fields.tokens("a"), ["x", "y", "z"]);
  assertEquals(fields.values("c"), []);
});
