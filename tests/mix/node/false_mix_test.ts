import { assert, assertEquals, assertRejects } from "@std/assert";
import * as said from "../../../lib/mix/commands.ts";
import { MixError } from "../../../lib/mix/mix_error.ts";
import type { MixErrorCode } from "../../../lib/mix/mix_error.ts";
import { MixLink } from "../../../lib/mix/node/mix_link.ts";
import {
  MIX_DECODER_LIMITS,
  MIX_VOCABULARY,
} from "../../../lib/mix/node/mix_wire.ts";
import { RoundKind, RunMode } from "../../../lib/mix/round.ts";
import type { Run } from "../../../lib/mix/round.ts";
import { encodeSettings } from "../../../lib/mix/settings/run_settings.ts";
import {
  answer,
  CommandChannel,
  CommandWriter,
  randomBytes,
} from "../../../lib/protocol/mod.ts";
import type { Bytes, Message } from "../../../lib/protocol/mod.ts";
import { freshNodeKeyring } from "../../support/keyrings.ts";
import { memoryConnection } from "../../support/memory_stream.ts";
import { someFields, somePlace } from "../settings/settings_fixture.ts";
import { FIRST, mixKeyring } from "./mix_chain.ts";
import { VirtualTimers } from "../../support/virtual_timers.ts";

const RUN: Run = {
  kind: RoundKind.EXCHANGE,
  mode: RunMode.ROUNDS,
  first: FIRST,
  count: 3,
  period: 2_000,
};
const ROUND = { kind: RUN.kind, start: FIRST };

type Script = (message: Message, link: CommandChannel) => Promise<void> | void;

/** A mix that greets as it should, and then does what a test says. */
class FalseMix implements AsyncDisposable {
  readonly timers = new VirtualTimers(FIRST - 8_000);
  /** What is done with every message. */
  script: Script = () => {};
  /** What it says to MIX. */
  greeting: Bytes = new CommandWriter().set(said.CLOCK, BigInt(FIRST))
    .verb(said.MIXING).done();
  #peer: MixLink | undefined;
  #serving: Promise<unknown> | undefined;

  /** A link to it. */
  async open(): Promise<MixLink> {
    const { left, right } = memoryConnection();
    const keyring = await mixKeyring(0);
    this.#serving = this.#serve(right).catch(() => {/* it was hung up on */});
    this.#peer = await MixLink.open(left, {
      mix: keyring.certificate,
      keyring: await freshNodeKeyring(),
      timers: this.timers,
    });
    return this.#peer;
  }

  /** A link to it, with settings signed in which it stands at `place` of two. */
  async signed(place: number, kind: RoundKind = RUN.kind): Promise<MixLink> {
    const peer = await this.open();
    const { certificate } = await mixKeyring(0);
    const mixes = [somePlace(3), somePlace(3)];
    mixes[place] = somePlace(3, certificate.fingerprint);
    const buckets = kind === RoundKind.DIALING ? 2 : 0;
    this.script = (_, link) =>
      link.send(
        about(kind).set(said.SETTINGS_SIGNATURE, randomBytes(64))
          .verb(said.SETTINGS_SIGNED).done(),
      );
    await peer.sign(
      encodeSettings(someFields({ ...RUN, kind, buckets, mixes })),
    );
    return peer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#peer?.end();
    await this.#serving;
    assertEquals(this.timers.waiting, 0);
  }

  async #serve(
    stream: ReturnType<typeof memoryConnection>["right"],
  ): Promise<void> {
    const keyring = await mixKeyring(0);
    try {
      const channel = await answer(stream, {
        static: keyring.dh,
        certificate: keyring.certificate.bytes,
      });
      const link = new CommandChannel(
        channel!,
        MIX_VOCABULARY,
        MIX_DECODER_LIMITS,
      );
      assertEquals((await link.next())!.verb, said.MIX);
      await link.send(this.greeting);
      for (;;) {
        const message = await link.next();
        if (message === null) return await link.close();
        const length = message.get(said.BATCH_LENGTH) ?? 0;
        if (length > 0) await link.body(length);
        await this.script(message, link);
      }
    } finally {
      if (!stream.closed) stream.close();
    }
  }
}

