import { assert, assertEquals, assertRejects } from "@std/assert";
import { proofOf } from "../../../lib/directory/channel_proof.ts";
import * as said from "../../../lib/mix/commands.ts";
import { MixError } from "../../../lib/mix/mix_error.ts";
import type { MixErrorCode } from "../../../lib/mix/mix_error.ts";
import { MixLink } from "../../../lib/mix/node/mix_link.ts";
import {
  MIX_DECODER_LIMITS,
  MIX_VOCABULARY,
} from "../../../lib/mix/node/mix_wire.ts";
import type { RoundId } from "../../../lib/mix/round.ts";
import {
  Caller,
  ChannelError,
  CommandChannel,
  CommandWriter,
  concat,
  MalformedError,
  randomBytes,
} from "../../../lib/protocol/mod.ts";
import type { Bytes } from "../../../lib/protocol/mod.ts";
import { memoryConnection } from "../../support/memory_stream.ts";
import { LinkedChain } from "./linked_chain.ts";
import {
  flat,
  MixChain,
  mixKeyring,
  opened,
  pairedPayloads,
  pairedReplies,
  roundOf,
  wrapAll,
} from "./mix_chain.ts";

async function rejects(
  code: MixErrorCode,
  action: () => Promise<unknown>,
): Promise<void> {
  const error = await assertRejects(action, MixError);
  assertEquals(error.code, code, error.message);
}

/** A coordinator that may coordinate, and says whatever a test wants. */
async function rawLink(chain: LinkedChain): Promise<CommandChannel> {
  const { certificate } = await mixKeyring(0);
  const left = chain.connect(0);
  const channel = await new Caller(left).connect(certificate.dhKey);
  const link = new CommandChannel(channel, MIX_VOCABULARY, MIX_DECODER_LIMITS);
  await link.send(
    new CommandWriter().set(said.COORDINATOR, chain.keyring.certificate.bytes)
      .set(said.MIX_PROOF, await proofOf(channel.hash, chain.keyring))
      .verb(said.MIX).done(),
  );
  assertEquals((await link.next())!.verb, said.MIXING);
  return link;
}

function about({ kind, start }: RoundId): CommandWriter {
  return new CommandWriter().set(said.ROUND_KIND, kind)
    .set(said.ROUND_START, BigInt(start));
}

Deno.test("S3.6: whatever a mix does to the batches, everybody gets replies of one size, and who is not hit their own", async () => {
  const SIZE = 560;
  const hits: readonly (readonly [string, (batch: Bytes) => Bytes])[] = [
    ["alters", (batch) => {
      for (let at = 40; at < batch.length; at += 5 * SIZE) batch[at]! ^= 1;
      return batch;
    }],
    ["duplicates", (batch) => {
      batch.copyWithin(0, SIZE, 2 * SIZE);
      return batch;
    }],
    ["replaces", (batch) => {
      batch.set(randomBytes(2 * SIZE));
      return batch;
    }],
    ["adds", (batch) => concat(batch, batch.slice(0, SIZE), randomBytes(SIZE))],
    ["sends nothing but its own", (batch) => randomBytes(batch.length)],
  ];
  for (const [what, hit] of hits) {
    const chain = await MixChain.of(2);
    const settings = await chain.run();
    const payloads = pairedPayloads(40);
    const onions = await wrapAll(settings, payloads);
    const round = roundOf(settings);
    let sent = 0;
    const forth = await chain.forth(round, flat(onions), (batch, place) => {
      if (place > 0) return batch;
      sent = batch.length / SIZE;
      return hit(batch);
    });
    const replies = await chain.back(round, forth.subarray(0, sent * 512));
    assertEquals(replies.length, 40 * 528, what);
    const got = await opened(onions, replies);
    const expected = pairedReplies(payloads);
    let right = 0;
    for (const [i, reply] of got.entries()) {
      // Lost, or alone because the other is, or right.
      const own = payloads[i]!.slice(16);
      if (reply?.toHex() === expected[i]!.toHex()) right++;
      else assert(reply === undefined || reply.toHex() === own.toHex(), what);
    }
    if (what === "adds") assertEquals(right, 40);
    else if (what.startsWith("sends")) assertEquals(right, 0);
    else assert(right >= 16 && right < 41, `${what}: ${right}`);
    await chain.stop();
  }
});

