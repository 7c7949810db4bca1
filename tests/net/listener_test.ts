import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { dial, listen } from "../../lib/net/mod.ts";
import type { Incoming, Listener, ListenerLimits } from "../../lib/net/mod.ts";
import { Caller, RefusedError } from "../../lib/protocol/mod.ts";
import type { ByteStream } from "../../lib/protocol/mod.ts";

const ROOMY: ListenerLimits = {
  connections: 1_000,
  perAddress: 1_000,
  rate: { perSecond: 10_000, burst: 10_000 },
};
const LOOPBACK = { hostname: "127.0.0.1", port: 0 };

interface Harness {
  readonly listener: Listener;
  readonly failures: unknown[];
  readonly incoming: Incoming[];
  dial(): Promise<ByteStream>;
  /** Resolves once `condition` holds. */
  until(condition: () => boolean): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Reads until the other side, or a deadline, ends the connection. */
async function hold(incoming: Incoming): Promise<void> {
  const buffer = new Uint8Array(64);
  while (await incoming.read(buffer) !== null);
}

function listening(
  limits: Partial<ListenerLimits> = {},
  handle: (incoming: Incoming) => Promise<void> = hold,
): Harness {
  const failures: unknown[] = [];
  const incoming: Incoming[] = [];
  const listener = listen(
    LOOPBACK,
    { ...ROOMY, ...limits },
    (each) => {
      incoming.push(each);
      return handle(each);
    },
    (error) => void failures.push(error),
  );
  return {
    listener,
    failures,
    incoming,
    dial: () => dial({ hostname: "127.0.0.1", port: listener.port }),
    async until(condition) {
      for (let i = 0; i < 1_000 && !condition(); i++) {
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
      assert(condition(), "it did not come to pass");
    },
    [Symbol.asyncDispose]: () => listener.close(),
  };
}

/** What a connection gets that is not wanted. */
async function refusal(stream: ByteStream): Promise<RefusedError> {
  const caller = new Caller(stream);
  const error = await assertRejects(() => caller.ping(), RefusedError);
  stream.close();
  return error;
}

Deno.test("listen: connections are counted, served, and closed when their handler is done", async () => {
  await using net = listening();
  const streams = [await net.dial(), await net.dial()];
  await net.until(() => net.listener.connections === 2);
  assertEquals(net.incoming.map(({ group }) => group), [
    "127.0.0.1",
    "127.0.0.1",
  ]);
  streams[0]!.close();
  await net.until(() => net.listener.connections === 1);
  streams[1]!.close();
  await net.until(() => net.listener.connections === 0);
  assertEquals(net.failures, []);
});

Deno.test("listen: what a handler throws, at once or later, closes its connection and harms nobody else", async () => {
  let count = 0;
  await using net = listening({}, async (incoming) => {
    count++;
    if (count === 1) throw new Error("first");
    if (count === 2) {
      await incoming.read(new Uint8Array(1));
      throw new Error("second");
    }
    await hold(incoming);
  });
  const [first, second, third] = [
    await net.dial(),
    await net.dial(),
    await net.dial(),
  ];
  assertEquals(await first.read(new Uint8Array(1)), null);
  await second.write(new Uint8Array(1));
  assertEquals(await second.read(new Uint8Array(1)), null);
  await net.until(() => net.listener.connections === 1);
  assertEquals(net.failures.map((each) => (each as Error).message), [
    "first",
    "second",
  ]);
  for (const each of [first, second, third]) each.close();
});

Deno.test("listen: beyond the limit of connections the answer is REFUSED, and a place that is left is given again", async () => {
  await using net = listening({ connections: 3 });
  const streams: ByteStream[] = [];
  for (let i = 0; i < 3; i++) streams.push(await net.dial());
  for (let i = 0; i < 5; i++) {
    const error = await refusal(await net.dial());
    assert(error.message.includes("busy"));
    assertEquals(error.retryAfter, 30);
  }
  assertEquals(net.listener.connections, 3);
  streams.pop()!.close();
  await net.until(() => net.listener.connections === 2);
  streams.push(await net.dial());
  await net.until(() => net.listener.connections === 3);
  for (const each of streams) each.close();
});

Deno.test("listen: beyond the limit of one address the answer is REFUSED", async () => {
  await using net = listening({ perAddress: 2 });
  const streams = [await net.dial(), await net.dial()];
  const error = await refusal(await net.dial());
  assert(error.message.includes("too-many-connections"));
  for (const each of streams) each.close();
  await net.until(() => net.listener.connections === 0);
  // All of its places are free again, not only the last.
  const again = [await net.dial(), await net.dial()];
  await net.until(() => net.listener.connections === 2);
  for (const each of again) each.close();
});

Deno.test("listen: beyond the rate of one address the answer is REFUSED, and later not", async () => {
  await using net = listening({ rate: { perSecond: 20, burst: 3 } });
  const streams: ByteStream[] = [];
  for (let i = 0; i < 3; i++) streams.push(await net.dial());
  const error = await refusal(await net.dial());
  assert(error.message.includes("too-fast"));
  await new Promise((resolve) => setTimeout(resolve, 80));
  streams.push(await net.dial());
  await net.until(() => net.listener.connections === 4);
  for (const each of streams) each.close();
});

Deno.test("listen: REFUSED is read even by one who has begun a handshake already", async () => {
  await using net = listening({ connections: 0 });
  const key = new Uint8Array(32).fill(9);
  for (let i = 0; i < 50; i++) {
    const stream = await net.dial();
    await assertRejects(() => new Caller(stream).connect(key), RefusedError);
    stream.close();
  }
  assertEquals(net.failures, []);
});

Deno.test("listen: a deadline closes the connection, unless it is set anew or lifted", async () => {
  await using net = listening({}, async (incoming) => {
    incoming.deadline(400);
    const buffer = new Uint8Array(1);
    while (await incoming.read(buffer) !== null) {
      incoming.deadline(buffer[0] === 0 ? 0 : 400);
    }
  });
  const [silent, lively, lifted] = [
    await net.dial(),
    await net.dial(),
    await net.dial(),
  ];
  await lifted.write(new Uint8Array([0]));
  const start = performance.now();
  let silentFor = 0;
  const watching = silent.read(new Uint8Array(1)).then((count) => {
    assertEquals(count, null);
    silentFor = performance.now() - start;
  });
  for (let i = 0; i < 10; i++) {
    await new Promise((resolve) => setTimeout(resolve, 60));
    await lively.write(new Uint8Array([1]));
  }
  await watching;
  assert(silentFor >= 350 && silentFor < 3_000, `${silentFor} ms`);
  await net.until(() => net.listener.connections === 2);
  assertEquals(await lively.read(new Uint8Array(1)), null);
  await net.until(() => net.listener.connections === 1);
  // The handlers whose connections were closed under them say so.
  assertEquals(net.failures.length, 2);
  for (const each of [silent, lively, lifted]) each.close();
});

Deno.test("listen: stop takes no more connections and leaves those that are open", async () => {
  await using net = listening();
  const stream = await net.dial();
  await net.until(() => net.listener.connections === 1);
  net.listener.stop();
  net.listener.stop();
  await assertRejects(() => net.dial());
  assertEquals(net.listener.connections, 1);
  await stream.write(new Uint8Array(1));
  stream.close();
  await net.until(() => net.listener.connections === 0);
});

Deno.test("listen: close drops what is open, waits for the handlers, and is no failure of its own", async () => {
  let done = 0;
  const net = listening({}, async (incoming) => {
    await hold(incoming).catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, 20));
    done++;
  });
  const streams: ByteStream[] = [];
  for (let i = 0; i < 20; i++) streams.push(await net.dial());
  await net.until(() => net.listener.connections === 20);
  await net.listener.close();
  assertEquals(done, 20);
  assertEquals(net.listener.connections, 0);
  assertEquals(net.failures, []);
  await net.listener.close();
  for (const each of streams) {
    assertEquals(await each.read(new Uint8Array(1)).catch(() => null), null);
    each.close();
  }
});

