import { assert, assertEquals } from "@std/assert";
import { loginByKey } from "../../lib/account/mod.ts";
import { DATA, WHO_AM_I } from "../../lib/account/commands.ts";
import {
  ChannelError,
  CommandWriter,
  concat,
  HELO,
} from "../../lib/protocol/mod.ts";
import type { Bytes, CommandChannel } from "../../lib/protocol/mod.ts";
import { sideDoor } from "../account/side_door.ts";
import type { SideDoor } from "../account/side_door.ts";
import { memoryInUse } from "./memory.ts";
import { helloTo } from "./openings.ts";
import { linkTo, localTarget, settle } from "./target.ts";
import type { LocalTarget } from "./target.ts";
import { Witness } from "./witness.ts";

/** Ten seconds, the time for a login, pass in a quarter of one here. */
const HURRY = 40;
const LOGIN_TIME = 10_000 / HURRY;
/** "One byte per second". */
const SECOND = 1_000 / HURRY;

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

function door(target: LocalTarget): SideDoor {
  const { accounts, node } = target.server;
  return sideDoor(accounts, node, { hurry: HURRY });
}

/** How long after `start` the other side hangs up on one who sends something every second. */
async function lasts(
  start: number,
  send: () => Promise<unknown>,
): Promise<number> {
  try {
    for (;;) {
      await send();
      if (performance.now() - start > 20 * LOGIN_TIME) return Infinity;
      await pause(SECOND);
    }
  } catch {
    return performance.now() - start;
  }
}

function assertLoginTime(took: number): void {
  assert(took >= LOGIN_TIME * 0.9, `it ended after ${took} ms`);
  assert(took < LOGIN_TIME * 10, `it ended only after ${took} ms`);
}

Deno.test("S2.2: a greeting that comes a byte per second ends when the time for a login is over", async () => {
  await using target = await localTarget();
  await using slow = door(target);
  const hello = await helloTo(target);
  const greetings: readonly Bytes[] = [
    hello,
    Uint8Array.fromHex("babc" + "000000000000f000"),
    Uint8Array.fromHex("7000"),
  ];
  await Promise.all(greetings.map(async (greeting) => {
    const start = performance.now();
    const connection = await slow.dial();
    connection.setNoDelay(true);
    let at = 0;
    const took = await lasts(
      start,
      () =>
        connection.write(new Uint8Array([greeting[at++ % greeting.length]!])),
    );
    connection.close();
    assertLoginTime(took);
  }));
});

Deno.test("S2.2: commands that come a byte per second inside a channel end likewise", async () => {
  await using target = await localTarget();
  await using slow = door(target);
  const streams = [
    new CommandWriter().set(DATA, new Uint8Array(40_000)).done(),
    new CommandWriter().verb(HELO).done(),
  ];
  await Promise.all(streams.map(async (stream) => {
    const start = performance.now();
    const link = await slow.connect();
    let at = 0;
    const took = await lasts(start, async () => {
      await link.send(stream.slice(at % stream.length, at % stream.length + 1));
      await link.flushed();
      at++;
    });
    link.abort();
    assertLoginTime(took);
  }));
});

Deno.test("S2.2: hundreds that stop in the middle of a greeting, of a handshake or of a login are gone when the time is over, and take no memory with them", async () => {
  await using target = await localTarget();
  await using slow = door(target);
  const witness = await Witness.at(target, "witness@test");
  const hello = await helloTo(target);
  const stops = [
    new Uint8Array(0),
    Uint8Array.fromHex("70"),
    hello.slice(0, 600),
    hello,
    concat(hello, Uint8Array.fromHex("0001")),
  ];
  await pause(100);
  const before = memoryInUse();
  const open: Deno.TcpConn[] = [];
  const start = performance.now();
  for (let i = 0; i < 300; i++) {
    const connection = await slow.dial();
    await connection.write(stops[i % stops.length]!);
    open.push(connection);
  }
  const buffer = new Uint8Array(4_096);
  for (const connection of open) {
    while (await connection.read(buffer).catch(() => null) !== null);
    connection.close();
  }
  const took = performance.now() - start;
  assert(took < 20 * LOGIN_TIME, `${took} ms`);
  await pause(20);
  const grown = memoryInUse().live - before.live;
  assert(grown < 4_194_304, `${grown} bytes more`);
  await witness.stop();
});

/** Sends `commands` without ever reading, until the other side hangs up; how many bytes were taken. */
async function stuff(
  connection: Deno.TcpConn,
  commands: Bytes,
): Promise<number> {
  let taken = 0;
  try {
    for (;;) {
      taken += await connection.write(commands);
    }
  } catch {
    return taken;
  }
}

