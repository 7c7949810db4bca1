import { assert, assertEquals, assertRejects } from "@std/assert";
import type { Bytes } from "../../../lib/protocol/bytes/bytes.ts";
import { MalformedError } from "../../../lib/protocol/bytes/malformed_error.ts";
import { CommandChannel } from "../../../lib/protocol/channel/command_channel.ts";
import { CommandWriter } from "../../../lib/protocol/risp/command_writer.ts";
import { Vocabulary } from "../../../lib/protocol/risp/vocabulary.ts";
import { BYTES_2, GO, LAST, TABLE, U8 } from "../risp/table.ts";
import { pair, rejectsWith } from "./pair.ts";
import type { PairOptions } from "./pair.ts";

const VOCABULARY = new Vocabulary(TABLE);
const LIMITS = { messageBytes: 1_000, skippedBytes: 1_000 };

/** Two ends that speak in commands. */
async function commandPair(options?: PairOptions): Promise<{
  readonly left: CommandChannel;
  readonly right: CommandChannel;
  [Symbol.asyncDispose](): Promise<void>;
}> {
  const both = await pair(options);
  return {
    left: new CommandChannel(both.left, VOCABULARY, LIMITS),
    right: new CommandChannel(both.right, VOCABULARY, LIMITS),
    [Symbol.asyncDispose]: () => both[Symbol.asyncDispose](),
  };
}

function go(value: number): Bytes {
  return new CommandWriter().set(U8, value).verb(GO).done();
}

Deno.test("CommandChannel: messages arrive one by one, however records cut them", async () => {
  for (const readAtMost of [1, 7, 1_000]) {
    await using both = await commandPair({ rightward: { readAtMost } });
    const { left, right } = both;
    for (let i = 0; i < 20; i++) {
      const whole = go(i);
      left.send(whole.subarray(0, i % 5)).catch(() => {});
      await left.flushed();
      await left.send(whole.subarray(i % 5));
    }
    for (let i = 0; i < 20; i++) {
      assertEquals((await right.next())!.need(U8), i);
    }
    await left.close();
    assertEquals(await right.next(), null);
    assertEquals(await right.next(), null);
  }
});

Deno.test("CommandChannel: many messages in one record, and the channel's hash on both sides", async () => {
  await using both = await commandPair();
  const { left, right } = both;
  const writer = new CommandWriter();
  for (let i = 0; i < 200; i++) writer.append(go(i));
  await left.send(writer.verb(LAST).done());
  for (let i = 0; i < 200; i++) {
    assertEquals((await right.next())!.need(U8), i);
  }
  assertEquals((await right.next())!.verb, LAST);
  assertEquals(left.hash, right.hash);
});

Deno.test("CommandChannel: a budget ends with the byte that passes it, and can be lifted", async () => {
  await using both = await commandPair();
  const { left, right } = both;
  right.budget = 10;
  await left.send(go(1));
  await left.send(go(2));
  assertEquals((await right.next())!.need(U8), 1);
  assertEquals((await right.next())!.need(U8), 2);
  await left.send(go(3));
  await rejectsWith(right.next(), "ERR_CHANNEL_VIOLATION");

  await using lifted = await commandPair();
  lifted.right.budget = 5;
  await lifted.left.send(go(1));
  assertEquals((await lifted.right.next())!.need(U8), 1);
  lifted.right.budget = Infinity;
  await lifted.left.send(go(2));
  assertEquals((await lifted.right.next())!.need(U8), 2);
});

Deno.test("CommandChannel: a flood of small messages leaves everybody else their turns", async () => {
  await using both = await commandPair();
  const { left, right } = both;
  const flood = new CommandWriter();
  for (let i = 0; i < 30_000; i++) flood.verb(GO);
  const bytes = flood.done();
  let turns = 0;
  const turn = () => {
    turns++;
    timer = setTimeout(turn, 0);
  };
  for (let i = 0; i < 4; i++) left.send(bytes).catch(() => {});
  await left.flushed();
  let timer = setTimeout(turn, 0);
  for (let i = 0; i < 120_000; i++) await right.next();
  clearTimeout(timer);
  assert(turns > 200, `${turns} turns during 120,000 messages`);
});

Deno.test("CommandChannel: a message beyond the codec's limits is malformed", async () => {
  await using both = await commandPair();
  const { left, right } = both;
  const long = new CommandWriter().set(BYTES_2, new Uint8Array(1_000));
  await left.send(long.verb(GO).done());
  await assertRejects(() => right.next(), MalformedError);
});
