import { assert, assertEquals } from "@std/assert";
import type { Bytes } from "../../../lib/protocol/bytes/bytes.ts";
import { concat, utf8 } from "../../../lib/protocol/bytes/bytes.ts";
import type { Channel } from "../../../lib/protocol/channel/channel.ts";
import { receiveAll } from "../../../lib/protocol/channel/channel.ts";
import { answer, Caller } from "../../../lib/protocol/channel/handshake.ts";
import { randomBytes } from "../../../lib/protocol/crypto/random.ts";
import { generateDh } from "../../../lib/protocol/crypto/x25519.ts";
import { later, pattern, receiveBytes, rejectsWith } from "./pair.ts";

const NODE = { static: await generateDh(), certificate: pattern(700) };
const hex = (text: string): Bytes => Uint8Array.fromHex(text);

/** A node on loopback that gives every channel to `serve`. */
function node(
  serve: (channel: Channel) => Promise<void> = () => Promise.resolve(),
): {
  dial(): Promise<Deno.TcpConn>;
  readonly errors: unknown[];
  [Symbol.asyncDispose](): Promise<void>;
} {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const errors: unknown[] = [];
  const open = new Set<Promise<void>>();
  const serveOne = async (connection: Deno.TcpConn) => {
    connection.setNoDelay(true);
    try {
      const channel = await answer(connection, NODE);
      if (channel === undefined) return connection.close();
      await serve(channel);
    } catch (error) {
      errors.push(error);
      try {
        connection.close();
      } catch { /* closed by its channel */ }
    }
  };
  const accepting = (async () => {
    for await (const connection of listener) open.add(serveOne(connection));
  })();
  return {
    errors,
    dial: () =>
      Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port }),
    async [Symbol.asyncDispose]() {
      listener.close();
      await accepting;
      await Promise.all(open);
    },
  };
}

/** Sends back whatever comes, until CLOSE. */
async function echo(channel: Channel): Promise<void> {
  for (;;) {
    const piece = await channel.receive();
    if (piece === null) return await channel.close();
    await channel.send(piece);
  }
}

/** Reads exactly as many bytes as `expected` has, and compares. */
async function expectBytes(
  connection: Deno.TcpConn,
  expected: Bytes,
): Promise<void> {
  const buffer = new Uint8Array(expected.length);
  for (let at = 0; at < buffer.length;) {
    const count = await connection.read(buffer.subarray(at));
    assert(count !== null, "the node hung up");
    at += count;
  }
  assertEquals(buffer, expected);
}

Deno.test("S0.1: HELO on a bare connection is answered by OLEH, as bytes on the wire, again and again", async () => {
  await using server = node();
  using connection = await server.dial();
  for (let i = 0; i < 3; i++) {
    await connection.write(hex("7000"));
    await expectBytes(connection, hex("7001"));
  }
  await connection.write(hex("7000" + "7000" + "70"));
  await expectBytes(connection, hex("70017001"));
  await connection.write(hex("00"));
  await expectBytes(connection, hex("7001"));
});

Deno.test("S0.1: a ping needs no keys and leaves nothing behind", async () => {
  await using server = node();
  const connection = await server.dial();
  await new Caller(connection).ping();
  connection.close();
  assertEquals(server.errors, []);
});

Deno.test("S0.2: a node asked for its public key sends its certificate, as bytes on the wire", async () => {
  await using server = node();
  using connection = await server.dial();
  await connection.write(hex("7002"));
  await expectBytes(
    connection,
    concat(hex("9000" + "02bc"), NODE.certificate, hex("7003")),
  );
  assertEquals(await new Caller(connection).publicKey(), NODE.certificate);
});

Deno.test("S1.2: HELLO, HELLO-ACK, ACK over TCP, then megabytes in both directions, then CLOSE", async () => {
  await using server = node(echo);
  const connection = await server.dial();
  const channel = await new Caller(connection).connect(NODE.static.publicKey);
  await channel.send(utf8("ACK"));
  assertEquals(await receiveBytes(channel, 3), utf8("ACK"));
  const sent = randomBytes(5_000_000);
  const [received] = await Promise.all([
    receiveBytes(channel, sent.length),
    channel.send(sent),
  ]);
  assert(received.every((byte, i) => byte === sent[i]));
  await channel.close();
  assertEquals(server.errors, []);
});

