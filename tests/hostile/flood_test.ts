import { assert, assertEquals, assertRejects } from "@std/assert";
import { loginByKey } from "../../lib/account/mod.ts";
import {
  Caller,
  ChannelError,
  concat,
  RefusedError,
  u32,
} from "../../lib/protocol/mod.ts";
import type { Bytes } from "../../lib/protocol/mod.ts";
import { readAtLeast } from "./connections.ts";
import { memoryInUse } from "./memory.ts";
import { helloTo } from "./openings.ts";
import { dialTarget, linkTo, localTarget, settle } from "./target.ts";
import { Witness } from "./witness.ts";

const hex = (text: string): Bytes => Uint8Array.fromHex(text);

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** Waits until the other side hangs up; whether it did within two seconds. */
async function hangsUp(connection: Deno.TcpConn): Promise<boolean> {
  const timer = setTimeout(() => connection.close(), 2_000);
  const buffer = new Uint8Array(4_096);
  try {
    while (await connection.read(buffer) !== null);
  } catch (error) {
    if (error instanceof Deno.errors.Interrupted) return false;
  }
  clearTimeout(timer);
  connection.close();
  return true;
}

/** Heads of commands that announce more than anybody may send. */
const OVERSIZE = [
  "9001" + "2001", // HANDSHAKE, longer than any
  "8abc" + "ff" + "00".repeat(255) + "aabc" + "00010000",
  "aabc" + "ffffffff",
  "babc" + "000000000000ffff",
  "babc" + "0020000000000000",
  "babc" + "ffffffffffffffff",
];

Deno.test("S2.2: lengths beyond what may be sent end a connection at once, in the clear and inside a channel, and nothing is made for them", async () => {
  await using target = await localTarget();
  const resident = await settle(target, "mallory@test");
  const witness = await Witness.at(target, "witness@test");
  const before = memoryInUse();
  for (const head of OVERSIZE) {
    const connection = await dialTarget(target);
    await connection.write(hex(head));
    assert(await hangsUp(connection), `${head} in the clear`);
  }
  for (const length of [0, 15, 65_553, 0x7fffffff, 0xffffffff]) {
    const connection = await dialTarget(target);
    await connection.write(await helloTo(target));
    await readAtLeast(connection, 1_158);
    await connection.write(concat(u32(length), new Uint8Array(100)));
    assert(await hangsUp(connection), `a record of ${length} bytes`);
  }
  // Inside a channel more may be sent: 256 KiB that are known, 1 MiB that are not.
  for (const head of ["aabc" + "00100001", ...OVERSIZE.slice(4)]) {
    const link = await linkTo(target);
    await loginByKey(link, resident.keyring, resident.usrKey);
    await link.send(hex(head));
    await assertRejects(() => link.next(), ChannelError);
  }
  const grown = memoryInUse().live - before.live;
  assert(grown < 4_194_304, `${grown} bytes more`);
  await witness.stop();
  assertEquals((await target.condition()).unexpected, []);
});

Deno.test("S2.2: a flood beyond the limits of an address is refused, and those who are in go on", async () => {
  const limits = {
    connections: 1_000,
    perAddress: 20,
    rate: { perSecond: 200, burst: 200 },
  };
  await using target = await localTarget(limits);
  const witness = await Witness.at(target, "witness@test");
  const held: Deno.TcpConn[] = [];
  let refused = 0;
  for (let i = 0; i < 400; i++) {
    const connection = await dialTarget(target);
    held.push(connection);
    const caller = new Caller(connection);
    await caller.ping().catch((error) => {
      assert(error instanceof RefusedError, String(error));
      refused++;
    });
  }
  assert(refused >= 400 - limits.perAddress, `${refused} were refused`);
  assert(target.server.listener.connections <= limits.perAddress);
  for (const connection of held) connection.close();
  await pause(50);
  await witness.stop();
  assert(witness.longest < 2_500, `the witness waited ${witness.longest} ms`);
  assertEquals((await target.condition()).unexpected, []);
});
