import {
  assert,
  assertEquals,
  assertNotEquals,
  assertRejects,
} from "@std/assert";
import { concat, utf8 } from "../../../lib/protocol/bytes/bytes.ts";
import type { Bytes } from "../../../lib/protocol/bytes/bytes.ts";
import { MalformedError } from "../../../lib/protocol/bytes/malformed_error.ts";
import type { Channel } from "../../../lib/protocol/channel/channel.ts";
import { ChannelError } from "../../../lib/protocol/channel/errors.ts";
import {
  answer,
  Caller,
  refuse,
  RefusedError,
} from "../../../lib/protocol/channel/handshake.ts";
import type { NodeKeys } from "../../../lib/protocol/channel/handshake.ts";
import { generateDh } from "../../../lib/protocol/crypto/x25519.ts";
import { memoryConnection } from "../../support/memory_stream.ts";
import type { MemoryConnection, Passage } from "../../support/memory_stream.ts";
import { eachOf } from "../noise/handshakes.ts";
import { later, pattern, rejectsWith } from "./pair.ts";

const NODE: NodeKeys = {
  static: await generateDh(),
  certificate: utf8("a certificate, which nobody looks at here"),
};
const hex = (text: string): Bytes => Uint8Array.fromHex(text);

/** A caller and a node that answers it. */
function joined(
  options: { rightward?: Passage; leftward?: Passage } = {},
): {
  connection: MemoryConnection;
  caller: Caller;
  answered: Promise<Channel | undefined>;
} {
  const connection = memoryConnection(options);
  const answered = answer(connection.right, NODE);
  answered.catch(() => {/* looked at by those who expect it */});
  return { connection, caller: new Caller(connection.left), answered };
}

for (
  const [name, passage] of Object.entries({
    "a quiet connection": {},
    "single bytes": { readAtMost: 1, writeAtMost: 1 },
    "small buffers": { capacity: 64 },
  })
) {
  Deno.test(`S0.1 S0.2 S1.2: ping, public key and handshake on one connection of ${name}`, async () => {
    const { connection, caller, answered } = joined({
      rightward: passage,
      leftward: passage,
    });
    await caller.ping();
    await caller.ping();
    assertEquals(await caller.publicKey(), NODE.certificate);
    await caller.ping();
    const mine = await caller.connect(NODE.static.publicKey);
    const theirs = (await answered)!;
    assertEquals(mine.hash, theirs.hash);
    await mine.send(utf8("ACK"));
    assertEquals(await theirs.receive(), utf8("ACK"));
    await theirs.send(pattern(10_000));
    const parts: Bytes[] = [];
    while (concat(...parts).length < 10_000) {
      parts.push((await mine.receive())!);
    }
    assertEquals(concat(...parts), pattern(10_000));
    await mine.close();
    assertEquals(await theirs.receive(), null);
    await theirs.close();
    assert(connection.left.closed && connection.right.closed);
  });
}

Deno.test("S1.2: two connections have two hashes", async () => {
  const hashes: string[] = [];
  for (let i = 0; i < 2; i++) {
    const { caller, answered } = joined();
    const channel = await caller.connect(NODE.static.publicKey);
    hashes.push(channel.hash.toHex());
    channel.abort();
    (await answered)!.abort();
  }
  assertNotEquals(hashes[0], hashes[1]);
});

Deno.test("S1.2: a node that does not hold the expected key fails, and so does the caller", async () => {
  const { connection, caller, answered } = joined();
  const connecting = caller.connect((await generateDh()).publicKey);
  connecting.catch(() => {});
  await rejectsWith(answered, "ERR_HANDSHAKE_FAILED");
  connection.right.close();
  await rejectsWith(connecting, "ERR_CHANNEL_CUT");
});

Deno.test("S1.2: somebody in the middle with a key of his own gets neither side's", async () => {
  const mallory = await generateDh();
  const front = memoryConnection();
  const impostor = answer(front.right, { ...NODE, static: mallory });
  impostor.catch(() => {});
  const connecting = new Caller(front.left).connect(NODE.static.publicKey);
  await rejectsWith(impostor, "ERR_HANDSHAKE_FAILED");
  front.right.close();
  await rejectsWith(connecting, "ERR_CHANNEL_CUT");
});

