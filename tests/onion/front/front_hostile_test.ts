import { assert, assertEquals, assertMatch } from "@std/assert";
import fc from "fast-check";
import { Front } from "../../../lib/onion/front/front.ts";
import type { OnionStream } from "../../../lib/onion/stream/opener.ts";
import { StreamError } from "../../../lib/onion/stream/stream_error.ts";
import { utf8, writeAll } from "../../../lib/protocol/mod.ts";
import type { Bytes } from "../../../lib/protocol/mod.ts";
import { RawClient, withFront, withTcp } from "./front_server.ts";
import { randomFrom, randomInput } from "./random_input.ts";

Deno.test("hostile: whatever a client says, the front ends it in time and goes on with others", async () => {
  const random = randomFrom(Math.floor(Math.random() * 2 ** 32));
  await withFront({ hosts: {}, patience: 300, idle: 300 }, async ({ port }) => {
    const inputs = Array.from({ length: 60 }, () => randomInput(random));
    await Promise.all(
      inputs.map((input) =>
        RawClient.run(port, async (client) => {
          await client.say(input).catch(() => {});
          await client.hearAll();
        })
      ),
    );
    await RawClient.run(port, async (client) => {
      await client.say("GET / HTTP/1.1\r\n\r\n");
      assertMatch(await client.hearAll(), /^HTTP\/1\.1 200 OK\r\n/);
    });
  });
});

for (
  const first of [
    "\x16\x03\x01\x02\x00",
    "\0",
    "\x06",
    "get / HTTP/1.1\r\n\r\n",
    "\xff",
  ]
) {
  Deno.test(`hostile: ${JSON.stringify(first)} is closed without a word`, async () => {
    await withFront({}, ({ port }) =>
      RawClient.run(port, async (client) => {
        await client.say(first);
        assertEquals(await client.hearAll(), "");
      }));
  });
}

for (
  const [name, said] of [
    ["nothing", ""],
    ["half a greeting", "\x05"],
    ["a greeting", "\x05\x01\x00"],
    ["half a password", "\x05\x01\x02\x01\x05u"],
    ["half a request", "\x05\x01\x00\x05\x01\x00\x03\x09web"],
    ["SOCKS4 without an end", "\x04\x01\x00\x50\x01\x01\x01\x01user"],
    ["half a head", "GET http://web.example/ HTTP/1.1\r\nA: b"],
  ] as const
) {
  Deno.test(`hostile: who says ${name} and no more is not waited for`, async () => {
    await withFront({ patience: 100 }, async ({ port, opener }) => {
      const begin = performance.now();
      await RawClient.run(port, async (client) => {
        if (said !== "") await client.say(said);
        await client.hearAll();
        const took = performance.now() - begin;
        assert(took > 90 && took < 5_000, String(took));
        assertEquals(opener.asked, []);
      });
    });
  });
}

for (
  const [name, request, answer] of [
    ["SOCKS5", [5, 1, 0, 5, 1, 0, 1, 127, 0, 0, 1], 12],
    ["SOCKS4", [4, 1], 8],
    ["CONNECT", "CONNECT web.example:PORT HTTP/1.1\r\n\r\n", 39],
    ["GET", "GET http://web.example:PORT/ HTTP/1.1\r\n\r\n", 0],
  ] as const
) {
  Deno.test(`${name}: who has said what it wants may take its time, and so may the server`, async () => {
    const slow = async (connection: Deno.TcpConn) => {
      await connection.read(new Uint8Array(1_000));
      await new Promise((resolve) => setTimeout(resolve, 650));
      const text = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nslow";
      await connection.write(utf8(text));
    };
    await withTcp(
      slow,
      (target) =>
        withFront(
          // Enough for a busy machine to take in what comes at once.
          { patience: 500 },
          ({ port }) =>
            RawClient.run(port, async (client) => {
              const place = [target >> 8, target & 255];
              if (typeof request === "string") {
                await client.say(request.replace("PORT", String(target)));
              } else {
                const address = request[0] === 4 ? [127, 0, 0, 1, 0] : [];
                await client.say([...request, ...place, ...address]);
              }
              await client.hear(answer);
              if (answer > 0) {
                await new Promise((resolve) => setTimeout(resolve, 650));
                await client.say("GET / HTTP/1.1\r\n\r\n");
              }
              assertMatch(
                await client.hearUntil(/slow$/),
                /^HTTP\/1\.1 200 OK/,
              );
            }),
        ),
    );
  });
}

