import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { runFetch } from "../../../cmd/client/fetch.ts";
import { CommandError, describe, UsageError } from "../../../cmd/errors.ts";
import { InterruptedError } from "../../../cmd/io.ts";
import type { EndReason } from "../../../lib/onion/stream/stream_error.ts";
import { withTcp, withWeb } from "../../onion/front/front_server.ts";
import { hasOpenSsl, withOpenSsl } from "../../support/openssl.ts";
import { testIo } from "../../support/test_io.ts";
import { BreakingOnion, DirectOnion } from "./direct_onion.ts";
import {
  assertClosed,
  BODY,
  fails,
  fetched,
  LENGTH,
  namesIn,
  serve,
  withDirectory,
} from "./fetched.ts";
import type { Served } from "./fetched.ts";

Deno.test("S4.8: a page goes to standard output, with little said of who asks", async () => {
  const seen: Record<string, string>[] = [];
  await withWeb((request) => {
    seen.push(Object.fromEntries(request.headers));
    return new Response("a page\n");
  }, async (port) => {
    const onion = new DirectOnion();
    const io = await fetched(onion, [`http://web.example:${port}/a?b#c`]);
    assertEquals([io.out, io.err], ["a page\n", ""]);
    assertEquals(seen, [{
      "accept": "*/*",
      "accept-encoding": "identity",
      "connection": "close",
      "host": `web.example:${port}`,
      "user-agent": "sotto",
    }]);
    const [asked] = onion.opener.asked;
    assertEquals([asked!.host, asked!.port], ["web.example", port]);
    assert(asked!.isolation.length >= 32);
    await fetched(onion, [`http://web.example:${port}/`]);
    assert(onion.opener.asked[1]!.isolation !== asked!.isolation);
  });
});

Deno.test({
  name: "S4.8: nothing asks for a name but the onion, whatever NO_PROXY says",
  // The platform would refuse to look for any other host, or to connect to it.
  permissions: { net: ["127.0.0.1"], env: true },
  async fn() {
    const before = Deno.env.get("NO_PROXY");
    Deno.env.set("NO_PROXY", "*");
    try {
      await withWeb(() => new Response("a page"), async (port) => {
        const onion = new DirectOnion({ "web.example": "127.0.0.1" });
        const url = `http://web.example:${port}/`;
        assertEquals((await fetched(onion, [url])).out, "a page");
        const local = [`http://localhost:${port}/`];
        await fails(onion, local, /: the name does not resolve$/);
        await fails(
          onion,
          [`https://web.example:${port}/`],
          /: (received corrupt message|the connection broke)/i,
        );
        assertEquals(onion.opener.asked.length, 3);
      });
    } finally {
      if (before === undefined) Deno.env.delete("NO_PROXY");
      else Deno.env.set("NO_PROXY", before);
    }
  },
});

Deno.test("S4.8: an error of the server is a page on standard output, and never a file", async () => {
  await withWeb(
    () => new Response("no such page", { status: 404 }),
    (port) =>
      withDirectory(async (directory) => {
        const url = `http://web.example:${port}/x?secret`;
        const onion = new DirectOnion();
        assertEquals((await fetched(onion, [url])).out, "no such page");
        const says =
          /^cannot fetch http:\/\/web\.example:\d+\/x: the server says 404 Not Found$/;
        const io = testIo();
        await assertRejects(
          () => runFetch([url, "--fail"], io, onion.open),
          CommandError,
        );
        assertEquals(io.out, "");
        onion.closed = 0;
        await fails(onion, [url, "--fail"], says);
        await fails(onion, [url, "-o", `${directory}/file`], says);
        assertEquals(await namesIn(directory), []);
      }),
  );
});

