import { assert, assertEquals } from "@std/assert";
import { socks5Code } from "../../../lib/onion/front/refusal.ts";
import { END_REASONS } from "../../../lib/onion/stream/stream_error.ts";
import { utf8 } from "../../../lib/protocol/mod.ts";
import { RawClient, withFront, withTcp } from "./front_server.ts";

const NAME = utf8("web.example");

/** A server that says back what it hears, and "end" when the other side has ended. */
async function echo(connection: Deno.TcpConn): Promise<void> {
  const buffer = new Uint8Array(65_536);
  for (let count; (count = await connection.read(buffer)) !== null;) {
    await connection.write(buffer.subarray(0, count));
  }
  await connection.write(utf8("end"));
  await connection.closeWrite();
}

function connectTo(port: number, command = 1): number[] {
  return [5, command, 0, 3, NAME.length, ...NAME, port >> 8, port & 255];
}

Deno.test("S4.5: SOCKS5: a tunnel, ended in one direction and read on in the other", async () => {
  await withTcp(
    echo,
    (target) =>
      withFront(
        {},
        ({ port, opener }) =>
          RawClient.run(port, async (client) => {
            await client.say([5, 1, 0]);
            assertEquals(await client.hear(2), [5, 0]);
            await client.say(connectTo(target));
            assertEquals(await client.hear(10), [5, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
            await client.say("hello");
            assertEquals(await client.hear(5), [...utf8("hello")]);
            await client.connection.closeWrite();
            assertEquals(await client.hearAll(), "end");
            assertEquals(opener.asked, [
              { host: "web.example", port: target, isolation: "" },
            ]);
          }),
      ),
  );
});

Deno.test("S4.5: SOCKS5: who has nothing to say may end its direction and still listens", async () => {
  await withTcp(
    echo,
    (target) =>
      withFront({}, ({ port }) =>
        RawClient.run(port, async (client) => {
          await client.say([5, 1, 0, ...connectTo(target)]);
          await client.hear(12);
          await client.connection.closeWrite();
          assertEquals(await client.hearAll(), "end");
        })),
  );
});

Deno.test("S4.5: SOCKS5: all said at once, and one byte at a time", async () => {
  await withTcp(echo, (target) =>
    withFront({}, async ({ port, opener }) => {
      const all = [5, 2, 0, 2, 1, 1, 117, 1, 112, ...connectTo(target), 33];
      const answer = [5, 2, 1, 0, 5, 0, 0, 1, 0, 0, 0, 0, 0, 0, 33];
      await RawClient.run(port, async (client) => {
        await client.say(all);
        assertEquals(await client.hear(answer.length), answer);
      });
      await RawClient.run(port, async (client) => {
        for (const byte of all) await client.say([byte]);
        assertEquals(await client.hear(answer.length), answer);
      });
      assertEquals(
        opener.asked.map(({ isolation }) => isolation),
        ['["u","p"]', '["u","p"]'],
      );
    }));
});

Deno.test("S4.5: SOCKS4 and 4a: granted, with the user id as the key", async () => {
  await withTcp(echo, (target) =>
    withFront({}, async ({ port, opener }) => {
      const place = [target >> 8, target & 255];
      for (
        const request of [
          [4, 1, ...place, 127, 0, 0, 1, 0],
          [4, 1, ...place, 0, 0, 0, 1, 117, 0, ...NAME, 0],
        ]
      ) {
        await RawClient.run(port, async (client) => {
          await client.say([...request, 33]);
          assertEquals(
            await client.hear(9),
            [0, 90, 0, 0, 0, 0, 0, 0, 33],
          );
        });
      }
      assertEquals(opener.asked, [
        { host: "127.0.0.1", port: target, isolation: "" },
        { host: "web.example", port: target, isolation: '["u",""]' },
      ]);
    }));
});

for (
  const [name, request, answer] of [
    ["BIND", [5, 2, 0, 1, 1, 1, 1, 1, 0, 80], 7],
    ["UDP ASSOCIATE", [5, 3, 0, 1, 1, 1, 1, 1, 0, 80], 7],
    ["an unknown command", [5, 9, 0, 1, 1, 1, 1, 1, 0, 80], 7],
    ["an unknown kind of address", [5, 1, 0, 2, 1, 1, 1, 1, 0, 80], 8],
    ["port 0", [5, 1, 0, 1, 1, 1, 1, 1, 0, 0], 1],
    ["a name that is none", [5, 1, 0, 3, 1, 0, 0, 80], 1],
    ["a name that does not resolve", [5, 1, 0, 3, 1, 97, 0, 80], 4],
    ["RESOLVE_PTR of a name", [5, 0xf1, 0, 3, 1, 97, 0, 80], 8],
    ["RESOLVE of what does not resolve", [5, 0xf0, 0, 3, 1, 97, 0, 80], 4],
  ] as const
) {
  Deno.test(`SOCKS5: ${name} is answered with ${answer}`, async () => {
    await withFront(
      { hosts: {} },
      ({ port }) =>
        RawClient.run(port, async (client) => {
          await client.say([5, 1, 0, ...request]);
          assertEquals(await client.hear(2), [5, 0]);
          assertEquals(
            await client.hear(100),
            [5, answer, 0, 1, 0, 0, 0, 0, 0, 0],
          );
        }),
    );
  });
}

Deno.test("SOCKS: every reason for a failure has its reply", async () => {
  await withFront({}, async ({ port, opener }) => {
    for (const reason of END_REASONS) {
      opener.fails = reason;
      await RawClient.run(port, async (client) => {
        await client.say([5, 1, 0, ...connectTo(80)]);
        const [, , version, code] = await client.hear(100);
        assertEquals([version, code], [5, socks5Code(reason)]);
        assert(code !== 0 && code! <= 6, reason);
      });
      await RawClient.run(port, async (client) => {
        await client.say([4, 1, 0, 80, 1, 1, 1, 1, 0]);
        assertEquals(await client.hear(9), [0, 91, 0, 0, 0, 0, 0, 0]);
      });
    }
  });
  const distinct = ["resolve-failed", "refused", "exit-policy", "unreachable"];
  const codes = [
    ...distinct,
    "timeout",
    "misc",
  ] as typeof END_REASONS[number][];
  assertEquals(new Set(codes.map(socks5Code)).size, codes.length);
});

Deno.test("S4.5: SOCKS5: names are resolved at the other end, addresses to names", async () => {
  const hosts = {
    "web.example": "2001:db8::1 192.0.2.1",
    "six.example": "2001:db8::1",
    "192.0.2.1": "web.example",
    "odd.example": "::: nonsense",
  };
  const cases: readonly (readonly [number[], number[]])[] = [
    [[0xf0, 0, 3, 11, ...utf8("web.example")], [0, 0, 1, 192, 0, 2, 1]],
    [[0xf0, 0, 3, 11, ...utf8("six.example")], [
      ...[0, 0, 4, 0x20, 1, 0xd, 0xb8],
      ...[...Array<number>(11).fill(0), 1],
    ]],
    [[0xf0, 0, 1, 198, 51, 100, 1], [0, 0, 1, 198, 51, 100, 1]],
    [[0xf0, 0, 3, 11, ...utf8("odd.example")], [4, 0, 1, 0, 0, 0, 0]],
    [[0xf1, 0, 1, 192, 0, 2, 1], [0, 0, 3, 11, ...NAME]],
  ];
  await withFront({ hosts }, async ({ port }) => {
    for (const [request, answer] of cases) {
      await RawClient.run(port, async (client) => {
        await client.say([5, 1, 0, 5, ...request, 0, 0]);
        assertEquals(await client.hear(100), [5, 0, 5, ...answer, 0, 0]);
      });
    }
  });
});

Deno.test("SOCKS: who may not come in is turned away, and nothing is asked for", async () => {
  const admit = (shown: { user: string; password: string } | undefined) =>
    shown?.user === "u" && shown.password === "p";
  await withTcp(
    echo,
    (target) =>
      withFront({ admit }, async ({ port, opener }) => {
        const request = connectTo(target);
        for (
          const [said, heard] of [
            [[5, 1, 0], [5, 255]],
            [[5, 1, 1], [5, 255]],
            [[5, 0], [5, 255]],
            [[5, 2, 0, 2, 1, 1, 117, 1, 113], [5, 2, 1, 1]],
            [[5, 1, 2, 1, 1, 118, 1, 112], [5, 2, 1, 1]],
            [[4, 1, 0, 80, 1, 1, 1, 1, 0], [0, 91, 0, 0, 0, 0, 0, 0]],
            [[4, 1, 0, 80, 1, 1, 1, 1, 117, 0], [0, 91, 0, 0, 0, 0, 0, 0]],
          ]
        ) {
          await RawClient.run(port, async (client) => {
            await client.say([...said!, ...request]);
            assertEquals(await client.hear(100), heard!);
          });
        }
        assertEquals(opener.asked, []);
        await RawClient.run(port, async (client) => {
          await client.say([5, 1, 2, 1, 1, 117, 1, 112, ...request]);
          assertEquals((await client.hear(14)).slice(0, 6), [5, 2, 1, 0, 5, 0]);
        });
      }),
  );
});

Deno.test("S4.3: hosts are kept apart when that is wanted", async () => {
  await withFront(
    { hosts: {}, isolateHosts: true },
    async ({ port, opener }) => {
      for (const name of ["A.example", "b.example", "a.example"]) {
        await RawClient.run(port, async (client) => {
          const host = utf8(name);
          await client.say([5, 1, 0, 5, 1, 0, 3, host.length, ...host, 0, 80]);
          await client.hear(100);
        });
      }
      const [first, second, third] = opener.asked.map((each) => each.isolation);
      assertEquals(first, third);
      assert(first !== second);
    },
  );
});
