import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { runForward } from "../../../cmd/client/forward.ts";
import { parseRoute } from "../../../cmd/client/forward.ts";
import { parseLocalAddress } from "../../../cmd/client/local_address.ts";
import { runProxy } from "../../../cmd/client/proxy.ts";
import { CommandError, UsageError } from "../../../cmd/errors.ts";
import type { Io } from "../../../cmd/io.ts";
import { utf8 } from "../../../lib/protocol/mod.ts";
import { RawClient, withTcp, withWeb } from "../../onion/front/front_server.ts";
import type { TestIo, TestWorld } from "../../support/test_io.ts";
import { testIo } from "../../support/test_io.ts";
import { DirectOnion } from "./direct_onion.ts";

/** Runs a command that goes on until it is stopped, and stops it when `body` is done. */
async function whileRunning(
  command: (io: Io) => Promise<number>,
  body: (io: TestIo) => Promise<void>,
  world: TestWorld = {},
): Promise<TestIo> {
  const stop = new AbortController();
  const io = testIo({ signal: stop.signal, now: () => Date.now(), ...world });
  const running = command(io);
  const ended = running.then(() => true, () => true);
  try {
    while (!/listening/.test(io.out)) {
      const early = await Promise.race([ended, pause(5)]);
      assert(early !== true, "it has ended early");
    }
    await body(io);
  } finally {
    stop.abort();
    await ended;
  }
  assertEquals(await running, 0);
  return io;
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

function portOf(out: string): number {
  return Number(/127\.0\.0\.1:(\d+)/.exec(out)?.[1]);
}

/** A fetch through the proxy of this platform's own HTTP client. */
async function through(port: number, url: string): Promise<string> {
  using client = Deno.createHttpClient({
    proxy: { url: `socks5h://127.0.0.1:${port}` },
  });
  const response = await fetch(url, { client });
  return await response.text();
}

Deno.test("S4.5: client proxy serves until it is stopped, and says how to use it", async () => {
  const onion = new DirectOnion();
  await withWeb(() => new Response("a page"), (target) =>
    whileRunning(
      (io) => runProxy(["--listen", "0"], io, onion.open),
      async (io) => {
        const port = portOf(io.out);
        assert(io.out.startsWith(`listening on 127.0.0.1:${port}\n`));
        assert(
          io.out.includes(
            `curl --socks5-hostname 127.0.0.1:${port} https://example.org/\n`,
          ),
        );
        const url = `http://web.example:${target}/`;
        assertEquals(await through(port, url), "a page");
        assertEquals(onion.opener.asked, [
          { host: "web.example", port: target, isolation: "" },
        ]);
        assertEquals(io.err, "");
      },
    ).then(() => {}));
  assertEquals([onion.closed, onion.opener.streams.size], [1, 0]);
});

Deno.test("client proxy --json --isolate-hosts", async () => {
  const onion = new DirectOnion();
  await withWeb(() => new Response("a page"), (target) =>
    whileRunning(
      (io) =>
        runProxy(
          ["--json", "--isolate-hosts", "--listen=127.0.0.1:0"],
          io,
          onion.open,
        ),
      async (io) => {
        const facts = JSON.parse(io.out);
        assertEquals(facts.listening, `127.0.0.1:${facts.port}`);
        assertEquals(facts.protocols, ["socks5", "socks4a", "http"]);
        await through(facts.port, `http://web.example:${target}/`);
        assertEquals(
          onion.opener.asked[0]!.isolation,
          '["","","web.example"]',
        );
      },
    ).then(() => {}));
});

Deno.test("client proxy: tunnels that are open when it is stopped are closed, and so are streams", async () => {
  const onion = new DirectOnion();
  await withTcp(
    async (c) => void await c.read(new Uint8Array(1)),
    (target) => leftOpen(onion, target),
  );
  assertEquals(onion.opener.streams.size, 0);
});

async function leftOpen(
  onion: DirectOnion,
  target: number,
): Promise<void> {
  let client: Deno.TcpConn | undefined;
  await whileRunning(
    (io) => runProxy(["--listen", "0"], io, onion.open),
    async (io) => {
      client = await Deno.connect({ port: portOf(io.out) });
      const raw = new RawClient(client);
      await raw.say(`CONNECT web.example:${target} HTTP/1.1\r\n\r\n`);
      await raw.hearUntil(/\r\n\r\n/);
    },
  );
  assertEquals(await client?.read(new Uint8Array(1)), null);
  client?.close();
}

Deno.test("client proxy: connections beyond the limit are closed as they come", async () => {
  const onion = new DirectOnion();
  await whileRunning(
    (io) =>
      runProxy(["--listen", "0", "--max-connections", "1"], io, onion.open),
    (io) =>
      RawClient.run(portOf(io.out), async (first) => {
        await first.say([5, 1, 0]);
        assertEquals(await first.hear(2), [5, 0]);
        await RawClient.run(portOf(io.out), async (second) => {
          await second.say([5, 1, 0]).catch(() => {});
          assertEquals(await second.hear(2), []);
        });
      }),
  );
});

Deno.test("client proxy: a person sees how things stand, and only a person", async () => {
  for (const terminal of [true, false]) {
    const onion = new DirectOnion();
    const { err } = await whileRunning(
      (io) => runProxy(["--listen", "0"], io, onion.open),
      () => pause(1_300),
      { terminal },
    );
    const line = /circuits=0 streams=0 down="0 B\/s" up="0 B\/s"/;
    assertEquals(line.test(err), terminal);
  }
});

Deno.test("client proxy --password-file serves who shows it, under any name", async () => {
  const directory = await Deno.makeTempDir();
  const file = `${directory}/password`;
  try {
    await Deno.writeTextFile(file, "grüße\n", { mode: 0o600 });
    const onion = new DirectOnion();
    await withWeb(() => new Response("a page"), (target) =>
      whileRunning(
        (io) =>
          runProxy(["--listen", "0", "--password-file", file], io, onion.open),
        async (io) => {
          const port = portOf(io.out);
          for (const password of ["", "grusse", "gr\u00fc\u00dfe!"]) {
            await RawClient.run(port, async (client) => {
              const bytes = utf8(password);
              await client.say([5, 1, 2, 1, 1, 97, bytes.length, ...bytes]);
              assertEquals(await client.hear(100), [5, 2, 1, 1]);
            });
          }
          await RawClient.run(port, async (client) => {
            await client.say(`CONNECT web.example:${target} HTTP/1.1\r\n\r\n`);
            assertMatch(await client.hearAll(), /^HTTP\/1\.1 407 /);
          });
          assertEquals(onion.opener.asked, []);
          for (const user of ["a", "b"]) {
            await RawClient.run(port, async (client) => {
              const shown = utf8(`${user}:grüße`).toBase64();
              await client.say(
                `GET http://web.example:${target}/ HTTP/1.1\r\nConnection: close\r\n` +
                  `Proxy-Authorization: Basic ${shown}\r\n\r\n`,
              );
              assertMatch(await client.hearAll(), /a page$/);
            });
          }
          const keys = onion.opener.asked.map(({ isolation }) => isolation);
          assertEquals(new Set(keys).size, 2);
        },
      ).then(() => {}));
    await Deno.writeTextFile(file, "\n");
    await assertRejects(
      () => runProxy(["--password-file", file], testIo(), onion.open),
      CommandError,
      "there is no password in it",
    );
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

Deno.test("client proxy: an address that others reach must be wanted", async () => {
  for (
    const address of ["0.0.0.0:1", "[::]:1", "192.0.2.1:1", "host.example:1"]
  ) {
    const onion = new DirectOnion();
    const error = await assertRejects(
      () => runProxy(["--listen", address], testIo(), onion.open),
      UsageError,
      "can be reached from other machines",
    );
    assertMatch(error.hint!, /--allow-remote/);
    assertEquals(onion.closed, 0, "the onion was opened");
    parseLocalAddress(address, true);
  }
  const own = ["1", "127.0.0.1:1", "127.9.9.9:1", "[::1]:1", "localhost:1"];
  for (const address of own) parseLocalAddress(address, false);
  for (const bad of ["", "x", "::1", "1:2:3", "127.0.0.1", "65536", "-1:1"]) {
    await assertRejects(
      () => runProxy([`--listen=${bad}`], testIo(), new DirectOnion().open),
      UsageError,
    );
  }
});

Deno.test("client proxy: a port that is taken is told, and the onion closed", async () => {
  await withTcp(() => Promise.resolve(), async (port) => {
    const onion = new DirectOnion();
    await assertRejects(
      () => runProxy(["--listen", String(port)], testIo(), onion.open),
      CommandError,
      `Cannot listen on 127.0.0.1:${port}`,
    );
    assertEquals(onion.closed, 1);
  });
});

Deno.test("S4.5: client forward carries several ports, each to its place", async () => {
  const onion = new DirectOnion();
  await withWeb(
    () => new Response("one"),
    (one) =>
      withWeb(() => new Response("two"), (two) =>
        whileRunning(
          (io) =>
            runForward(
              [`0:one.example:${one}`, `127.0.0.1:0:two.example:${two}`],
              io,
              onion.open,
            ),
          async (io) => {
            const lines = io.out.trim().split("\n");
            const ports = lines.map(portOf);
            assertEquals(lines, [
              `listening on 127.0.0.1:${
                ports[0]
              }, carried to one.example:${one}`,
              `listening on 127.0.0.1:${
                ports[1]
              }, carried to two.example:${two}`,
            ]);
            using client = Deno.createHttpClient({});
            for (const [i, said] of ["one", "two"].entries()) {
              const url = `http://127.0.0.1:${ports[i]}/`;
              assertEquals(await (await fetch(url, { client })).text(), said);
            }
            const keys = onion.opener.asked.map(({ isolation }) => isolation);
            assertEquals(new Set(keys).size, 2);
          },
        ).then(() => {})),
  );
  assertEquals([onion.closed, onion.opener.streams.size], [1, 0]);
});

Deno.test("client forward: what cannot be reached is told", async () => {
  const onion = new DirectOnion({});
  const { err } = await whileRunning(
    (io) => runForward(["0:nowhere.example:80"], io, onion.open),
    (io) =>
      RawClient.run(portOf(io.out), async (client) => {
        assertEquals(await client.hearAll(), "");
      }),
  );
  assertMatch(
    err,
    /warn {2}not connected to=nowhere\.example:80 why="the name does not resolve"\n$/,
  );
});

Deno.test("client forward: routes", () => {
  assertEquals(parseRoute("8080:web.example:80", false), {
    from: { host: "127.0.0.1", port: 8080 },
    to: { host: "web.example", port: 80 },
  });
  assertEquals(parseRoute("[::1]:1:[2001:DB8::1]:2", false), {
    from: { host: "::1", port: 1 },
    to: { host: "2001:db8::1", port: 2 },
  });
  assertEquals(parseRoute("0.0.0.0:1:a:2", true).from.host, "0.0.0.0");
  const bad = [
    ...["", "80", "80:a", "a:80", "80:a:b", "80:a:0", "80:a:65536", "a:b:c:d"],
    ...["0.0.0.0:1:a:2", "1:2:3:4:5", "99999:a:80", "1:a b:2", "::1:1:a:2"],
  ];
  for (const text of bad) {
    let error: unknown;
    try {
      parseRoute(text, false);
    } catch (thrown) {
      error = thrown;
    }
    assert(error instanceof UsageError, text);
  }
});