for (
  const [args, says] of [
    [[], "an argument is missing"],
    [["web.example"], "not a web address"],
    [["ftp://web.example/"], "not a web address"],
    [["file:///etc/passwd"], "not a web address"],
    [["data:,x"], "not a web address"],
    [["http://a/", "--json"], "--json goes with --output"],
    [["http://a/", "-o", "-", "--json"], "--json goes with --output"],
    [["http://a/", "--resume"], "--resume and --replace go with"],
    [["http://a/", "-o", "x", "-i"], "--include does not go with"],
    [["http://a/", "-H", "nonsense"], "not a header field"],
    [["http://a/", "-H", "a b: c"], "not a header field"],
    [["http://a/", "-H", "a: b\r\nc: d"], "not a header field"],
    [["http://a/", "--method", "CONNECT"], "--method cannot be"],
    [["http://a/", "--method", "get"], "--method cannot be"],
    [["http://a/", "--method", "GET", "--data", "x"], "does not go with GET"],
    [["http://a/", "--retries=-1"], "--retries needs a number"],
    [["http://a/", "--stall", "x"], "not a length of time"],
  ] as const
) {
  Deno.test(`client fetch ${args.join(" ")}: used wrongly`, async () => {
    const onion = new DirectOnion();
    await assertRejects(
      () => runFetch([...args], testIo(), onion.open),
      UsageError,
      says,
    );
    assertEquals(onion.closed, 0, "the onion was opened");
  });
}

Deno.test("client fetch: what passes is tried again, what does not is told at once", async () => {
  const cases: readonly (readonly [EndReason, number, RegExp])[] = [
    ["circuit-gone", 6, /: the circuit broke$/],
    ["no-circuit", 6, /: no circuit could be built$/],
    ["timeout", 6, /: it did not answer in time$/],
    ["resource-limit", 6, /: the relay has too much to do$/],
    ["resolve-failed", 1, /: the name does not resolve$/],
    ["refused", 1, /: it refused the connection$/],
    ["exit-policy", 1, /: no relay is willing to connect there$/],
  ];
  for (const [reason, attempts, says] of cases) {
    const onion = new DirectOnion();
    onion.opener.fails = reason;
    await fails(onion, ["http://u:secret@web.example/x"], says);
    assertEquals(onion.opener.asked.length, attempts, reason);
  }
  // Nobody knows what became of it: it is not said twice.
  const onion = new DirectOnion();
  onion.opener.fails = "circuit-gone";
  await fails(onion, ["http://web.example/", "--data", "x"], /broke$/);
  assertEquals(onion.opener.asked.length, 1);
});

Deno.test("client fetch: pauses grow, and begin anew when something came", async () => {
  const pauses: number[] = [];
  const onion = new DirectOnion();
  onion.opener.fails = "no-circuit";
  await assertRejects(() =>
    runFetch(["http://a.example/", "-q"], testIo(), onion.open, (ms) => {
      pauses.push(ms);
      return Promise.resolve();
    })
  );
  assertEquals(pauses.length, 5);
  assert(pauses[4]! > 2 * pauses[0]!, String(pauses));
});

Deno.test("client fetch: as long as something comes there are attempts left, and one header", async () => {
  const file: Served = { seen: [], ranges: true, etag: '"1"' };
  await withWeb(serve(file), async (port) => {
    const breaks = Array<number>(7).fill(300_000);
    const { outBytes } = await fetched(new BreakingOnion(breaks), [
      ...[`http://web.example:${port}/`, "-q", "-i", "--retries", "1"],
    ]);
    assertEquals(file.seen.length, 8);
    const head = new TextDecoder().decode(outBytes.subarray(0, 500));
    const start = head.indexOf("\n\n") + 2;
    assertEquals(outBytes.length, start + LENGTH);
    assert(BODY.every((byte, i) => byte === outBytes[start + i]));
  });
});

Deno.test("client fetch: a server that stops sending is given up", async () => {
  const stuck = async (connection: Deno.TcpConn) => {
    await connection.read(new Uint8Array(1_000));
    const begun = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc";
    await connection.write(new TextEncoder().encode(begun));
    await connection.read(new Uint8Array(1));
  };
  await withTcp(stuck, async (port) => {
    const io = testIo();
    const onion = new DirectOnion();
    const error = await assertRejects(
      () =>
        runFetch(
          [
            ...[`http://web.example:${port}/`, "--stall", "100ms"],
            ...["--retries", "0"],
          ],
          io,
          onion.open,
        ),
      CommandError,
    );
    assertMatch(describe(error), /: nothing has come for 0 seconds$/);
    assertEquals(io.out, "abc");
    assertClosed(onion);
  });
});