Deno.test("S3.6: on the way back, too: altered and swapped replies do not open, and no other round is hit", async () => {
  const chain = await MixChain.of(3);
  const settings = await chain.run();
  const payloads = pairedPayloads(6);
  const [onions, next] = [
    await wrapAll(settings, payloads),
    await wrapAll(settings, payloads, 1),
  ];
  const round = roundOf(settings);
  const forth = await chain.forth(round, flat(onions));
  const back = await chain.back(round, forth, (batch, place) => {
    if (place === 1) batch.reverse();
    return batch;
  });
  assertEquals(
    await opened(onions, back),
    payloads.map(() => undefined),
  );
  const replies = await chain.through(roundOf(settings, 1), flat(next));
  assertEquals(await opened(next, replies), pairedReplies(payloads));
  await chain.stop();
});

Deno.test("S3.5: on the wire nothing but onions can be altered, and an altered onion is lost alone", async () => {
  const chain = await LinkedChain.linked(2);
  const settings = await chain.run();
  const payloads = pairedPayloads(4);
  const onions = await wrapAll(settings, payloads);
  let bodies = 0;
  chain.wires[0]!.rightward.edit = ({ bytes }) => {
    if (bytes[0]! >= 0x80 && bodies++ === 0) bytes[bytes.length - 1]! ^= 1;
    return [bytes];
  };
  const replies = await opened(
    onions,
    await chain.through(roundOf(settings), flat(onions)),
  );
  // The last bit of the last onion that the first mix was given; and its partner is alone.
  assertEquals(replies, [
    ...pairedReplies(payloads).slice(0, 2),
    payloads[2]!.slice(16),
    undefined,
  ]);
  assert(bodies > 1);
  await chain.stop();
});

Deno.test("S3.5: sealed records that are altered, repeated, dropped or swapped end the connection", async () => {
  let held: Bytes | undefined;
  const edits: readonly ((bytes: Bytes) => Bytes[])[] = [
    (bytes) => {
      bytes[bytes.length - 1]! ^= 1;
      return [bytes];
    },
    (bytes) => [bytes, bytes],
    (bytes) => {
      const before = held;
      held = bytes;
      return before === undefined ? [] : [bytes, before];
    },
  ];
  for (const edit of edits) {
    for (const way of ["rightward", "leftward"] as const) {
      held = undefined;
      const chain = await LinkedChain.linked(1);
      const [peer] = chain.peers as [MixLink];
      const fields = await chain.prepared();
      chain.wires[0]![way].edit = ({ bytes }) => edit(bytes);
      const asked = [2_000, 4_000, 6_000].map(async (later) => {
        await new Promise((resolve) => setTimeout(resolve, later / 1_000));
        await peer.prepare({ ...fields, first: fields.first + later });
      });
      await Promise.allSettled(asked);
      await peer.ended;
      await rejects("ERR_MIX_GONE", () => peer.prepare(fields));
      await chain.stop();
    }
  }
});

Deno.test("a mix that does not answer at all is given up", async () => {
  const chain = await LinkedChain.linked(1);
  const [peer] = chain.peers as [MixLink];
  const fields = await chain.prepared();
  chain.wires[0]!.leftward.edit = () => [];
  const asking = peer.prepare({ ...fields, first: fields.first + 2_000 });
  asking.catch(() => {/* looked at below */});
  chain.timers.pass(59_999);
  assert(!peer.isGone);
  chain.timers.pass(1);
  await rejects("ERR_MIX_GONE", () => asking);
  await chain.stop();

  const mute = memoryConnection();
  const opening = MixLink.open(mute.left, {
    mix: (await mixKeyring(0)).certificate,
    keyring: chain.keyring,
    timers: chain.timers,
  });
  opening.catch(() => {/* looked at below */});
  chain.timers.pass(10_000);
  await rejects("ERR_MIX_GONE", () => opening);
  assert(mute.left.closed);
});

