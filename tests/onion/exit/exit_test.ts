import { assert, assertEquals, assertRejects } from "@std/assert";
import { ExitPolicy } from "../../../lib/directory/mod.ts";
import { Exit } from "../../../lib/onion/exit/exit.ts";
import type { ExitOptions } from "../../../lib/onion/exit/exit.ts";
import { StreamError } from "../../../lib/onion/stream/stream_error.ts";
import type { EndReason } from "../../../lib/onion/stream/stream_error.ts";
import { HandClock } from "../hand_clock.ts";
import { FakeConnection, FakeResolver, systemError } from "./fakes.ts";

/** An exit whose connections all come to be, and the addresses it has connected to. */
function exitTo(
  answers: Readonly<Record<string, readonly (readonly string[])[]>>,
  options: Partial<ExitOptions> = {},
) {
  const resolver = new FakeResolver(answers);
  const dialled: string[] = [];
  const connections: FakeConnection[] = [];
  const exit = new Exit({
    policy: ExitPolicy.WEB,
    resolver,
    dial: (ip, port) => {
      dialled.push(`${ip} ${port}`);
      connections.push(new FakeConnection());
      return Promise.resolve(connections.at(-1)!);
    },
    ...options,
  });
  return { exit, resolver, dialled, connections };
}

async function assertEnds(
  attempt: () => Promise<unknown>,
  reason: EndReason,
  what?: string,
): Promise<StreamError> {
  const error = await assertRejects(attempt, StreamError);
  assertEquals(error.reason, reason, what);
  return error;
}

Deno.test("S4.5: exit: no spelling of an inner address is connected to", async () => {
  const inner: readonly (readonly [string, EndReason])[] = [
    ["127.0.0.1", "exit-policy"],
    ["0.0.0.0", "exit-policy"],
    ["10.0.0.1", "exit-policy"],
    ["169.254.169.254", "exit-policy"],
    ["::1", "exit-policy"],
    ["::", "exit-policy"],
    ["::ffff:127.0.0.1", "exit-policy"],
    ["::ffff:7f00:1", "exit-policy"],
    ["0:0:0:0:0:ffff:127.0.0.1", "exit-policy"],
    ["::127.0.0.1", "exit-policy"],
    ["64:ff9b::127.0.0.1", "exit-policy"],
    ["2002:7f00:1::", "exit-policy"],
    ["fd00:ec2::254", "exit-policy"],
    ["fe80::1", "exit-policy"],
    ["fe80::1%eth0", "resolve-failed"],
    ["[::1]", "resolve-failed"],
    ["2130706433", "resolve-failed"],
    ["0x7f.1", "resolve-failed"],
    ["0x7f000001", "resolve-failed"],
    ["017700000001", "resolve-failed"],
    ["0177.0.0.1", "resolve-failed"],
    ["127.1", "resolve-failed"],
    ["127.0.0.1.", "resolve-failed"],
    ["１２７.0.0.1", "resolve-failed"],
    ["127。0。0。1", "resolve-failed"],
    ["127.0.0.1\u0000.example.org", "resolve-failed"],
    ["user@127.0.0.1", "resolve-failed"],
    ["", "resolve-failed"],
    [".", "resolve-failed"],
    ["abc.onion", "resolve-failed"],
    ["abc.ONION.", "resolve-failed"],
  ];
  const { exit, resolver, dialled } = exitTo({});
  for (const [host, reason] of inner) {
    await assertEnds(() => exit.connect(host, 80), reason, host);
  }
  assertEquals(dialled, []);
  assertEquals(resolver.asked, []);
  assertEquals(exit.streams, 0);
});

Deno.test("S4.5: exit: a name that leads inside is not connected to, nor told", async () => {
  const { exit, dialled } = exitTo({
    "localhost": [["127.0.0.1", "::1"]],
    "metadata.google.internal": [["169.254.169.254"]],
    "mapped.example": [["::ffff:10.0.0.1"]],
    "translated.example": [["64:ff9b::a9fe:a9fe"]],
    "odd.example": [["2130706433", "0x7f.1", "127.1", "localhost", ""]],
    "nothing.example": [[]],
  });
  const names = [
    "localhost",
    "localhost.",
    "LOCALHOST",
    "metadata.google.internal",
    "mapped.example",
    "translated.example",
    "odd.example",
    "nothing.example",
    "unknown.example",
  ];
  for (const name of names) {
    await assertEnds(() => exit.connect(name, 80), "resolve-failed", name);
    await assertEnds(() => exit.resolve(name), "resolve-failed", name);
  }
  assertEquals(dialled, []);
});