/** HELLO (4 + 1,248 + 2 bytes) or HELLO-ACK (4 + 1,152 + 2) with one bit turned on its way. */
async function tampered(
  direction: "rightward" | "leftward",
  bit: number,
): Promise<{ caller: unknown; node: unknown }> {
  const there = memoryConnection();
  const back = memoryConnection();
  const answered = answer(back.right, NODE).then(
    (channel) => channel,
    (error) => {
      back.right.close();
      return error;
    },
  );
  const connecting = new Caller(there.left).connect(NODE.static.publicKey)
    .catch((error) => error);
  const relay = async (
    from: MemoryConnection["left"],
    to: MemoryConnection["left"],
    alter: boolean,
  ) => {
    const buffer = new Uint8Array(4_096);
    let passed = 0;
    for (;;) {
      const count = await from.read(buffer);
      if (count === null) break;
      const at = (bit >> 3) - passed;
      if (alter && at >= 0 && at < count) buffer[at]! ^= 1 << (bit & 7);
      passed += count;
      await to.write(buffer.slice(0, count));
    }
    if (!to.closed) to.close();
  };
  const relays = Promise.all([
    relay(there.right, back.left, direction === "rightward").catch(() => {}),
    relay(back.left, there.right, direction === "leftward").catch(() => {}),
  ]);
  // A flipped length may leave both waiting for more; then somebody hangs up.
  let timer: ReturnType<typeof setTimeout> | undefined;
  const patience = new Promise<void>((resolve) =>
    timer = setTimeout(resolve, 200)
  );
  await Promise.race([Promise.all([connecting, answered]), patience]);
  clearTimeout(timer);
  there.cut();
  back.cut();
  const outcome = { caller: await connecting, node: await answered };
  await relays;
  return outcome;
}

for (
  const [direction, length] of [["rightward", 1_254], [
    "leftward",
    1_158,
  ]] as const
) {
  Deno.test(`S1.2: a bit of ${direction === "rightward" ? "HELLO" : "HELLO-ACK"} turned on its way never leaves two sides with a channel`, async () => {
    // Every bit of ids, lengths and verb; of the Noise message, whose every bit is tried with it, one a byte.
    const bits: number[] = [];
    for (let byte = 0; byte < length; byte++) {
      const command = byte < 4 || byte >= length - 2;
      for (let bit = 0; bit < 8; bit++) {
        if (command || (byte % 9 === 0 && bit === byte % 8)) {
          bits.push(byte * 8 + bit);
        }
      }
    }
    await eachOf(bits.length, async (i) => {
      const { caller, node } = await tampered(direction, bits[i]!);
      assert(
        caller instanceof Error,
        `the caller has a channel, bit ${bits[i]}`,
      );
      assert(
        caller instanceof ChannelError || caller instanceof MalformedError,
        String(caller),
      );
      if (direction === "rightward") {
        assert(
          node === undefined || node instanceof ChannelError ||
            node instanceof MalformedError,
          String(node),
        );
      }
    });
  });
}

Deno.test("S2.2: an unknown command, or one that makes no sense here, is skipped wherever it stands in a greeting", async () => {
  const unknown = ["0abc07", "8abc03010203", "5abc" + "00".repeat(32)]
    .concat("7abc", "ffff", "babc0000000000000002aabb");
  const senseless = ["7001", "7003", "7005", "7006", "80000162"];
  for (const noise of [...unknown, ...senseless]) {
    const { connection, caller, answered } = joined();
    await connection.left.write(hex(noise));
    await caller.ping();
    await connection.left.write(hex(noise));
    const channel = await caller.connect(NODE.static.publicKey);
    assert(await answered instanceof Object);
    channel.abort();
    (await answered)!.abort();
  }
});

Deno.test("S1.2: HELLO without its message, or with one cut anywhere, is refused", async () => {
  const { connection, answered } = joined();
  await connection.left.write(hex("7004"));
  await assertRejects(() => answered, MalformedError);
  for (const length of [0, 1, 31, 32, 1_231, 1_247, 1_249]) {
    const each = joined();
    const field = new Uint8Array(length).fill(9);
    await each.connection.left.write(
      concat(
        hex("9001"),
        new Uint8Array([length >> 8, length & 0xff]),
        field,
        hex("7004"),
      ),
    );
    await rejectsWith(each.answered, "ERR_HANDSHAKE_FAILED");
  }
});

Deno.test("S1.2: a caller that leaves after any byte of its greeting is no failure", async () => {
  const greeting: number[] = [];
  const tap = memoryConnection();
  const connecting = new Caller(tap.left).connect(NODE.static.publicKey);
  connecting.catch(() => {});
  const buffer = new Uint8Array(2_048);
  const count = (await tap.right.read(buffer))!;
  greeting.push(...buffer.subarray(0, count));
  tap.cut();
  await rejectsWith(connecting, "ERR_CHANNEL_CUT");
  assertEquals(count, 1_254);
  for (let length = 0; length < count; length += 11) {
    const { connection, answered } = joined();
    await connection.left.write(new Uint8Array(greeting).subarray(0, length));
    connection.left.close();
    assertEquals(await answered, undefined);
  }
});