function about(kind: RoundKind = RUN.kind, start = FIRST): CommandWriter {
  return new CommandWriter(4_096).set(said.ROUND_KIND, kind)
    .set(said.ROUND_START, BigInt(start));
}

async function part(
  link: CommandChannel,
  total: number,
  length: number,
  start = FIRST,
): Promise<void> {
  const commands = about(RUN.kind, start).set(said.TOTAL_LENGTH, total)
    .set(said.BATCH_LENGTH, length).verb(said.BATCH_PART).done();
  if (length === 0) return await link.send(commands);
  await link.sendWithBody(commands, randomBytes(length));
}

async function rejects(
  code: MixErrorCode,
  action: () => Promise<unknown>,
): Promise<void> {
  const error = await assertRejects(action, MixError);
  assertEquals(error.code, code, error.message);
}

Deno.test("a mix that greets in another way is not used", async () => {
  const greetings: readonly (readonly [Bytes, MixErrorCode])[] = [
    [new CommandWriter().verb(said.MIX_REFUSED).done(), "ERR_MIX_REFUSED"],
    [about().verb(said.BATCH_PART).done(), "ERR_MIX_REFUSED"],
    [new CommandWriter().verb(said.MIXING).done(), "ERR_MIX_GONE"],
  ];
  for (const [greeting, code] of greetings) {
    await using mix = new FalseMix();
    mix.greeting = greeting;
    await rejects(code, () => mix.open());
  }
  await using mix = new FalseMix();
  assertEquals((await mix.open()).skew, 8_000);
});

Deno.test("an offer or a signature with something missing is no answer", async () => {
  const keys = randomBytes(96);
  const offer = (onionKeys: Bytes | undefined, mean?: number, scale?: number) =>
    about().set(said.ONION_KEYS, onionKeys).set(said.NOISE_MEAN, mean)
      .set(said.NOISE_SCALE, scale).verb(said.RUN_PREPARED).done();
  await using mix = new FalseMix();
  const peer = await mix.open();
  for (
    const wrong of [
      offer(undefined, 1, 1),
      offer(keys.slice(1), 1, 1),
      offer(keys.slice(32), 1, 1),
      offer(keys, undefined, 1),
      offer(keys, 1),
      about().verb(said.MIX_REFUSED).done(),
    ]
  ) {
    mix.script = (_, link) => link.send(wrong);
    await rejects("ERR_MIX_REFUSED", () => peer.prepare(RUN));
  }
  mix.script = (_, link) => link.send(offer(keys, 7, 2));
  const { onionKeys, noise } = await peer.prepare(RUN);
  assertEquals([onionKeys[2], noise], [keys.slice(64), { mean: 7, scale: 2 }]);

  mix.script = (_, link) =>
    link.send(about().verb(said.SETTINGS_SIGNED).done());
  const body = encodeSettings(someFields({ ...RUN }));
  await rejects("ERR_MIX_REFUSED", () => peer.sign(body));
  await rejects("ERR_MIX_ROUND", () => peer.close(ROUND));
});

Deno.test("one question for a round at a time, and an answer to another question is none", async () => {
  await using mix = new FalseMix();
  const peer = await mix.signed(0);
  const { promise: asked, resolve } = Promise.withResolvers<CommandChannel>();
  mix.script = (_, link) => resolve(link);
  const closing = peer.close(ROUND);
  await rejects("ERR_MIX_ROUND", () => peer.close(ROUND));
  const link = await asked;
  await link.send(
    about().set(said.SETTINGS_SIGNATURE, randomBytes(64))
      .verb(said.SETTINGS_SIGNED).done(),
  );
  // Of a round that nobody has asked for, and of the one that was.
  await part(link, 608, 608, FIRST + 2_000);
  await part(link, 0, 0);
  assertEquals(await closing, new Uint8Array(0));
  await part(link, 560, 560);
  assert(!peer.isGone);
});