Deno.test("S4.5: exit: of a mixed answer only what is permitted is tried and told", async () => {
  const answer = ["10.0.0.1", "8.8.8.8", "::1", "2606:4700::1111", "8.8.8.8"];
  const { exit, dialled } = exitTo({ "mixed.example": [answer] }, {
    dial: (ip, port) => {
      dialled.push(`${ip} ${port}`);
      return Promise.reject(systemError("ECONNREFUSED"));
    },
  });
  await assertEnds(() => exit.connect("mixed.example", 80), "refused");
  assertEquals(dialled, ["8.8.8.8 80", "2606:4700::1111 80"]);
  assertEquals(await exit.resolve("mixed.example"), [
    "8.8.8.8",
    "2606:4700::1111",
  ]);
});

Deno.test("S4.5: exit: a name server that answers otherwise the second time gains nothing", async () => {
  let now = 0;
  const { exit, resolver, dialled } = exitTo({
    "rebinding.example": [["8.8.8.8"], ["127.0.0.1"]],
  }, { now: () => now });
  await exit.connect("rebinding.example", 80);
  await exit.connect("rebinding.example", 80);
  assertEquals(resolver.asked.length, 1);
  now = 59_999;
  await exit.connect("rebinding.example", 443);
  assertEquals(resolver.asked.length, 1);
  now = 60_000;
  await assertEnds(
    () => exit.connect("rebinding.example", 80),
    "resolve-failed",
  );
  assertEquals(resolver.asked.length, 2);
  assertEquals(dialled, ["8.8.8.8 80", "8.8.8.8 80", "8.8.8.8 443"]);
});

Deno.test("S4.5: exit: the relay's own addresses are refused, in every form", async () => {
  const { exit, dialled } = exitTo({
    "self.example": [["198.41.0.4"]],
    "both.example": [["198.41.0.4", "8.8.8.8"]],
  }, {
    own: () => ["198.41.0.4", "2606:4700:0::1"],
    policy: ExitPolicy.parse("accept *:*"),
  });
  const own = [
    "198.41.0.4",
    "::ffff:198.41.0.4",
    "64:ff9b::198.41.0.4",
    "2002:c629:4::1",
    "2606:4700::1",
  ];
  for (const ip of own) {
    await assertEnds(() => exit.connect(ip, 80), "exit-policy", ip);
  }
  await assertEnds(() => exit.connect("self.example", 80), "resolve-failed");
  await exit.connect("both.example", 80);
  assertEquals(dialled, ["8.8.8.8 80"]);
  assertEquals(await exit.resolve("both.example"), ["8.8.8.8"]);
});

Deno.test("exit: a port that the policy forbids is refused before the name is looked up", async () => {
  const { exit, resolver } = exitTo({ "example.org": [["8.8.8.8"]] });
  for (const port of [0, 25, 65_536, -1, 80.5, NaN]) {
    await assertEnds(() => exit.connect("example.org", port), "exit-policy");
    await assertEnds(() => exit.connect("8.8.8.8", port), "exit-policy");
  }
  assertEquals(resolver.asked, []);
});

Deno.test("exit: an address that is told but not permitted on this port is the policy's no", async () => {
  const { exit } = exitTo({ "example.org": [["8.8.8.8"]] }, {
    policy: ExitPolicy.parse("reject 8.8.8.8:80, accept *:80-81"),
  });
  await assertEnds(() => exit.connect("example.org", 80), "exit-policy");
  await exit.connect("example.org", 81);
});

Deno.test("exit: a policy can open an inner network, as in labs", async () => {
  const { exit, dialled } = exitTo({ "web.lab": [["10.7.0.2", "10.8.0.2"]] }, {
    policy: ExitPolicy.parse("accept 10.7.0.0/16:8080"),
  });
  await exit.connect("web.lab", 8080);
  assertEquals(dialled, ["10.7.0.2 8080"]);
  assertEquals(await exit.resolve("web.lab"), ["10.7.0.2"]);
  await assertEnds(() => exit.connect("10.8.0.2", 8080), "exit-policy");
});