Deno.test("S1.2: nothing of what is said inside the channel appears on the wire, and no two connections look alike", async () => {
  const wires: string[] = [];
  for (let i = 0; i < 2; i++) {
    await using server = node(echo);
    const connection = await server.dial();
    const seen: Bytes[] = [];
    const tapped = {
      read: async (buffer: Uint8Array) => {
        const count = await connection.read(buffer);
        if (count !== null) {
          seen.push(new Uint8Array(buffer.subarray(0, count)));
        }
        return count;
      },
      write: (bytes: Uint8Array) => {
        seen.push(new Uint8Array(bytes));
        return connection.write(bytes);
      },
      close: () => connection.close(),
    };
    const channel = await new Caller(tapped).connect(NODE.static.publicKey);
    await channel.send(utf8("this is the plaintext of nobody else"));
    await channel.receive();
    await channel.close();
    wires.push(concat(...seen).toHex());
  }
  for (const wire of wires) {
    assert(!wire.includes(utf8("plaintext").toHex()));
  }
  assert(wires[0]!.slice(8, 200) !== wires[1]!.slice(8, 200));
});

Deno.test("S1.2: the wrong key ends the handshake on both sides", async () => {
  await using server = node(echo);
  const connection = await server.dial();
  const other = (await generateDh()).publicKey;
  await rejectsWith(new Caller(connection).connect(other), "ERR_CHANNEL_CUT");
  connection.close();
  assertEquals(
    server.errors.map((error) => (error as { code: string }).code),
    ["ERR_HANDSHAKE_FAILED"],
  );
});

Deno.test("S1.5: over TCP a connection that is dropped is told from one that is closed", async () => {
  await using closing = node((channel) => channel.close());
  const closed = await new Caller(await closing.dial())
    .connect(NODE.static.publicKey);
  assertEquals(await closed.receive(), null);
  closed.abort();
  await using dropping = node((channel) => Promise.resolve(channel.abort()));
  const dropped = await new Caller(await dropping.dial())
    .connect(NODE.static.publicKey);
  await rejectsWith(dropped.receive(), "ERR_CHANNEL_CUT");
});

Deno.test("S1.5: what was sent before a close arrives, and CLOSE behind it, though the other side was still talking", async () => {
  const heard = Promise.withResolvers<Bytes>();
  await using server = node(async (channel) => {
    // More than the caller ever reads.
    channel.send(pattern(300_000)).catch(() => {});
    await later(50);
    heard.resolve(await receiveAll(channel).catch((error) => utf8(`${error}`)));
    channel.abort();
  });
  const channel = await new Caller(await server.dial())
    .connect(NODE.static.publicKey);
  await channel.send(pattern(50_000));
  await channel.close();
  assertEquals((await heard.promise).length, 50_000);
});

Deno.test("S2.1: a greeting arrives in any order and any pieces; unknown parameters of every range are skipped", async () => {
  await using server = node();
  using connection = await server.dial();
  connection.setNoDelay(true);
  const ranges = ["0abc01", "1abc0102", "2abc01020304", "3abc" + "01".repeat(8)]
    .concat("4abc" + "01".repeat(16), "5abc" + "01".repeat(32))
    .concat("6abc" + "01".repeat(64), "7abc", "8abc0101", "9abc000101")
    .concat("aabc0000000101", "babc000000000000000101", "cabc", "ffff");
  for (const unknown of ranges) {
    const bytes = hex(unknown + "7000");
    for (const byte of bytes) await connection.write(new Uint8Array([byte]));
    await expectBytes(connection, hex("7001"));
  }
});

Deno.test("S2.2: no greeting is required: a handshake may come first, and silence or random bytes harm nobody else", async () => {
  await using server = node(echo);
  const silent = await server.dial();
  const noisy: Deno.TcpConn[] = [];
  for (let i = 0; i < 50; i++) {
    const connection = await server.dial();
    await connection.write(randomBytes(1 + i * 20)).catch(() => 0);
    noisy.push(connection);
  }
  const channel = await new Caller(await server.dial())
    .connect(NODE.static.publicKey);
  await channel.send(utf8("still here"));
  assertEquals(await receiveBytes(channel, 10), utf8("still here"));
  await channel.close();
  for (const each of [silent, ...noisy]) each.close();
});
