import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { runFetch } from "../../../cmd/client/fetch.ts";
import { CommandError, describe, UsageError } from "../../../cmd/errors.ts";
import { InterruptedError } from "../../../cmd/io.ts";
import type { EndReason } from "../../../lib/onion/stream/stream_error.ts";
import { withTcp, withWeb } from "../../onion/front/front_server.ts";
import { hasOpenSsl, withOpenSsl } from "../../support/openssl.ts";
import type { TestIo, TestWorld } from "../../support/test_io.ts";
import { testIo } from "../../support/test_io.ts";
import { BreakingOnion, DirectOnion } from "./direct_onion.ts";

const LENGTH = 3_000_000;
const BODY = Uint8Array.from({ length: LENGTH }, (_, i) => i * 31 + (i >> 9));

/** What a server knows of a file. */
interface Served {
  /** What it can do. */
  readonly ranges?: boolean;
  readonly etag?: string | undefined;
  readonly modified?: string;
  readonly body?: Uint8Array<ArrayBuffer>;
  /** The `Range` of every request. */
  readonly seen: (string | null)[];
}

/** A server of one file, as RFC 9110 §14 has it. */
function serve(file: Served): (request: Request) => Response {
  return (request) => {
    const { body = BODY, etag, modified } = file;
    const range = request.headers.get("range");
    file.seen.push(range);
    const headers = new Headers({
      ...etag === undefined ? {} : { etag },
      ...modified === undefined ? {} : { "last-modified": modified },
    });
    const condition = request.headers.get("if-range");
    const isSame = condition === null || condition === etag ||
      condition === modified;
    const start = Number(/^bytes=(\d+)-$/.exec(range ?? "")?.[1]);
    if (!file.ranges || !isSame || Number.isNaN(start)) {
      return new Response(body, { headers });
    }
    if (start >= body.length) {
      headers.set("content-range", `bytes */${body.length}`);
      return new Response(null, { status: 416, headers });
    }
    const last = body.length - 1;
    headers.set("content-range", `bytes ${start}-${last}/${body.length}`);
    return new Response(body.slice(start), { status: 206, headers });
  };
}

const noPause = () => Promise.resolve();

/** Runs `sotto client fetch ARGS`, which must succeed. */
async function fetched(
  onion: DirectOnion,
  args: string[],
  world: TestWorld = {},
): Promise<TestIo> {
  const io = testIo(world);
  assertEquals(await runFetch(args, io, onion.open, noPause), 0);
  assertClosed(onion);
  return io;
}

async function fails(
  onion: DirectOnion,
  args: string[],
  says: RegExp,
  world: TestWorld = {},
): Promise<CommandError> {
  const error = await assertRejects(() =>
    runFetch(args, testIo(world), onion.open, noPause)
  );
  assert(error instanceof CommandError, String(error));
  assertMatch(describe(error), says);
  assertClosed(onion);
  return error;
}

function assertClosed(onion: DirectOnion): void {
  assertEquals([onion.closed, onion.opener.streams.size], [1, 0]);
  onion.closed = 0;
}