Deno.test("exit: names are looked up in one spelling", async () => {
  const { exit, resolver } = exitTo({ "example.org": [["8.8.8.8"]] });
  for (const name of ["example.org", "Example.ORG", "example.org."]) {
    await exit.connect(name, 80);
  }
  assertEquals(resolver.asked, ["example.org"]);
  const long = `${"a".repeat(63)}.`.repeat(4);
  await assertEnds(() => exit.connect(long, 80), "resolve-failed");
  await assertEnds(() => exit.connect("a".repeat(64), 80), "resolve-failed");
  assertEquals(resolver.asked, ["example.org"]);
  await assertEnds(() => exit.connect(long.slice(1), 80), "resolve-failed");
  assertEquals(resolver.asked, ["example.org"]);
  // 253 bytes and a dot.
  await assertEnds(() => exit.connect(long.slice(2), 80), "resolve-failed");
  assertEquals(resolver.asked[1]!.length, 253);
});

Deno.test("exit: addresses are tried in turns, four at most, each with its share of the time", async () => {
  using clock = new HandClock();
  const started: [string, number][] = [];
  const ipv4 = ["8.0.0.1", "8.0.0.2", "8.0.0.3", "8.0.0.4"];
  const { exit } = exitTo({
    "slow.example": [[...ipv4, "2606::1", "2606::2"]],
  }, {
    limits: { connectTimeout: 200 },
    now: () => clock.now,
    dial: (ip) => {
      started.push([ip, clock.now]);
      return ip === "2606::1"
        ? Promise.reject(systemError("ENETUNREACH"))
        : new Promise(() => {});
    },
  });
  const ended = assertEnds(() => exit.connect("slow.example", 80), "timeout")
    .then(() => clock.now);
  await clock.advance(1_000);
  assertEquals(await ended, 200);
  // 50 ms, then at once, then half of the 150 ms that are left.
  assertEquals(started, [
    ["8.0.0.1", 0],
    ["2606::1", 50],
    ["8.0.0.2", 50],
    ["2606::2", 125],
  ]);
});

Deno.test("exit: a connection that comes too late is closed", async () => {
  const late = Promise.withResolvers<FakeConnection>();
  const given: string[] = [];
  const { exit } = exitTo({}, {
    limits: { connectTimeout: 20 },
    dial: (_ip, _port, signal) => {
      signal.addEventListener("abort", () => given.push(signal.reason.name));
      return late.promise;
    },
  });
  await assertEnds(() => exit.connect("8.8.8.8", 80), "timeout");
  const connection = new FakeConnection();
  late.resolve(connection);
  await late.promise;
  await Promise.resolve();
  assertEquals(connection.closed, 1);
  assertEquals(given, ["TimeoutError"]);
  assertEquals(exit.streams, 0);
});

Deno.test("exit: why a connection failed", async () => {
  const cases: readonly (readonly [string, EndReason])[] = [
    ["ECONNREFUSED", "refused"],
    ["ECONNRESET", "reset"],
    ["ETIMEDOUT", "timeout"],
    ["ENETUNREACH", "unreachable"],
    ["EHOSTUNREACH", "unreachable"],
    ["EMFILE", "resource-limit"],
    ["EWHATEVER", "misc"],
  ];
  for (const [code, reason] of cases) {
    const { exit } = exitTo({}, {
      dial: () => Promise.reject(systemError(code)),
    });
    const error = await assertEnds(() => exit.connect("8.8.8.8", 80), reason);
    assert(!error.message.includes("8.8.8.8"), error.message);
    assertEquals((error.cause as Error).message, code);
  }
});