Deno.test("a batch that is longer or shorter than can be is refused, and the connection stays", async () => {
  // At the first of two: two onions, and at most 2 x 20 + 28 x 5 + 64 of noise, of 560 bytes.
  const most = 2 + 244;
  for (
    const total of [1, 559, (most + 1) * 560, 0xffff_ffff]
  ) {
    await using mix = new FalseMix();
    const peer = await mix.signed(0);
    mix.script = (message, link) =>
      message.verb === said.CLOSE_ROUND
        ? part(link, total, Math.min(total, 1_000))
        : undefined;
    await peer.add(ROUND, randomBytes(2 * 608));
    await rejects("ERR_MIX_REFUSED", () => peer.close(ROUND));
    mix.script = (_, link) => part(link, 560, 560, FIRST + 2_000);
    const batch = await peer.close({ ...ROUND, start: FIRST + 2_000 });
    assertEquals(batch.length, 560);
  }
  await using mix = new FalseMix();
  const peer = await mix.signed(0);
  mix.script = async (message, link) => {
    if (message.verb !== said.CLOSE_ROUND) return;
    for (let at = 0; at < most; at++) await part(link, most * 560, 560);
  };
  await peer.add(ROUND, randomBytes(2 * 608));
  assertEquals((await peer.close(ROUND)).length, most * 560);
});

Deno.test("the last mix gives a reply for every onion, and so does every one on the way back", async () => {
  for (const count of [0, 1, 3]) {
    await using mix = new FalseMix();
    const peer = await mix.signed(1);
    mix.script = (message, link) =>
      message.verb === said.CLOSE_ROUND
        ? part(link, count * 512, count * 512)
        : undefined;
    await peer.add(ROUND, randomBytes(2 * 560));
    await rejects("ERR_MIX_REFUSED", () => peer.close(ROUND));
  }
  await using mix = new FalseMix();
  const peer = await mix.signed(0);
  mix.script = (message, link) =>
    message.verb === said.CLOSE_ROUND
      ? part(link, 560, 560)
      : message.verb === said.GIVE_REPLIES
      ? part(link, 528, 528)
      : undefined;
  await peer.add(ROUND, randomBytes(2 * 608));
  await peer.close(ROUND);
  await rejects("ERR_MIX_REFUSED", () => peer.answer(ROUND, randomBytes(512)));
});

Deno.test("parts that do not fit together end the connection", async () => {
  const wrongs: Script[] = [
    async (_, link) => {
      await part(link, 1_120, 560);
      await part(link, 1_680, 560);
    },
    async (_, link) => {
      await part(link, 1_120, 560);
      await part(link, 1_120, 1_120);
    },
    (_, link) => part(link, 1_120, 0),
    (_, link) =>
      link.send(
        about().set(said.TOTAL_LENGTH, 560).set(said.BATCH_LENGTH, 65_537)
          .verb(said.BATCH_PART).done(),
      ),
    (_, link) => link.send(new CommandWriter().verb(said.BATCH_PART).done()),
    (_, link) => link.send(about().verb(said.ADD_ONIONS).done()),
    (_, link) => link.close(),
    (_, link) => link.abort(),
  ];
  for (const script of wrongs) {
    await using mix = new FalseMix();
    const peer = await mix.signed(0);
    mix.script = script;
    const others = peer.prepare({ ...RUN, first: FIRST + 60_000 });
    others.catch(() => {/* looked at below */});
    await rejects("ERR_MIX_GONE", () => peer.close(ROUND));
    await rejects("ERR_MIX_GONE", () => others);
    await peer.ended;
    assert(peer.isGone);
  }
});

Deno.test("filters come as they are, of a round that takes no replies", async () => {
  await using mix = new FalseMix();
  const peer = await mix.signed(1, RoundKind.DIALING);
  const round = { ...ROUND, kind: RoundKind.DIALING };
  mix.script = (_, link) =>
    link.sendWithBody(
      about(RoundKind.DIALING).set(said.TOTAL_LENGTH, 77)
        .set(said.BATCH_LENGTH, 77).verb(said.BATCH_PART).done(),
      randomBytes(77),
    );
  assertEquals((await peer.close(round)).length, 77);
  await rejects("ERR_MIX_ROUND", () => peer.answer(round, new Uint8Array(0)));
});