async function withDirectory(
  body: (directory: string) => Promise<void>,
): Promise<void> {
  const directory = await Deno.makeTempDir();
  try {
    await body(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

async function namesIn(directory: string): Promise<string[]> {
  const names = await Array.fromAsync(Deno.readDir(directory), (e) => e.name);
  return names.sort();
}

async function assertWhole(path: string, body = BODY): Promise<void> {
  const got = await Deno.readFile(path);
  assertEquals(got.length, body.length);
  assert(got.every((byte, i) => byte === body[i]), "other bytes");
}

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

Deno.test("S4.8: a file is a part until it is whole", async () => {
  const file: Served = { seen: [], etag: '"1"' };
  await withWeb(serve(file), (port) =>
    withDirectory(async (directory) => {
      const path = `${directory}/file`;
      const url = `http://web.example:${port}/dir/name`;
      const io = await fetched(new DirectOnion(), [url, "-o", path, "--json"]);
      await assertWhole(path);
      assertEquals(await namesIn(directory), ["file"]);
      assertEquals(JSON.parse(io.out), {
        url,
        status: 200,
        file: path,
        bytes: LENGTH,
        resumedAt: 0,
        milliseconds: 0,
      });
      // What is there is not lost by mistake, and nobody is asked for it in vain.
      const onion = new DirectOnion();
      const again = await assertRejects(
        () => runFetch([url, "-o", path], testIo(), onion.open),
        CommandError,
        "it is there already",
      );
      assertMatch(again.hint!, /--replace/);
      assertEquals([onion.closed, file.seen.length], [0, 1]);
      await fetched(onion, [url, "-o", path, "--replace"]);
      await assertWhole(path);
    }));
});

for (
  const [name, facts] of [
    ["an ETag", { etag: '"abc"' }],
    ["a date", { modified: "Wed, 01 Jan 2020 00:00:00 GMT" }],
  ] as const
) {
  Deno.test(`S4.8: with ${name} it goes on where the circuit broke, in a file and in a pipe`, async () => {
    const file: Served = { seen: [], ranges: true, ...facts };
    await withWeb(serve(file), (port) =>
      withDirectory(async (directory) => {
        const url = `http://web.example:${port}/`;
        const path = `${directory}/file`;
        const breaks = [1_000_000, 500_000, 700_000];
        const io = await fetched(new BreakingOnion(breaks), [url, "-o", path]);
        await assertWhole(path);
        assertEquals(io.err, "the circuit broke; trying again\n".repeat(3));
        assertEquals(file.seen.length, 4);
        const starts = file.seen.slice(1)
          .map((range) => Number(/^bytes=(\d+)-$/.exec(range!)?.[1]));
        assert(starts.every((start, i) => start > (starts[i - 1] ?? 0)));
        const piped = await fetched(new BreakingOnion(breaks), [url, "-q"]);
        assertEquals([piped.outBytes.length, piped.err], [LENGTH, ""]);
        assert(piped.outBytes.every((byte, i) => byte === BODY[i]));
      }));
  });
}

Deno.test("S4.8: a fetch that was given up goes on with --resume, in another run", async () => {
  const file: Served = { seen: [], ranges: true, etag: '"1"' };
  await withWeb(serve(file), (port) =>
    withDirectory(async (directory) => {
      const url = `http://web.example:${port}/`;
      const path = `${directory}/file`;
      const error = await fails(
        new BreakingOnion([1_000_000]),
        [url, "-o", path, "--retries", "0"],
        /^cannot fetch http:\/\/web\.example:\d+\/: the circuit broke$/,
      );
      assertMatch(error.hint!, /--resume/);
      assertEquals(await namesIn(directory), ["file.part", "file.part.json"]);
      const { size } = await Deno.stat(`${path}.part`);
      assert(size > 0 && size < 1_000_000);
      const io = await fetched(new DirectOnion(), [
        ...[url, "-o", path, "--resume", "--json"],
      ]);
      await assertWhole(path);
      assertEquals(file.seen, [null, `bytes=${size}-`]);
      assertEquals(JSON.parse(io.out).resumedAt, size);
      assertEquals(await namesIn(directory), ["file"]);
    }));
});

Deno.test("S4.8: all was there but its name: the server has nothing more to give", async () => {
  const file: Served = { seen: [], ranges: true, etag: '"1"' };
  await withWeb(serve(file), (port) =>
    withDirectory(async (directory) => {
      const url = `http://web.example:${port}/`;
      const path = `${directory}/file`;
      await Deno.writeFile(`${path}.part`, BODY);
      const record = { url, validator: '"1"', total: LENGTH };
      await Deno.writeTextFile(`${path}.part.json`, JSON.stringify(record));
      await fetched(new DirectOnion(), [url, "-o", path, "--resume"]);
      await assertWhole(path);
      assertEquals(file.seen, [`bytes=${LENGTH}-`]);
    }));
});

const OTHER = BODY.map((byte) => byte ^ 1).slice(0, 2_000_000);

Deno.test("S4.8: what has changed meanwhile is not mixed with what was", async () => {
  const seen: (string | null)[] = [];
  let file: Served = { seen, ranges: true, etag: '"old"' };
  await withWeb((request) => {
    const response = serve(file)(request);
    file = { seen, ranges: true, etag: '"new"', body: OTHER };
    return response;
  }, (port) =>
    withDirectory(async (directory) => {
      const url = `http://web.example:${port}/`;
      const path = `${directory}/file`;
      const io = await fetched(new BreakingOnion([1_000_000]), [
        ...[url, "-o", path],
      ]);
      await assertWhole(path, OTHER);
      assertEquals(
        io.err,
        "the circuit broke; trying again\n" +
          "it has changed there; it begins again from the start\n",
      );
      // What is in a pipe cannot be taken back.
      file = { seen, ranges: true, etag: '"old"' };
      const error = await fails(
        new BreakingOnion([1_000_000]),
        [url],
        /^cannot go on: it has changed there$/,
      );
      assertMatch(error.hint!, /--output/);
    }));
});

for (
  const [name, facts, says, requests] of [
    [
      "cannot send parts",
      { etag: '"1"' },
      "the server cannot send only the rest",
      [null, "range"],
    ],
    [
      "says nothing to tell a change by",
      { ranges: true },
      "the server does not say whether it has changed",
      [null, null],
    ],
    [
      "has a weak ETag",
      { ranges: true, etag: 'W/"1"' },
      "the server does not say whether it has changed",
      [null, null],
    ],
    [
      "has changed it this very minute",
      { ranges: true, modified: new Date().toUTCString() },
      "the server does not say whether it has changed",
      [null, null],
    ],
  ] as const
) {
  Deno.test(`S4.8: a server that ${name} is asked for all of it again`, async () => {
    const file: Served = { seen: [], ...facts };
    await withWeb(serve(file), (port) =>
      withDirectory(async (directory) => {
        const path = `${directory}/file`;
        const io = await fetched(new BreakingOnion([1_000_000]), [
          ...[`http://web.example:${port}/`, "-o", path],
        ]);
        await assertWhole(path);
        assertEquals(
          io.err,
          "the circuit broke; trying again\n" +
            `${says}; it begins again from the start\n`,
        );
        assertEquals(
          file.seen.map((range) => range === null ? null : "range"),
          [...requests],
        );
      }));
  });
}

Deno.test("S4.8: a part of another URL, or without a record, is not gone on with", async () => {
  const file: Served = { seen: [], ranges: true, etag: '"1"' };
  await withWeb(serve(file), (port) =>
    withDirectory(async (directory) => {
      const url = `http://web.example:${port}/`;
      const path = `${directory}/file`;
      const good = { url, validator: '"1"', total: LENGTH };
      const records = [
        ...[undefined, "", "{", "[]", "null", "5"],
        ...[{ ...good, url: `${url}x` }, { ...good, validator: 1 }, { url }]
          .map((record) => JSON.stringify(record)),
        JSON.stringify({ ...good, validator: "a\r\nX-Evil: 1" }),
      ];
      for (const record of records) {
        await Deno.writeTextFile(`${path}.part`, "something else");
        if (record !== undefined) {
          await Deno.writeTextFile(`${path}.part.json`, record);
        }
        const io = await fetched(new DirectOnion(), [
          ...[url, "-o", path, "--resume", "--replace"],
        ]);
        assertEquals(io.err, "nothing to go on with: it begins anew\n");
        await assertWhole(path);
        assertEquals(await namesIn(directory), ["file"]);
      }
      assert(file.seen.every((range) => range === null));
    }));
});

Deno.test("S4.8: a server that lies about the part is not believed", async () => {
  const ranges = [
    ...["bytes 0-9/3000000", "bytes 999-2999999/3000000", "", "items 1-2/3"],
  ];
  for (const range of ranges) {
    let requests = 0;
    await withWeb((request) => {
      const wants = request.headers.get("range");
      requests++;
      const headers = { etag: '"1"' };
      if (wants === null) return new Response(BODY, { headers });
      return new Response(BODY.slice(0, 10), {
        status: 206,
        headers: { ...headers, "content-range": range },
      });
    }, (port) =>
      withDirectory(async (directory) => {
        const path = `${directory}/file`;
        await fetched(new BreakingOnion([1_000_000]), [
          ...[`http://web.example:${port}/`, "-o", path, "-q"],
        ]);
        await assertWhole(path);
        assertEquals(requests, 3);
      }));
  }
});

Deno.test("S4.8: somebody else's part is not written to", async () => {
  await withWeb(
    () => new Response("x"),
    (port) =>
      withDirectory(async (directory) => {
        const path = `${directory}/file`;
        using other = await Deno.open(`${path}.part`, {
          create: true,
          write: true,
        });
        await other.lock(true);
        await fails(
          new DirectOnion(),
          [`http://web.example:${port}/`, "-o", path],
          /another sotto is at it$/,
        );
      }),
  );
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

Deno.test("S4.8: redirects are followed, unless they shall not be", async () => {
  await withWeb((request) => {
    const { pathname } = new URL(request.url);
    return pathname === "/from"
      ? new Response("moved", { status: 302, headers: { location: "/to" } })
      : new Response("here");
  }, async (port) => {
    const onion = new DirectOnion();
    const url = `http://web.example:${port}/from`;
    assertEquals((await fetched(onion, [url])).out, "here");
    const { out } = await fetched(onion, [url, "--no-redirect", "-i"]);
    assertMatch(out, /^HTTP 302 Found\n[^]*^location: \/to\n[^]*\n\nmoved$/m);
  });
  await withWeb(
    () =>
      new Response(null, {
        status: 302,
        headers: { location: "file:///etc/hostname" },
      }),
    (port) =>
      fails(
        new DirectOnion(),
        [`http://web.example:${port}/`],
        /^cannot follow a redirect: it leads out of the web$/,
      ).then(() => {}),
  );
});

Deno.test("S4.8: a redirect takes along what it may, and nobody else's secrets", async () => {
  const seen: string[] = [];
  await withWeb(async (request) => {
    const { pathname, searchParams, port } = new URL(request.url);
    const { headers, method } = request;
    const shown = ["authorization", "cookie", "x-a", "content-type"]
      .map((name) => headers.get(name) ?? "-").join(" ");
    seen.push(`${method} ${pathname} ${shown} ${await request.text()}`);
    const [, status = "", host = ""] = pathname.split("/");
    const location = host === ""
      ? "/done"
      : `http://${host}:${port}/done?${searchParams}`;
    return /^30\d$/.test(status)
      ? new Response(null, { status: Number(status), headers: { location } })
      : new Response("done");
  }, async (port) => {
    const onion = new DirectOnion();
    const more = ["-H", "Cookie: c", "-H", "X-A: a"];
    const go = async (path: string, ...args: string[]) => {
      seen.length = 0;
      const url = `http://u:p%3A@web.example:${port}${path}`;
      assertEquals((await fetched(onion, [url, ...args])).out, "done");
      return seen[1];
    };
    const basic = `Basic ${btoa("u:p:")}`;
    assertEquals(await go("/302", ...more), `GET /done ${basic} c a - `);
    assertEquals(await go("/302/other.example", ...more), "GET /done - - a - ");
    const post = ["--data", "body", "-H", "Content-Type: t/t"];
    for (const status of [301, 302, 303]) {
      assertEquals(
        await go(`/${status}`, ...post),
        `GET /done ${basic} - - - `,
      );
    }
    for (const status of [307, 308]) {
      assertEquals(
        await go(`/${status}`, ...post),
        `POST /done ${basic} - - t/t body`,
      );
    }
    assertEquals(
      await go("/302", ...post, "--method", "PUT"),
      `PUT /done ${basic} - - t/t body`,
    );
  });
  let requests = 0;
  await withWeb(() => {
    requests++;
    return new Response(null, { status: 302, headers: { location: "/" } });
  }, async (port) => {
    const says = /^cannot follow redirects: there are more than 20$/;
    await fails(new DirectOnion(), [`http://web.example:${port}/`], says);
    assertEquals(requests, 21);
  });
});

/** Answers every connection with `text` as it is, and ends it. */
function saying(text: string): (connection: Deno.TcpConn) => Promise<void> {
  return async (connection) => {
    await connection.read(new Uint8Array(1_000));
    await connection.write(new TextEncoder().encode(text));
  };
}

for (
  const [text, expected] of [
    ["HTTP/1.0 200 OK\r\n\r\nto the end", "to the end"],
    ["HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok and more", "ok"],
    [
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" +
      "2;x=y\r\nab\r\n1\r\nc\r\n0\r\nTrailer: t\r\n\r\nmore",
      "abc",
    ],
    ["HTTP/1.1 204 No Content\r\n\r\nnone", ""],
  ] as const
) {
  Deno.test(`S4.8: a response is read to its end and no further: ${JSON.stringify(text).slice(0, 50)}`, async () => {
    await withTcp(saying(text), async (port) => {
      const onion = new DirectOnion();
      const { out } = await fetched(onion, [`http://web.example:${port}/`]);
      assertEquals(out, expected);
    });
  });
}

for (
  const [text, says] of [
    ["", /: the server did not answer$/],
    ["nonsense\r\n\r\n", /: the server does not speak HTTP/],
    ["HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab", /ended too early$/],
    ["HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", /does not speak HTTP/],
    [
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab",
      /does not speak HTTP/,
    ],
    ["HTTP/1.1 206 Partial Content\r\n\r\n", /a part that does not fit$/],
    ["HTTP/1.1 101 Switching Protocols\r\n\r\n", /does not speak HTTP/],
  ] as const
) {
  Deno.test(`S4.8: no response: ${JSON.stringify(text).slice(0, 60)}`, async () => {
    await withTcp(saying(text), async (port) => {
      const url = `http://web.example:${port}/`;
      await fails(new DirectOnion(), [url, "--retries", "0", "-q"], says);
    });
  });
}

Deno.test("S4.8: methods, header fields and bodies as the person says", async () => {
  await withWeb(async (request) => {
    const { method, headers } = request;
    const shown = ["content-type", "x-a", "user-agent"]
      .map((name) => headers.get(name)).join("|");
    return new Response(`${method} ${shown} ${await request.text()}`);
  }, (port) =>
    withDirectory(async (directory) => {
      const onion = new DirectOnion();
      const url = `http://web.example:${port}/`;
      const form = "application/x-www-form-urlencoded";
      const say = async (args: string[], world: TestWorld = {}) =>
        (await fetched(onion, [url, ...args], world)).out;
      assertEquals(
        await say(["--data", "a=b"]),
        `POST ${form}||sotto a=b`,
      );
      await Deno.writeTextFile(`${directory}/data`, "from a file");
      assertEquals(
        await say([
          ...["--data", `@${directory}/data`, "--method", "PUT"],
          ...["-H", "Content-Type: text/plain", "-H", "x-a: 1", "-H", "X-A:2"],
          ...["-H", "user-agent: other"],
        ]),
        "PUT text/plain|1, 2|other from a file",
      );
      assertEquals(
        await say(["--data", "@-"], { stdin: ["from ", "a pipe"] }),
        `POST ${form}||sotto from a pipe`,
      );
      assertEquals(await say(["--method", "DELETE"]), "DELETE ||sotto ");
      const head = await say(["--method", "HEAD", "--include"]);
      assertMatch(head, /^HTTP 200 OK\n[^]*^content-length: \d+\n[^]*\n\n$/m);
    }));
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
    [["http://a/", "--retries=-1"], "--retries cannot be"],
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
      await assertRejects(() =>
        runFetch(
          [`http://web.example:${port}/`, "-o", `${directory}/file`],
          testIo({ signal: stop.signal }),
          onion.open,
        ), InterruptedError);
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