Deno.test("exit: an attempt is given up when it is told to, at every step", async () => {
  const never = new Promise<never>(() => {});
  const answer = Promise.withResolvers<readonly string[]>();
  const looking = exitTo({}, {
    resolver: { addresses: () => answer.promise, names: () => never },
  });
  const connecting = exitTo({}, { dial: () => never });
  const attempts: ((signal: AbortSignal) => Promise<unknown>)[] = [
    (signal) => looking.exit.connect("example.org", 80, signal),
    (signal) => looking.exit.resolve("example.org", signal),
    (signal) => looking.exit.resolve("8.8.8.8", signal),
    (signal) => connecting.exit.connect("8.8.8.8", 80, signal),
  ];
  for (const attempt of attempts) {
    await assertEnds(() => attempt(AbortSignal.abort()), "misc");
    const controller = new AbortController();
    const attempting = attempt(controller.signal);
    controller.abort(new Error("changed my mind"));
    const error = await assertEnds(() => attempting, "misc");
    assertEquals((error.cause as Error).message, "changed my mind");
  }
  assertEquals([looking.exit.streams, connecting.exit.streams], [0, 0]);
  // None of the other addresses is tried after that.
  const controller = new AbortController();
  const { exit, dialled } = exitTo(
    { "two.example": [["8.0.0.1", "8.0.0.2"]] },
    {
      dial: (ip) => {
        dialled.push(ip);
        controller.abort();
        return never;
      },
    },
  );
  await assertEnds(
    () => exit.connect("two.example", 80, controller.signal),
    "misc",
  );
  assertEquals(dialled, ["8.0.0.1"]);
  // The question goes on for whoever asks next.
  answer.resolve(["8.8.8.8"]);
  assertEquals(await looking.exit.resolve("example.org"), ["8.8.8.8"]);
});

Deno.test("exit: a name server that does not answer is a timeout, one that fails a failure", async () => {
  const never = new Promise<never>(() => {});
  const silent = exitTo({}, {
    limits: { resolveTimeout: 20 },
    resolver: { addresses: () => never, names: () => never },
  });
  await assertEnds(() => silent.exit.connect("a.example", 80), "timeout");
  await assertEnds(() => silent.exit.resolve("a.example"), "timeout");
  await assertEnds(() => silent.exit.resolve("8.8.8.8"), "timeout");
  const broken = exitTo({}, {
    resolver: {
      addresses: () => Promise.reject(new Error("SERVFAIL")),
      names: () => Promise.reject(new Error("SERVFAIL")),
    },
  });
  const error = await assertEnds(
    () => broken.exit.connect("a.example", 80),
    "resolve-failed",
  );
  assertEquals((error.cause as Error).message, "SERVFAIL");
  await assertEnds(() => broken.exit.resolve("8.8.8.8"), "resolve-failed");
});

Deno.test("exit: no more streams at once than the limit, and a closed one makes room once", async () => {
  const { exit, connections } = exitTo({}, { limits: { streams: 2 } });
  const first = await exit.connect("8.8.8.8", 80);
  await exit.connect("8.8.8.8", 80);
  await assertEnds(() => exit.connect("8.8.8.8", 80), "resource-limit");
  await assertEnds(() => exit.resolve("example.org"), "resource-limit");
  assertEquals(exit.streams, 2);
  first.close();
  first.close();
  await assertEnds(() => first.read(new Uint8Array(1)), "done");
  await assertEnds(() => first.write(new Uint8Array(1)), "done");
  assertEquals(connections[0]!.closed, 1);
  assertEquals(exit.streams, 1);
  await exit.connect("8.8.8.8", 80);
  await assertEnds(() => exit.connect("8.8.8.8", 80), "resource-limit");
});

Deno.test("exit: RESOLVE tells names of addresses that the policy leads to", async () => {
  const { exit, resolver } = exitTo({
    "8.8.8.8": [["dns.example.", "DNS2.example", "bad name", "1.2.3.4"]],
    "2606:4700::1": [Array(50).fill(0).map((_, i) => `n${i}.example`)],
    "8.8.4.4": [["not a name"]],
  });
  assertEquals(await exit.resolve("8.8.8.8"), ["dns.example", "dns2.example"]);
  assertEquals((await exit.resolve("2606:4700:0::1")).length, 16);
  await assertEnds(() => exit.resolve("8.8.4.4"), "resolve-failed");
  const asked = resolver.asked.length;
  for (const ip of ["10.0.0.1", "::1", "169.254.169.254"]) {
    await assertEnds(() => exit.resolve(ip), "resolve-failed", ip);
  }
  assertEquals(resolver.asked.length, asked);
});

Deno.test("exit: a relay that is no exit resolves nothing", async () => {
  const { exit, resolver } = exitTo({ "example.org": [["8.8.8.8"]] }, {
    policy: ExitPolicy.REJECT_ALL,
  });
  await assertEnds(() => exit.resolve("example.org"), "exit-policy");
  await assertEnds(() => exit.resolve("8.8.8.8"), "exit-policy");
  await assertEnds(() => exit.connect("example.org", 80), "exit-policy");
  assertEquals(resolver.asked, []);
});