Deno.test("Handshake: records that come together with HELLO-ACK, or right behind HELLO's answer, are not lost", async () => {
  const { connection, caller } = joined({ leftward: { capacity: 1 << 20 } });
  // The node speaks first, as soon as it can.
  const node = memoryConnection();
  const answered = answer(node.right, NODE).then(async (channel) => {
    await channel!.send(pattern(1_000));
    await channel!.flushed();
    return channel!;
  });
  connection.cut();
  await rejectsWith(caller.ping(), "ERR_CHANNEL_CUT").catch(() => {});
  const connecting = new Caller({
    read: async (buffer) => {
      await later(20);
      return await node.left.read(buffer);
    },
    write: (bytes) => node.left.write(bytes),
    close: () => node.left.close(),
  }).connect(NODE.static.publicKey);
  const mine = await connecting;
  const parts: Bytes[] = [];
  while (concat(...parts).length < 1_000) parts.push((await mine.receive())!);
  assertEquals(concat(...parts), pattern(1_000));
  mine.abort();
  (await answered).abort();
  await later(25);
});

Deno.test("Caller and node: a connection that breaks under a greeting is a cut, not an error of the platform", async () => {
  for (const ask of ["ping", "publicKey", "connect"] as const) {
    for (const before of [true, false]) {
      const { connection, caller, answered } = joined({
        leftward: { delay: () => later(10) },
      });
      if (before) connection.reset();
      const asked = ask === "connect"
        ? caller.connect(NODE.static.publicKey)
        : caller[ask]();
      asked.catch(() => {});
      await later(2);
      connection.reset();
      await rejectsWith(asked, "ERR_CHANNEL_CUT");
      await rejectsWith(answered, "ERR_CHANNEL_CUT");
    }
  }
  await later(25);
});

Deno.test("Caller: a refusal is told with its reason and when to come again, whatever was asked", async () => {
  for (const ask of ["ping", "publicKey", "connect"] as const) {
    const { left, right } = memoryConnection();
    await refuse(right, "busy", 30);
    const caller = new Caller(left);
    const error = await assertRejects(
      () =>
        ask === "connect"
          ? caller.connect(NODE.static.publicKey)
          : caller[ask](),
      RefusedError,
      "Cannot connect: the node refused (busy)",
    );
    assertEquals(error.retryAfter, 30);
  }
});

Deno.test("Caller: a refusal's reason is made fit to be shown", async () => {
  const { left, right } = memoryConnection();
  await refuse(right, "Böse\u001b[31m\n", 0);
  const error = await assertRejects(
    () => new Caller(left).ping(),
    RefusedError,
  );
  assert(/^[a-z0-9? ():,-]*$/i.test(error.message), error.message);
  const other = memoryConnection();
  await other.right.write(hex("8000" + "02" + "c3c3" + "7006"));
  await assertRejects(
    () => new Caller(other.left).ping(),
    RefusedError,
    "refused (?)",
  );
});

Deno.test("Caller: another answer than the one expected, none at all, or one without its parts, is refused", async () => {
  for (
    const [reply, code] of [
      ["7003", "ERR_CHANNEL_VIOLATION"],
      ["7005", "ERR_CHANNEL_VIOLATION"],
      ["7000", "ERR_CHANNEL_VIOLATION"],
      ["", "ERR_CHANNEL_CUT"],
      ["70", "ERR_CHANNEL_CUT"],
    ] as const
  ) {
    const { left, right } = memoryConnection();
    await right.write(hex(reply));
    right.close();
    // The other side is gone by the time the question is asked.
    const outcome = await new Caller({
      read: (buffer) => left.read(buffer),
      write: (bytes) => Promise.resolve(bytes.length),
      close: () => left.close(),
    }).ping().catch((error) => error);
    assert(outcome instanceof ChannelError);
    assertEquals(outcome.code, code);
  }
  for (const reply of ["7003", "7005"]) {
    const { left, right } = memoryConnection();
    await right.write(hex(reply));
    const caller = new Caller(left);
    const asked = reply === "7003"
      ? caller.publicKey()
      : caller.connect(NODE.static.publicKey);
    await assertRejects(() => asked, Error);
  }
});