Deno.test("client fetch: Ctrl-C ends it, and leaves the part", async () => {
  const stop = new AbortController();
  const slow = async (connection: Deno.TcpConn) => {
    await connection.read(new Uint8Array(1_000));
    const begun =
      'HTTP/1.1 200 OK\r\nETag: "1"\r\nContent-Length: 9\r\n\r\nabc';
    await connection.write(new TextEncoder().encode(begun));
    setTimeout(() => stop.abort(new InterruptedError()), 100);
    await connection.read(new Uint8Array(1));
  };
  await withTcp(slow, (port) =>
    withDirectory(async (directory) => {
      const onion = new DirectOnion();
      const begin = performance.now();
      await assertRejects(() =>
        runFetch(
          [`http://web.example:${port}/`, "-o", `${directory}/file`],
          testIo({ signal: stop.signal }),
          onion.open,
        ), InterruptedError);
      assert(performance.now() - begin < 5_000);
      assertEquals(await namesIn(directory), ["file.part", "file.part.json"]);
      assertEquals(await Deno.readTextFile(`${directory}/file.part`), "abc");
      assertClosed(onion);
    }));
});

Deno.test("client fetch: a terminal is shown harmless text, or nothing", async () => {
  const pages = ["\x1b]0;title\x07ok\n", "bin\0ary"];
  await withWeb(
    () => new Response(pages.shift()),
    async (port) => {
      const url = `http://web.example:${port}/`;
      const onion = new DirectOnion();
      const { out } = await fetched(onion, [url], { terminal: true });
      assertEquals(out, "\\u{1b}]0;title\\u{7}ok\n");
      await fails(onion, [url], /no text$/, { terminal: true });
    },
  );
});

Deno.test("client fetch: a person sees how far it is", async () => {
  await withWeb(
    serve({ seen: [] }),
    (port) =>
      withDirectory(async (directory) => {
        const args = [
          ...[`http://web.example:${port}/`, "-o", `${directory}/file`],
        ];
        const io = await fetched(new DirectOnion(), args, { terminal: true });
        assertMatch(io.err, /file {2}100%/);
        const quiet = await fetched(new DirectOnion(), [
          ...[...args, "--replace", "--quiet"],
        ], { terminal: true });
        assertEquals(quiet.err, "");
      }),
  );
});

Deno.test({
  name: "S4.8: https: the certificate must be right, the name is checked",
  ignore: !hasOpenSsl,
  fn: () =>
    withOpenSsl(async (openssl) => {
      const [key, cert] = await Promise.all([
        openssl.file(""),
        openssl.file(""),
      ]);
      await openssl.run(
        ...["req", "-x509", "-newkey", "ec", "-nodes", "-days", "2"],
        ...["-pkeyopt", "ec_paramgen_curve:P-256", "-subj", "/CN=web.example"],
        ...["-addext", "basicConstraints=critical,CA:FALSE"],
        ...["-addext", "subjectAltName=DNS:web.example"],
        ...["-keyout", key, "-out", cert],
      );
      const server = Deno.serve({
        hostname: "127.0.0.1",
        port: 0,
        cert: await Deno.readTextFile(cert),
        key: await Deno.readTextFile(key),
        onListen() {},
      }, (request) =>
        request.url.endsWith("/big")
          ? serve({ seen: [], ranges: true, etag: '"1"' })(request)
          : new Response("sealed"));
      try {
        const { port } = server.addr;
        const onion = new DirectOnion();
        const good = [`https://web.example:${port}/`, "--cacert", cert];
        assertEquals((await fetched(onion, good)).out, "sealed");
        const says = /: invalid peer certificate: /;
        await fails(onion, [`https://web.example:${port}/`], says);
        await fails(onion, [
          ...[`https://other.example:${port}/`, "--cacert", cert],
        ], says);
        // It is no matter of the circuit, and not tried again.
        assertEquals(onion.opener.asked.length, 3);
        // A circuit that breaks beneath TLS is one that breaks.
        const breaking = new BreakingOnion([200, 2_000, 1_000_000]);
        const { err, outBytes } = await fetched(breaking, [
          ...[`https://web.example:${port}/big`, "--cacert", cert],
        ]);
        assertEquals(outBytes.length, LENGTH);
        assert(outBytes.every((byte, i) =>
          byte === BODY[i]
        ));
        assertEquals(err, "the circuit broke; trying again\n".repeat(3));
      } finally {
        await server.shutdown();
      }
    }),
});
