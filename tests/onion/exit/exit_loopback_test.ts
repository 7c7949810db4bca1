import { assert, assertEquals, assertRejects } from "@std/assert";
import { ExitPolicy } from "../../../lib/directory/mod.ts";
import { Exit } from "../../../lib/onion/exit/exit.ts";
import type { OnionStream } from "../../../lib/onion/stream/opener.ts";
import { StreamError } from "../../../lib/onion/stream/stream_error.ts";
import { FakeResolver } from "./fakes.ts";

/** A stream of an exit to a listener on loopback, and the destination's end of it. */
async function connected(listener: Deno.TcpListener) {
  const exit = new Exit({
    policy: ExitPolicy.parse("accept 127.0.0.0/8:*"),
    resolver: new FakeResolver({ "here.lab": [["127.0.0.1"]] }),
  });
  const accepting = listener.accept();
  const stream = await exit.connect("here.lab", listener.addr.port);
  return { exit, stream, other: await accepting };
}

/** All that comes until the end. */
async function readAll(stream: Pick<OnionStream, "read">): Promise<number[]> {
  const all: number[] = [];
  const buffer = new Uint8Array(4);
  for (;;) {
    const count = await stream.read(buffer);
    if (count === null) return all;
    all.push(...buffer.subarray(0, count));
  }
}

Deno.test("S4.5: exit: bytes go both ways, and each direction ends by itself", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { exit, stream, other } = await connected(listener);
  assertEquals(await stream.write(new Uint8Array([1, 2, 3])), 3);
  await stream.closeWrite();
  assertEquals(await readAll(other), [1, 2, 3]);
  // The destination answers only after the end of what was asked.
  await other.write(new Uint8Array([4, 5, 6, 7, 8]));
  other.close();
  assertEquals(await readAll(stream), [4, 5, 6, 7, 8]);
  assertEquals(await stream.read(new Uint8Array(1)), null);
  await stream.closeWrite();
  assertEquals(exit.streams, 1);
  stream.close();
  stream.close();
  assertEquals(exit.streams, 0);
});

Deno.test("exit: the destination may end first and go on reading", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { stream, other } = await connected(listener);
  await other.closeWrite();
  assertEquals(await readAll(stream), []);
  await stream.write(new Uint8Array([9]));
  await stream.closeWrite();
  assertEquals(await readAll(other), [9]);
  other.close();
  stream.close();
});

Deno.test("exit: small writes leave at once", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { stream, other } = await connected(listener);
  const buffer = new Uint8Array(8);
  const start = performance.now();
  for (let i = 0; i < 20; i++) {
    await stream.write(new Uint8Array([1]));
    await stream.write(new Uint8Array([2]));
    for (let got = 0; got < 2;) got += (await other.read(buffer))!;
    await other.write(buffer.subarray(0, 1));
    await stream.read(buffer);
  }
  const took = performance.now() - start;
  assert(took < 20 * 30, `${took} ms for 20 exchanges`);
  other.close();
  stream.close();
});

Deno.test("exit: a stream that is closed ends what is under way, and all that follows", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { stream, other } = await connected(listener);
  const reading = assertRejects(
    () => stream.read(new Uint8Array(1)),
    StreamError,
  );
  stream.close();
  assertEquals((await reading).reason, "done");
  for (
    const attempt of [
      () => stream.read(new Uint8Array(1)),
      () => stream.write(new Uint8Array(1)),
    ]
  ) {
    assertEquals((await assertRejects(attempt, StreamError)).reason, "done");
  }
  await stream.closeWrite();
  other.close();
});

Deno.test("exit: a destination that breaks off is a reset, not an end", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { stream, other } = await connected(listener);
  // A close with bytes that were not read makes the system send a reset.
  const bytes = new Uint8Array(1_000);
  await stream.write(bytes);
  const first = new Uint8Array(1);
  await other.read(first);
  other.close();
  const error = await assertRejects(async () => {
    for (;;) await stream.write(bytes);
  }, StreamError);
  assertEquals(error.reason, "reset");
  await stream.closeWrite();
  stream.close();
});

Deno.test("exit: a port that nobody listens on refuses", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  const exit = new Exit({ policy: ExitPolicy.parse("accept 127.0.0.1:*") });
  const error = await assertRejects(
    () => exit.connect("127.0.0.1", port),
    StreamError,
  );
  assertEquals(error.reason, "refused");
  assertEquals(exit.streams, 0);
});

Deno.test("exit: to a private address that the policy opens one connects, to the next one not", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const exit = new Exit({
    policy: ExitPolicy.parse(`accept 127.0.0.1:${listener.addr.port}`),
  });
  const accepting = listener.accept();
  const stream = await exit.connect("127.0.0.1", listener.addr.port);
  (await accepting).close();
  stream.close();
  const error = await assertRejects(
    () => exit.connect("127.0.0.2", listener.addr.port),
    StreamError,
  );
  assertEquals(error.reason, "exit-policy");
});
