import { assert, assertEquals, assertMatch } from "@std/assert";
import { httpRefusal } from "../../../lib/onion/front/refusal.ts";
import { END_REASONS } from "../../../lib/onion/stream/stream_error.ts";
import { RawClient, withFront, withTcp, withWeb } from "./front_server.ts";

/** Reads a request head and answers with `answers` in turn; a connection after the last is closed. */
function scripted(
  answers: readonly string[],
  seen: string[],
): (connection: Deno.TcpConn) => Promise<void> {
  const left = [...answers];
  return async (connection) => {
    const peer = new RawClient(connection);
    for (;;) {
      const head = await peer.hearUntil(/\r\n\r\n/);
      seen.push(head);
      const answer = left.shift();
      if (answer === undefined) return;
      await peer.say(answer);
      if (/Connection: close|HTTP\/1\.0/.test(answer)) return;
    }
  };
}

/** What a client hears that says `request` (PORT stands for the server's) to a server of `answers`. */
async function hear(
  request: string,
  answers: readonly string[],
): Promise<{ heard: string; seen: string[]; opened: number }> {
  const seen: string[] = [];
  let heard = "";
  let opened = 0;
  await withTcp(
    scripted(answers, seen),
    (target) =>
      withFront({}, async ({ port, opener }) => {
        await RawClient.run(port, async (client) => {
          await client.say(request.replaceAll("PORT", String(target)));
          await client.connection.closeWrite();
          heard = await client.hearAll();
        });
        opened = opener.asked.length;
      }),
  );
  return { heard, seen, opened };
}

const GET = "GET http://web.example:PORT/ HTTP/1.1\r\n\r\n";
const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

Deno.test("HTTP: requests of one client to one server share a stream", async () => {
  const { heard, seen, opened } = await hear(GET.repeat(3), [OK, OK, OK]);
  assertEquals(heard, OK.repeat(3));
  assertEquals([seen.length, opened], [3, 1]);
});

Deno.test("HTTP: a stream that has ended meanwhile is replaced, without a word to the client", async () => {
  const { heard, opened } = await hear(GET.repeat(2), [
    OK.replace("\r\n\r\n", "\r\nConnection: keep-alive\r\n\r\n"),
  ]);
  // The only answer is used up: the server closes instead of answering, on the old stream and the new one.
  assertMatch(
    heard,
    /^HTTP\/1\.1 200 OK\r\n[^]*okHTTP\/1\.1 502 Bad Gateway\r\n/,
  );
  assertEquals(opened, 2);
});

Deno.test("HTTP: what must not be sent twice gets a stream of its own", async () => {
  const post =
    "POST http://web.example:PORT/ HTTP/1.1\r\nContent-Length: 1\r\n\r\nx";
  const answers = [OK, OK];
  const seen: string[] = [];
  await withTcp(
    async (connection) => {
      const peer = new RawClient(connection);
      seen.push(await peer.hearUntil(/\r\n\r\nx/));
      await peer.say(answers.shift()!);
      await peer.hearAll();
    },
    (target) =>
      withFront(
        {},
        ({ port, opener }) =>
          RawClient.run(port, async (client) => {
            await client.say(post.repeat(2).replaceAll("PORT", String(target)));
            await client.connection.closeWrite();
            assertEquals(await client.hearAll(), OK + OK);
            assertEquals(opener.asked.length, 2);
          }),
      ),
  );
  assertEquals(seen.length, 2);
});

Deno.test("HTTP: what has no body and must not be sent twice gets a stream of its own too", async () => {
  const { opened, heard } = await hear(
    GET + GET.replace("GET", "DELETE") + GET.replace("GET", "DELETE"),
    [OK, OK, OK],
  );
  assertEquals([heard, opened], [OK.repeat(3), 3]);
});

Deno.test("HTTP: a body is never sent on a stream that may have ended", async () => {
  const get = GET.replace("\r\n\r\n", "\r\nContent-Length: 0\r\n\r\n");
  const { opened, heard } = await hear(get.repeat(2), [OK, OK]);
  assertEquals([heard, opened], [OK.repeat(2), 2]);
});

