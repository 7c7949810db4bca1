import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { runFetch } from "../../../cmd/client/fetch.ts";
import { CommandError } from "../../../cmd/errors.ts";
import { withWeb } from "../../onion/front/front_server.ts";
import { testIo } from "../../support/test_io.ts";
import { BreakingOnion, DirectOnion } from "./direct_onion.ts";
import {
  assertWhole,
  BODY,
  fails,
  fetched,
  LENGTH,
  namesIn,
  serve,
  withDirectory,
} from "./fetched.ts";
import type { Served } from "./fetched.ts";

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