Deno.test("hostile: an answer is not lost because something was still being said", async () => {
  await withFront(
    { hosts: {} },
    ({ port }) =>
      RawClient.run(port, async (client) => {
        // More than the kernel keeps on the way.
        const body = new Uint8Array(30_000_000);
        await client.say(
          `POST http://nowhere.example/ HTTP/1.1\r\nContent-Length: ${body.length}\r\n\r\n`,
        );
        await client.say(body);
        const heard = await client.hearAll();
        assertMatch(heard, /^HTTP\/1\.1 502 [^]*the name does not resolve\n$/);
      }),
  );
});

Deno.test("hostile: a request whose client is gone in the middle does not stay open", async () => {
  let rest: string | undefined;
  const half = Promise.withResolvers<void>();
  const patient = async (connection: Deno.TcpConn) => {
    const peer = new RawClient(connection);
    await peer.hearUntil(/half$/);
    half.resolve();
    rest = await peer.hearAll();
  };
  await withTcp(
    patient,
    (target) =>
      withFront({}, async ({ port, clients }) => {
        await RawClient.run(port, async (client) => {
          await client.say(
            `POST http://web.example:${target}/ HTTP/1.1\r\nContent-Length: 9\r\n\r\nhalf`,
          );
          await half.promise;
        });
        await Promise.all(clients);
      }),
  );
  assertEquals(rest, "");
});