Deno.test("listen: a port that is taken is refused", async () => {
  await using net = listening();
  assertThrows(
    () =>
      listen(
        { hostname: "127.0.0.1", port: net.listener.port },
        ROOMY,
        hold,
        () => {},
      ),
    Deno.errors.AddrInUse,
  );
});

Deno.test("listen: two thousand connections that come and go leave nothing behind", async () => {
  await using net = listening();
  for (let round = 0; round < 20; round++) {
    const streams = await Promise.all(
      Array.from({ length: 100 }, () => net.dial()),
    );
    for (const each of streams) each.close();
  }
  await net.until(() => net.incoming.length === 2_000);
  await net.until(() => net.listener.connections === 0);
});

const hasIpv6 = (() => {
  try {
    Deno.listen({ hostname: "::", port: 0 }).close();
    return true;
  } catch {
    return false;
  }
})();

Deno.test({
  name: "listen: on every address, IPv4 clients count by their IPv4 address",
  ignore: !hasIpv6,
  async fn() {
    const groups: string[] = [];
    const listener = listen(
      { hostname: "::", port: 0 },
      ROOMY,
      ({ group }) => {
        groups.push(group);
        return Promise.resolve();
      },
      () => {},
    );
    for (const hostname of ["127.0.0.1", "::1"]) {
      const stream = await dial({ hostname, port: listener.port });
      assertEquals(await stream.read(new Uint8Array(1)), null);
      stream.close();
    }
    assertEquals(groups, ["127.0.0.1", "0:0:0:0::/64"]);
    await listener.close();
  },
});
