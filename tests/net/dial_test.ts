import { assert, assertEquals, assertRejects } from "@std/assert";
import { dial, DialError } from "../../lib/net/mod.ts";

/** Replaces `Deno.connect` by one that waits until it is given up. */
function deafNetwork(): Disposable {
  const real = Deno.connect;
  const waiting = ({ signal }: { signal: AbortSignal }) =>
    new Promise((_, reject) => {
      if (signal.aborted) reject(signal.reason);
      signal.addEventListener("abort", () => reject(signal.reason));
    });
  Deno.connect = waiting as unknown as typeof Deno.connect;
  return {
    [Symbol.dispose]() {
      Deno.connect = real;
    },
  };
}

Deno.test("dial: a connection over which bytes go both ways", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const accepting = listener.accept();
  const stream = await dial({
    hostname: "127.0.0.1",
    port: listener.addr.port,
  });
  using other = await accepting;
  await stream.write(new Uint8Array([1, 2]));
  const buffer = new Uint8Array(8);
  assertEquals(await other.read(buffer), 2);
  await other.write(new Uint8Array([3]));
  assertEquals(await stream.read(buffer), 1);
  stream.close();
});

Deno.test("dial: small writes leave at once", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const accepting = listener.accept();
  const stream = await dial({
    hostname: "127.0.0.1",
    port: listener.addr.port,
  });
  using other = await accepting;
  const buffer = new Uint8Array(8);
  const start = performance.now();
  // With Nagle's algorithm the second write of each pair waits for an acknowledgement: 40 ms.
  for (let i = 0; i < 20; i++) {
    await stream.write(new Uint8Array([1]));
    await stream.write(new Uint8Array([2]));
    for (let got = 0; got < 2;) got += (await other.read(buffer))!;
    await other.write(buffer.subarray(0, 1));
    await stream.read(buffer);
  }
  const took = performance.now() - start;
  assert(took < 20 * 30, `${took} ms for 20 exchanges`);
  stream.close();
});

Deno.test("dial: nobody there, and no such name, are a DialError that says where", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  const error = await assertRejects(
    () => dial({ hostname: "127.0.0.1", port }),
    DialError,
    `Cannot reach 127.0.0.1:${port}: `,
  );
  assertEquals(error.code, "ERR_UNREACHABLE");
  assert(error.cause instanceof Deno.errors.ConnectionRefused);
  await assertRejects(
    () => dial({ hostname: "nobody.invalid", port: 1, timeout: 5_000 }),
    DialError,
    "Cannot reach nobody.invalid:1: ",
  );
});

Deno.test("dial: gives up when nobody answers in time", async () => {
  using _deaf = deafNetwork();
  const start = performance.now();
  await assertRejects(
    () => dial({ hostname: "192.0.2.1", port: 7, timeout: 30 }),
    DialError,
    "Cannot reach 192.0.2.1:7: no answer within 30 ms",
  );
  const took = performance.now() - start;
  assert(took >= 25 && took < 2_000, `${took} ms`);
});

Deno.test("dial: gives up when it is told to, before and during the attempt", async () => {
  using _deaf = deafNetwork();
  const at = { hostname: "192.0.2.1", port: 7 };
  await assertRejects(
    () => dial({ ...at, signal: AbortSignal.abort() }),
    DialError,
  );
  const controller = new AbortController();
  const dialling = dial({ ...at, signal: controller.signal });
  controller.abort(new Error("changed my mind"));
  await assertRejects(() => dialling, DialError, "changed my mind");
});