Deno.test("hostile: a head that trickles does not get more time for every byte", async () => {
  await withFront(
    { patience: 300 },
    ({ port }) =>
      RawClient.run(port, async (client) => {
        const begin = performance.now();
        let ended = false;
        client.hearAll().then(() => ended = true, () => ended = true);
        await client.say("GET http://web.example/ HTTP/1.1\r\n");
        while (!ended && performance.now() - begin < 5_000) {
          await client.say("a").catch(() => {});
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
        assert(ended && performance.now() - begin < 2_000);
      }),
  );
});

Deno.test("hostile: a reader that stops holds no more than some buffers", async () => {
  let written = 0;
  const flood = async (connection: Deno.TcpConn) => {
    const piece = new Uint8Array(65_536);
    for (;;) written += await connection.write(piece);
  };
  await withTcp(
    flood,
    (target) =>
      withFront(
        {},
        ({ port, opener }) =>
          RawClient.run(port, async (client) => {
            await client.say(`CONNECT web.example:${target} HTTP/1.1\r\n\r\n`);
            await client.hear(10);
            let before = -1;
            while (before !== written) {
              before = written;
              await new Promise((resolve) => setTimeout(resolve, 200));
            }
            // What the kernel holds on both ways, and 64 KiB of ours.
            assert(written < 64 * 1_048_576, String(written));
            assertEquals(opener.streams.size, 1);
          }),
      ),
  );
});

Deno.test("hostile: who goes away while a stream is being opened has given it up", async () => {
  for (
    const said of [
      [5, 1, 0, 5, 1, 0, 3, 1, 97, 0, 80],
      [4, 1, 0, 80, 1, 1, 1, 1, 0],
      [...utf8("CONNECT web.example:80 HTTP/1.1\r\n\r\n")],
    ]
  ) {
    await withFront({}, async ({ port, opener, clients }) => {
      const aborted = Promise.withResolvers<void>();
      const begun = Promise.withResolvers<void>();
      opener.before = (signal) => {
        begun.resolve();
        return new Promise((_, reject) => {
          signal!.addEventListener("abort", () => {
            aborted.resolve();
            reject(signal!.reason);
          });
        });
      };
      await RawClient.run(port, async (client) => {
        await client.say(said);
        await begun.promise;
      });
      await aborted.promise;
      await Promise.all(clients);
    });
  }
});

Deno.test("hostile: a stream that comes too late for its client is closed", async () => {
  await withTcp(
    async (c) => void await c.read(new Uint8Array(1)),
    (target) =>
      withFront({}, async ({ port, opener, clients }) => {
        const late = Promise.withResolvers<void>();
        const begun = Promise.withResolvers<void>();
        opener.before = () => {
          begun.resolve();
          return late.promise;
        };
        await RawClient.run(port, async (client) => {
          await client.say(`CONNECT web.example:${target} HTTP/1.1\r\n\r\n`);
          await begun.promise;
        });
        await new Promise((resolve) => setTimeout(resolve, 50));
        late.resolve();
        await Promise.all(clients);
        assertEquals(opener.streams.size, 0);
      }),
  );
});

/** A stream that gives `before`, then fails. */
function breaking(before: string): OnionStream & { closed: boolean } {
  let left: Bytes | undefined = utf8(before);
  return {
    closed: false,
    read(buffer) {
      if (left === undefined) {
        return Promise.reject(new StreamError("circuit-gone", "Cannot read"));
      }
      const { length } = left;
      buffer.set(left);
      left = undefined;
      return Promise.resolve(length);
    },
    write: (bytes) => Promise.resolve(bytes.length),
    closeWrite: () => Promise.resolve(),
    close() {
      this.closed = true;
    },
  };
}

Deno.test("hostile: when a circuit breaks, its clients are cut off and nobody else", async () => {
  const said = [
    [..."CONNECT a:1 HTTP/1.1\r\n\r\n"].map((c) => c.charCodeAt(0)),
    [...utf8("GET http://a/ HTTP/1.1\r\n\r\n")],
    [5, 1, 0, 5, 1, 0, 3, 1, 97, 0, 80],
  ];
  const begun = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nsho";
  for (const request of said) {
    const failures: unknown[] = [];
    const stream = breaking(begun);
    const front = new Front({
      open: () => Promise.resolve(stream),
      resolve: () => Promise.resolve([]),
    }, { failed: (error) => failures.push(error) });
    await withTcp(
      (connection) => front.serve(connection),
      (port) =>
        RawClient.run(port, async (client) => {
          await client.say(request);
          const heard = await client.hearAll();
          assert(heard.endsWith(begun), heard);
        }),
    );
    assert(stream.closed);
    assertEquals(failures, []);
  }
});

Deno.test("hostile: what no client can cause is told", async () => {
  const failures: unknown[] = [];
  const bug = new TypeError("a bug");
  const front = new Front({
    open: () => Promise.reject(bug),
    resolve: () => Promise.reject(bug),
  }, { failed: (error) => failures.push(error) });
  await withTcp(
    (connection) => front.serve(connection),
    (port) =>
      RawClient.run(port, async (client) => {
        await client.say("CONNECT a:1 HTTP/1.1\r\n\r\n");
        assertEquals(await client.hearAll(), "");
      }),
  );
  assertEquals(failures, [bug]);
});

Deno.test("hostile: what goes through a tunnel is what was said, in any pieces, both ways", async () => {
  const echo = async (connection: Deno.TcpConn) => {
    const buffer = new Uint8Array(10_000);
    for (let count; (count = await connection.read(buffer)) !== null;) {
      await writeAll(connection, buffer.subarray(0, count));
    }
    await connection.closeWrite();
  };
  await withTcp(echo, (target) =>
    withFront({}, ({ port }) =>
      fc.assert(
        fc.asyncProperty(
          fc.array(fc.uint8Array({ minLength: 1, maxLength: 3_000 }), {
            maxLength: 20,
          }),
          async (pieces) => {
            await RawClient.run(port, async (client) => {
              await client.say([5, 1, 0]);
              await client.say([
                ...[5, 1, 0, 1, 127, 0, 0, 1],
                ...[target >> 8, target & 255],
              ]);
              const length = pieces.reduce((sum, each) => sum + each.length, 0);
              const heard = client.hear(12 + length);
              for (const piece of pieces) await client.say(piece);
              await client.connection.closeWrite();
              assertEquals((await heard).slice(12), [
                ...pieces.flatMap((piece) => [...piece]),
              ]);
            });
          },
        ),
        { numRuns: 25 },
      )));
});