Deno.test("a coordinator that breaks the rules is hung up on, and the mix works for it when it is back", async () => {
  const chain = await LinkedChain.linked(1);
  const round = { kind: 1 as const, start: 1_800_000_000_000 };
  const part = (total: number, length: number) =>
    about(round).set(said.TOTAL_LENGTH, total).set(said.BATCH_LENGTH, length);
  const wrongs: readonly Bytes[] = [
    new CommandWriter().verb(said.MIXING).done(),
    about(round).verb(said.BATCH_PART).done(),
    about(round).verb(said.MIX).done(),
    new CommandWriter().verb(said.CLOSE_ROUND).done(),
    about({ ...round, kind: 3 as 1 }).verb(said.CLOSE_ROUND).done(),
    new CommandWriter().set(said.ROUND_KIND, 1)
      .set(said.ROUND_START, 2n ** 53n).verb(said.ABORT_ROUND).done(),
    part(0, 65_537).verb(said.ADD_ONIONS).done(),
    about(round).verb(said.ADD_ONIONS).done(),
    part(10, 65_537).verb(said.GIVE_REPLIES).done(),
    about(round).set(said.BATCH_LENGTH, 0).verb(said.GIVE_REPLIES).done(),
    about(round).verb(said.PREPARE_RUN).done(),
    new CommandWriter().set(said.SETTINGS, randomBytes(99))
      .verb(said.SIGN_SETTINGS).done(),
    new CommandWriter(70_000).set(said.SETTINGS, randomBytes(65_535))
      .set(said.ONION_KEYS, randomBytes(2_000)).verb(said.SIGN_SETTINGS).done(),
  ];
  for (const [i, wrong] of wrongs.entries()) {
    const link = await rawLink(chain);
    await link.send(wrong);
    // A missing parameter of PREPARE-RUN is found while it is answered.
    const end = await link.next().catch((error) => error);
    assert(end === null || end instanceof ChannelError, `${i}: ${end}`);
    link.abort();
  }
  assert(chain.broken.length >= wrongs.length - 1);
  const again = await rawLink(chain);
  await again.send(about(round).verb(said.CLOSE_ROUND).done());
  assertEquals((await again.next())!.verb, said.MIX_REFUSED);
  again.abort();
  await chain.stop();
});

Deno.test("what is refused is refused once for each, and the connection stays", async () => {
  const chain = await LinkedChain.linked(1);
  const link = await rawLink(chain);
  const round = { kind: 1 as const, start: 1_800_000_000_000 };
  const body = randomBytes(512);
  await link.sendWithBody(
    about(round).set(said.BATCH_LENGTH, 512).verb(said.ADD_ONIONS).done(),
    body,
  );
  // Nobody takes memory for this.
  await link.sendWithBody(
    about(round).set(said.TOTAL_LENGTH, 0xffff_ffff)
      .set(said.BATCH_LENGTH, 512).verb(said.GIVE_REPLIES).done(),
    body,
  );
  await link.send(about(round).verb(said.CLOSE_ROUND).done());
  for (let i = 0; i < 3; i++) {
    const answer = (await link.next())!;
    assertEquals(answer.verb, said.MIX_REFUSED);
    assertEquals(answer.need(said.ROUND_START), BigInt(round.start));
  }
  await link.close();
  await chain.stop();
  assertEquals(chain.broken, []);
});