Deno.test("S2.2: one who asks and asks and never reads the answers gets no further than 64 KiB", async () => {
  await using target = await localTarget();
  await using slow = door(target);
  const connection = await slow.dial();
  // Two bytes of question, seven hundred of answer.
  const question = new Uint8Array(4_096);
  for (let i = 0; i < question.length; i += 2) question.set([0x70, 0x02], i);
  const before = memoryInUse();
  const taken = await stuff(connection, question);
  const grown = memoryInUse().live - before.live;
  assert(grown < 4_194_304, `${grown} bytes more`);
  // What the sockets' buffers take is no longer in anybody's hand.
  assert(taken < 16 * 1_048_576, `${taken} bytes were taken`);
  connection.close();
  await pause(20);
  assertEquals((await target.condition()).unexpected, []);
});

Deno.test("S2.2: 64 KiB is what may be sent before a login, of whatever kind", async () => {
  await using target = await localTarget();
  for (
    const one of [
      concat(
        ...Array.from(
          { length: 500 },
          () => new CommandWriter().verb(HELO).done(),
        ),
      ),
      Uint8Array.fromHex("9abc" + "03e8" + "00".repeat(1_000)),
      new CommandWriter().set(DATA, new Uint8Array(1_000)).verb(WHO_AM_I)
        .done(),
    ]
  ) {
    const link = await linkTo(target);
    const reading = (async () => {
      while (await link.next() !== null);
    })().catch((error) => error);
    let sent = 0;
    try {
      for (;;) {
        await link.send(one);
        await link.flushed();
        sent += one.length;
        if (sent > 1_000_000) break;
        await pause(0);
      }
    } catch (error) {
      assert(error instanceof ChannelError);
    }
    assert(sent >= 65_536 - one.length && sent < 1_000_000, `${sent} bytes`);
    link.abort();
    await reading;
  }
  assertEquals((await target.condition()).unexpected, []);
});

Deno.test("S2.2: 64 KiB of empty values before a login do not become megabytes", async () => {
  await using target = await localTarget();
  const empty = new CommandWriter().set(DATA, new Uint8Array(0)).done();
  const many = concat(...Array.from({ length: 1_000 }, () => empty));
  const links: CommandChannel[] = [];
  for (let i = 0; i < 20; i++) links.push(await linkTo(target));
  await pause(50);
  const before = memoryInUse();
  for (const link of links) {
    for (let i = 0; i < 15; i++) await link.send(many).catch(() => {});
    await link.flushed().catch(() => {});
  }
  await pause(100);
  const grown = memoryInUse().live - before.live;
  // With each value an object of its own it would be 140 MB.
  assert(grown < 20 * 1_048_576, `${grown} bytes more for 20 connections`);
  for (const link of links) link.abort();
  await pause(50);
});

Deno.test("S2.2: one who is logged in and never reads holds up only itself, and takes no more memory than a connection's buffers", async () => {
  await using target = await localTarget();
  const resident = await settle(target, "mallory@test");
  const witness = await Witness.at(target, "witness@test");
  const link = await linkTo(target);
  await loginByKey(link, resident.keyring, resident.usrKey);
  const ask = new CommandWriter();
  for (let i = 0; i < 2_000; i++) ask.verb(HELO);
  const flood = ask.done();
  const before = memoryInUse();
  const flooding = (async () => {
    for (;;) {
      await link.send(flood);
      await pause(0);
    }
  })().catch(() => {});
  await pause(1_000);
  const grown = memoryInUse().live - before.live;
  assert(grown < 16 * 1_048_576, `${grown} bytes more`);
  link.abort();
  await flooding;
  await witness.stop();
  assert(witness.longest < 2_500, `the witness waited ${witness.longest} ms`);
});

Deno.test("S2.2: thousands of connections that are opened and dropped, at every stage, leave nothing behind", async () => {
  await using target = await localTarget();
  const witness = await Witness.at(target, "witness@test");
  const hello = await helloTo(target);
  const stages = [
    new Uint8Array(0),
    Uint8Array.fromHex("7000"),
    hello.slice(0, 700),
    hello,
  ];
  async function wave(count: number): Promise<void> {
    const { port } = target;
    for (let i = 0; i < count; i += 50) {
      await Promise.all(
        Array.from({ length: 50 }, async (_, j) => {
          const connection = await Deno.connect({
            hostname: "127.0.0.1",
            port,
          });
          const bytes = stages[j % stages.length]!;
          if (bytes.length > 0) await connection.write(bytes).catch(() => 0);
          connection.close();
        }),
      );
    }
    for (let i = 0; i < 500; i++) {
      if (target.server.listener.connections <= 1) break;
      await pause(10);
    }
  }
  await wave(500);
  const before = await target.condition();
  await wave(3_000);
  const after = await target.condition();
  assertEquals(after.connections, 1);
  assertEquals(after.unexpected, []);
  assert(after.live - before.live < 2_097_152, `${after.live - before.live}`);
  await witness.stop();
  assert(witness.longest < 5_000, `the witness waited ${witness.longest} ms`);
});