Deno.test("HTTP: a server that says it closes is not asked again, even if it does not", async () => {
  let asked = 0;
  const lazy = async (connection: Deno.TcpConn) => {
    const peer = new RawClient(connection);
    await peer.hearUntil(/\r\n\r\n/);
    asked++;
    await peer.say(OK.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n"));
    await peer.hearAll();
  };
  await withTcp(
    lazy,
    (target) =>
      withFront(
        {},
        ({ port, opener }) =>
          RawClient.run(port, async (client) => {
            await client.say(GET.repeat(2).replaceAll("PORT", String(target)));
            await client.connection.closeWrite();
            assertEquals(await client.hearAll(), OK.repeat(2));
            assertEquals([asked, opener.asked.length], [2, 2]);
          }),
      ),
  );
});

Deno.test("S4.3: HTTP: a stream is not used again for another server, or for other credentials", async () => {
  await withWeb(
    () => new Response("one\n"),
    (one) =>
      withWeb(
        () => new Response("two\n"),
        (two) =>
          withFront({}, ({ port, opener }) =>
            RawClient.run(port, async (client) => {
              const ask = async (
                target: number,
                host: string,
                user: string,
              ) => {
                const shown = btoa(`${user}:`);
                await client.say(
                  `GET http://${host}:${target}/ HTTP/1.1\r\n` +
                    `Proxy-Authorization: Basic ${shown}\r\n\r\n`,
                );
                return (await client.hearUntil(/(one|two)\n/)).slice(-4, -1);
              };
              assertEquals(await ask(one, "web.example", "a"), "one");
              assertEquals(await ask(one, "web.example", "a"), "one");
              assertEquals(await ask(two, "web.example", "a"), "two");
              assertEquals(await ask(two, "other.example", "a"), "two");
              assertEquals(await ask(two, "other.example", "b"), "two");
              assertEquals(
                opener.asked.map(({ host, port, isolation }) => [
                  host,
                  port,
                  isolation,
                ]),
                [
                  ["web.example", one, '["a",""]'],
                  ["web.example", two, '["a",""]'],
                  ["other.example", two, '["a",""]'],
                  ["other.example", two, '["b",""]'],
                ],
              );
            })),
      ),
  );
});

Deno.test("HTTP: responses of every framing come as they should", async () => {
  const chunked =
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nA: b\r\n\r\n";
  assertEquals((await hear(GET, [chunked])).heard, chunked);
  // The end of the connection is no end that can be told from a break: it becomes the last chunk.
  const { heard } = await hear(GET, ["HTTP/1.0 200 Fine\r\nA: b\r\n\r\nok"]);
  assertMatch(
    heard,
    /^HTTP\/1\.1 200 Fine\r\nA: b\r\nTransfer-Encoding: chunked\r\n\r\n[^]*\r\n0\r\n\r\n$/,
  );
  const old = await hear(GET.replace("1.1", "1.0"), [
    "HTTP/1.0 200 OK\r\n\r\nok",
  ]);
  assertEquals(old.heard, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nok");
  assertMatch(old.seen[0]!, /^GET \/ HTTP\/1\.0\r\n/);
});

Deno.test("HTTP: HEAD, 204 and 304 have no body, and the connection goes on", async () => {
  for (
    const [request, answer] of [
      [
        GET.replace("GET", "HEAD"),
        "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n",
      ],
      [GET, "HTTP/1.1 204 No Content\r\n\r\n"],
      [GET, "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n"],
    ] as const
  ) {
    const { heard, opened } = await hear(request + GET, [answer, OK]);
    assertEquals(heard, answer + OK);
    assertEquals(opened, 1);
  }
});

Deno.test("HTTP: interim responses go on to the client, a change of protocol does not", async () => {
  const hints = "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n";
  assertEquals((await hear(GET, [hints + OK])).heard, hints + OK);
  const old = await hear(GET.replace("1.1", "1.0"), [
    hints + "HTTP/1.0 200 OK\r\n\r\n",
  ]);
  assertEquals(old.heard, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
  const { heard } = await hear(
    GET.replace("\r\n\r\n", "\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"),
    ["HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"],
  );
  assertMatch(heard, /^HTTP\/1\.1 502 Bad Gateway\r\n/);
  const endless = await hear(GET, [hints.repeat(40) + OK]);
  assertMatch(endless.heard, /HTTP\/1\.1 502 Bad Gateway\r\n/);
});

const BAD_ANSWERS = [
  ...["nonsense\r\n\r\n", "SSH-2.0-x\r\n", "\x16\x03\x01", ""],
  "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
  "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
  "HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n",
  `HTTP/1.1 200 OK\r\nA: ${"b".repeat(66_000)}\r\n\r\n`,
];

for (const answer of BAD_ANSWERS) {
  Deno.test(`HTTP: a server that answers ${JSON.stringify(answer).slice(0, 60)} is none`, async () => {
    const { heard } = await hear(GET, [`${answer}Connection: close`]);
    assertMatch(heard, /^HTTP\/1\.1 502 Bad Gateway\r\n/);
    assertMatch(
      heard,
      /\r\nProxy-Status: sotto; error=http_protocol_error\r\n/,
    );
    assertMatch(
      heard,
      /\r\nConnection: close\r\n\r\nsotto: the server does not answer in HTTP/,
    );
  });
}

Deno.test("HTTP: a body that is cut short is not taken for whole", async () => {
  const begun = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort";
  const cut = async (connection: Deno.TcpConn) => {
    const peer = new RawClient(connection);
    await peer.hearUntil(/\r\n\r\n/);
    await peer.say(begun);
  };
  await withTcp(
    cut,
    (target) =>
      withFront({}, ({ port }) =>
        RawClient.run(port, async (client) => {
          await client.say(GET.repeat(2).replaceAll("PORT", String(target)));
          assertEquals(await client.hearAll(), begun);
        })),
  );
});

const BAD_REQUESTS: readonly (readonly [string, number])[] = [
  ["GET http://web.example:PORT/ HTTP/1.1\r\nA\r\n\r\n", 400],
  ["GET http://web.example:PORT/ HTTP/2.0\r\n\r\n", 505],
  ["PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505],
  ["GET https://web.example:PORT/ HTTP/1.1\r\n\r\n", 400],
  ["GET http://u@web.example:PORT/ HTTP/1.1\r\n\r\n", 400],
  ["CONNECT web.example HTTP/1.1\r\n\r\n", 400],
  ["CONNECT web.example:80 HTTP/1.1\r\nContent-Length: 1\r\n\r\nx", 400],
  [
    "CONNECT web.example:80 HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
    400,
  ],
  [
    "POST http://web.example:PORT/ HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxy",
    400,
  ],
  [
    "POST http://web.example:PORT/ HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\nx",
    400,
  ],
  [`GET http://web.example:PORT/ HTTP/1.1\r\nA: ${"b".repeat(66_000)}`, 431],
  ["OPTIONS * HTTP/1.1\r\n\r\n", 400],
  ["AAAA\r\n\r\n", 400],
];

for (const [request, status] of BAD_REQUESTS) {
  Deno.test(`HTTP: ${JSON.stringify(request).slice(0, 70)} is answered with ${status}`, async () => {
    const { heard, opened, seen } = await hear(request, [OK]);
    assertMatch(heard, new RegExp(`^HTTP/1\\.1 ${status} [A-Z]`));
    assertMatch(heard, /\r\nConnection: close\r\n/);
    assertEquals([opened, seen.length], [0, 0]);
  });
}

Deno.test("HTTP: a body of bad chunks reaches nobody as a whole one", async () => {
  const { heard } = await hear(
    "POST http://web.example:PORT/ HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n",
    [],
  );
  assertMatch(heard, /^HTTP\/1\.1 (400|502) /);
});

Deno.test("HTTP: every reason for a failure has its status, for a tunnel and for a request", async () => {
  await withFront({}, async ({ port, opener }) => {
    for (const reason of END_REASONS) {
      opener.fails = reason;
      const { status, error } = httpRefusal(reason);
      for (
        const line of ["CONNECT web.example:443", "GET http://web.example/"]
      ) {
        await RawClient.run(port, async (client) => {
          await client.say(`${line} HTTP/1.1\r\n\r\n`);
          const heard = await client.hearAll();
          assert(heard.startsWith(`HTTP/1.1 ${status} `), heard);
          assert(heard.includes(
            `\r\nProxy-Status: sotto; error=${error}; details="${reason}"\r\n`,
          ));
          assertMatch(heard, /\r\n\r\nsotto: cannot reach web\.example:\d+: /);
        });
      }
    }
  });
  assertEquals(
    (["exit-policy", "timeout", "refused"] as const).map((reason) =>
      httpRefusal(reason).status
    ),
    [403, 504, 502],
  );
});

Deno.test("HTTP: who takes it for a web server is told what it is, and nothing is asked for", async () => {
  await withFront({}, async ({ port, opener, at }) => {
    const page = await fetch(`http://${at}/`);
    assertEquals(page.status, 200);
    assertMatch(page.headers.get("content-type")!, /^text\/html/);
    const html = await page.text();
    assertMatch(html, /curl --socks5-hostname/);
    const other = await fetch(`http://${at}/api?x=1`, { method: "POST" });
    assertEquals(other.status, 404);
    await other.body?.cancel();
    await RawClient.run(port, async (client) => {
      await client.say("GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n");
      assert((await client.hearAll()).includes("This is a proxy"));
    });
    assertEquals(opener.asked, []);
  });
});

Deno.test("HTTP: who may not come in is asked who it is", async () => {
  const admit = (shown: { user: string; password: string } | undefined) =>
    shown?.user === "u" && shown.password === "p";
  await withWeb(
    () => new Response("ok"),
    (target) =>
      withFront({ admit }, async ({ port, opener }) => {
        const lines = [
          `CONNECT web.example:${target} HTTP/1.1\r\n`,
          `GET http://web.example:${target}/ HTTP/1.1\r\nConnection: close\r\n`,
        ];
        for (const line of lines) {
          for (const shown of ["", "Basic dTpx", "Bearer dTpw"]) {
            await RawClient.run(port, async (client) => {
              const field = shown && `Proxy-Authorization: ${shown}\r\n`;
              await client.say(`${line}${field}\r\n`);
              const heard = await client.hearAll();
              assertMatch(heard, /^HTTP\/1\.1 407 /);
              assertMatch(
                heard,
                /\r\nProxy-Authenticate: Basic realm="sotto"\r\n/,
              );
            });
          }
          assertEquals(opener.asked, []);
        }
        for (const line of lines) {
          await RawClient.run(port, async (client) => {
            await client.say(`${line}Proxy-Authorization: Basic dTpw\r\n\r\n`);
            assertMatch(await client.hearUntil(/\r\n\r\n/), /^HTTP\/1\.1 200 /);
          });
        }
        assertEquals(
          opener.asked.map(({ isolation }) => isolation),
          ['["u","p"]', '["u","p"]'],
        );
      }),
  );
});