Deno.test("whoever asks more at once than is answered at once is hung up on", async () => {
  const chain = await LinkedChain.linked(1);
  const link = await rawLink(chain);
  const commands = Array.from(
    { length: 65 },
    (_, i) =>
      about({ kind: 1, start: 1_800_000_000_000 + i * 2_000 })
        .set(said.RUN_MODE, 1).set(said.RUN_COUNT, 9).set(said.PERIOD, 2_000)
        .verb(said.PREPARE_RUN).done(),
  );
  // No key is made before all questions are there.
  const subtle = crypto.subtle as { generateKey: unknown };
  const genuine = crypto.subtle.generateKey.bind(crypto.subtle);
  const { promise: hungUp, resolve } = Promise.withResolvers<void>();
  subtle.generateKey = async (...args: Parameters<typeof genuine>) => {
    await hungUp;
    return await genuine(...args);
  };
  try {
    await link.send(concat(...commands));
    await assertRejects(() => link.next(), ChannelError);
  } finally {
    Reflect.deleteProperty(subtle, "generateKey");
    resolve();
  }
  await chain.stop();
  assert(chain.broken.some((error) => error instanceof MalformedError));
});

Deno.test("replies that come in parts which do not fit end the connection, and the round with it", async () => {
  const chain = await LinkedChain.linked(2, {
    noise: () => ({ mean: 50, scale: 2 }),
  });
  const settings = await chain.run({ count: 1 });
  const round = roundOf(settings);
  const link = await rawLink(chain); // takes the place of the first one
  await link.send(about(round).verb(said.CLOSE_ROUND).done());
  let total = 0;
  for (let got = 0; got === 0 || got < total;) {
    const part = (await link.next())!;
    assertEquals(part.verb, said.BATCH_PART);
    total = part.need(said.TOTAL_LENGTH);
    const length = part.need(said.BATCH_LENGTH);
    await link.body(length);
    got += length;
  }
  const due = total / 560 * 512;
  assertEquals(chain.hosts[0]!.status.rounds, 1);
  const give = (of: number, bytes: number) =>
    link.sendWithBody(
      about(round).set(said.TOTAL_LENGTH, of).set(said.BATCH_LENGTH, bytes)
        .verb(said.GIVE_REPLIES).done(),
      randomBytes(bytes),
    );
  await give(due, 512);
  await give(due - 512, 512);
  await assertRejects(() => link.next(), ChannelError);
  while (chain.hosts[0]!.coordinators > 0) {
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  assertEquals(chain.hosts[0]!.status.rounds, 0);
  assert(chain.broken.some((error) => error instanceof MalformedError));
  await chain.stop();
});

Deno.test("random bytes, as commands or instead of them, end a connection and nothing else", async () => {
  const chain = await LinkedChain.linked(2, { coordinators: "any" });
  const settings = await chain.run();
  for (let i = 0; i < 40; i++) {
    const left = chain.connect(0);
    const { certificate } = await mixKeyring(0);
    if (i % 2 === 0) {
      await left.write(randomBytes(3_000));
      left.close();
      continue;
    }
    const channel = await new Caller(left).connect(certificate.dhKey);
    const commands = concat(
      i % 4 === 1 ? new Uint8Array([0x75, 0x10]) : new Uint8Array(0),
      randomBytes(2_000),
    );
    await channel.send(commands);
    await channel.close();
  }
  const payloads = pairedPayloads(2);
  const onions = await wrapAll(settings, payloads);
  const replies = await chain.through(roundOf(settings), flat(onions));
  assertEquals(await opened(onions, replies), pairedReplies(payloads));
  assertEquals(chain.hosts[0]!.coordinators, 1);
  await chain.stop();
});

Deno.test("a coordinator that vanishes at any point leaves no round behind", async () => {
  const onionsOf = pairedPayloads(30);
  for (let records = 0; records < 12; records++) {
    const chain = await LinkedChain.linked(2);
    const settings = await chain.run({ count: 2 });
    const onions = await wrapAll(settings, onionsOf);
    let left = records;
    chain.wires[0]!.rightward.edit = ({ bytes }) => {
      if (--left >= 0) return [bytes];
      chain.connections[0]!.reset();
      return [];
    };
    const failed = await chain.through(roundOf(settings), flat(onions)).then(
      () => undefined,
      (error) => error,
    );
    if (failed !== undefined) {
      assert(failed instanceof MixError, `${failed}`);
      while (chain.hosts[0]!.coordinators > 0) {
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      assertEquals(chain.hosts[0]!.status.rounds, 0);
    } else assert(records > 3);
    await chain.stop();
  }
});
