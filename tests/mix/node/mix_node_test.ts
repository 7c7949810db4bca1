import { assert, assertEquals, assertRejects } from "@std/assert";
import { MixError } from "../../../lib/mix/mix_error.ts";
import type { MixErrorCode } from "../../../lib/mix/mix_error.ts";
import type { MixNode } from "../../../lib/mix/node/mix_node.ts";
import { RoundKind, RunMode } from "../../../lib/mix/round.ts";
import { encodeSettings } from "../../../lib/mix/settings/run_settings.ts";
import type { MixPlace } from "../../../lib/mix/settings/settings_fields.ts";
import type { SettingsFields } from "../../../lib/mix/settings/settings_fields.ts";
import { concat, randomBytes } from "../../../lib/protocol/mod.ts";
import {
  FIRST,
  flat,
  MixChain,
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

/** The fields with the place of one mix changed. */
function placed(
  fields: SettingsFields,
  place: number,
  changes: Partial<MixPlace>,
): SettingsFields {
  const mixes = fields.mixes.map((mix, i) =>
    i === place ? { ...mix, ...changes } : mix
  );
  return { ...fields, mixes };
}

Deno.test("S3.5: a mix signs nothing but its own keys and noise, in one place, for the run that it has prepared", async () => {
  const chain = await MixChain.of(2);
  const [node] = chain.nodes as [MixNode];
  const fields = await chain.prepared();
  const [own, other] = fields.mixes as [MixPlace, MixPlace];
  const swapped = own.onionKeys.with(2, randomBytes(32));
  const wrong: SettingsFields[] = [
    { ...fields, coordinator: randomBytes(32) },
    { ...fields, kind: RoundKind.DIALING, buckets: 1 },
    { ...fields, first: fields.first + 1 },
    { ...fields, period: 2_001 },
    {
      ...fields,
      count: 2,
      mixes: fields.mixes.map((mix) => ({
        ...mix,
        onionKeys: mix.onionKeys.slice(0, 2),
      })),
    },
    placed(fields, 0, { onionKeys: swapped }),
    placed(fields, 0, { onionKeys: own.onionKeys.toReversed() }),
    placed(fields, 0, { noise: { mean: 2, scale: 1 } }),
    placed(fields, 0, { noise: { mean: 3, scale: 2 } }),
    placed(fields, 0, { fingerprint: randomBytes(32) }),
    placed(fields, 1, { fingerprint: own.fingerprint }),
    placed(fields, 1, { onionKeys: own.onionKeys }),
    placed(fields, 1, {
      onionKeys: other.onionKeys.with(0, own.onionKeys[1]!),
    }),
    { ...fields, mixes: [own, own] },
    { ...fields, mixes: [other] },
  ];
  for (const each of wrong) {
    const body = encodeSettings(each);
    await rejects("ERR_MIX_SETTINGS", () => node.sign(body));
  }
  for (const bytes of [new Uint8Array(0), randomBytes(300)]) {
    await rejects("ERR_MIX_SETTINGS", () => node.sign(bytes));
  }
  assertEquals(node.status.runs, 0);
  assertEquals((await node.sign(encodeSettings(fields))).length, 64);
  await chain.stop();
});

Deno.test("S3.5: keys are signed for once: a coordinator that gives people different settings has one of them fail", async () => {
  const chain = await MixChain.of(2);
  const fields = await chain.prepared();
  const [, second] = fields.mixes as [MixPlace, MixPlace];
  const own = fields.mixes[0]!;
  // The same keys of the first mix, other ones of the second, whose owner works for the coordinator.
  const split = { ...fields, mixes: [own, { ...second, noise: own.noise }] };
  split.mixes[1] = {
    ...second,
    onionKeys: second.onionKeys.map(() => randomBytes(32)),
  };
  const [node] = chain.nodes as [MixNode];
  await node.sign(encodeSettings(fields));
  await rejects("ERR_MIX_SETTINGS", () => node.sign(encodeSettings(split)));
  await rejects("ERR_MIX_SETTINGS", () => node.sign(encodeSettings(fields)));

  // With keys that are made anew it is signed, and then the settings before are void.
  const again = await node.prepare(fields);
  const renewed = placed(split, 0, again);
  const old = await wrapAll({
    ...fields,
    body: new Uint8Array(0),
  }, pairedPayloads(2));
  await node.sign(encodeSettings(renewed));
  assertEquals([node.status.runs, node.status.keys], [1, 3]);
  const round = { kind: fields.kind, start: fields.first };
  await node.add(round, flat(old));
  const batch = await node.close(round);
  const noise = batch.length / 560;
  assert(noise < 40 && Number.isInteger(noise));
  // None of the onions for the older settings has been opened: the replies are to noise alone.
  const replies = await node.answer(round, new Uint8Array(noise * 512));
  assertEquals(await opened(old, replies), [undefined, undefined]);
  await chain.stop();
});

Deno.test("S3.5: settings that are signed later void older ones for the same and later rounds, and those under way", async () => {
  const chain = await MixChain.of(1);
  const older = await chain.run({ first: FIRST, count: 5 });
  const [node] = chain.nodes as [MixNode];
  const onions = await Promise.all(
    [0, 1, 2, 3, 4].map((index) => wrapAll(older, pairedPayloads(2), index)),
  );
  const add = (index: number) =>
    node.add(roundOf(older, index), flat(onions[index]!));
  for (const index of [0, 1, 2, 3]) await add(index);
  const newer = await chain.prepared({ first: FIRST + 4_000, count: 2 });
  const body = encodeSettings(newer);
  const closing = node.close(roundOf(older, 3));
  const signing = node.sign(body);
  await rejects("ERR_MIX_ROUND", () => closing);
  await signing;
  assertEquals(node.status.rounds, 2);
  for (const index of [0, 1]) await node.close(roundOf(older, index));
  // Rounds 2 and 3 are now those of the newer run, which opens nothing of the older.
  await rejects("ERR_MIX_ROUND", () => add(4));
  for (const index of [2, 3]) {
    await add(index);
    const replies = await node.close(roundOf(older, index));
    assertEquals(await opened(onions[index]!, replies), [undefined, undefined]);
  }
  chain.assertNothingLeft();

  // The other kind is not concerned, and a run before is.
  await chain.run({ first: FIRST + 20_000, count: 1 });
  await chain.run({ kind: RoundKind.DIALING, first: FIRST, count: 9 });
  assertEquals(node.status.runs, 2);
  await chain.run({ first: FIRST + 10_000, count: 1 });
  assertEquals(node.status.runs, 2);
  await chain.stop();
});

Deno.test("calls for rounds that nobody knows, or out of order, change nothing", async () => {
  const chain = await MixChain.of(2);
  const settings = await chain.run();
  const [node] = chain.nodes as [MixNode];
  const round = roundOf(settings);
  const unknown = [
    { ...round, start: round.start - 2_000 },
    { ...round, start: round.start + 6_000 },
    { ...round, start: round.start + 1 },
    { ...round, kind: RoundKind.DIALING },
  ];
  for (const each of unknown) {
    await rejects("ERR_MIX_ROUND", () => node.add(each, new Uint8Array(0)));
    await rejects("ERR_MIX_ROUND", () => node.close(each));
    await rejects("ERR_MIX_ROUND", () => node.answer(each, new Uint8Array(0)));
    node.abort(each);
  }
  await rejects("ERR_MIX_ROUND", () => node.answer(round, new Uint8Array(0)));
  const payloads = pairedPayloads(2);
  const onions = await wrapAll(settings, payloads);
  await node.add(round, onions[0]!.onion);
  await rejects("ERR_MIX_ROUND", () => node.answer(round, new Uint8Array(0)));
  await node.add(round, onions[1]!.onion);
  const closing = node.close(round);
  // All at once, before it is closed.
  await Promise.all([
    rejects("ERR_MIX_ROUND", () => node.add(round, onions[0]!.onion)),
    rejects("ERR_MIX_ROUND", () => node.close(round)),
    rejects("ERR_MIX_ROUND", () => node.answer(round, new Uint8Array(0))),
  ]);
  const last = chain.nodes[1]!;
  await last.add(round, await closing);
  const replies = await last.close(round);
  await rejects("ERR_MIX_ROUND", () => last.close(round));
  const answering = node.answer(round, replies);
  await rejects("ERR_MIX_ROUND", () => node.answer(round, replies));
  assertEquals(
    await opened(onions, await answering),
    pairedReplies(payloads),
  );
  // Once it is over, nothing begins it again: its keys are gone.
  await rejects("ERR_MIX_ROUND", () => node.add(round, onions[0]!.onion));
  await rejects("ERR_MIX_ROUND", () => node.close(round));
  await chain.stop();
});

Deno.test("S3.6: wrong lengths end the round, and nothing else", async () => {
  // So much noise that there is always some.
  const chain = await MixChain.of(2, {
    noise: () => ({ mean: 30, scale: 1 }),
  });
  const settings = await chain.run({ count: 4 });
  const [node] = chain.nodes as [MixNode];
  await rejects(
    "ERR_MIX_REFUSED",
    () => node.add(roundOf(settings, 0), randomBytes(607)),
  );
  for (const [i, difference] of [-512, -1, 512].entries()) {
    const round = roundOf(settings, i + 1);
    await node.add(round, new Uint8Array(0));
    const batch = await node.close(round);
    const due = batch.length / 560 * 512;
    assertEquals(node.awaited(round), due);
    const replies = new Uint8Array(Math.max(0, due + difference));
    await rejects("ERR_MIX_REFUSED", () => node.answer(round, replies));
    await rejects(
      "ERR_MIX_ROUND",
      () => node.answer(round, new Uint8Array(due)),
    );
  }
  const { rounds, runs } = node.status;
  assertEquals([rounds, runs], [0, 0]);
  await chain.stop();
});

Deno.test("a mix takes on so many rounds, onions and runs, and no more", async () => {
  const chain = await MixChain.of(1, { limits: { rounds: 2, onions: 10 } });
  const settings = await chain.run({ count: 5 });
  const [node] = chain.nodes as [MixNode];
  const onion = randomBytes(560);
  const many = (count: number) =>
    concat(...Array.from({ length: count }, () => onion));
  await node.add(roundOf(settings, 0), many(10));
  await node.add(roundOf(settings, 1), many(4));
  await rejects("ERR_MIX_REFUSED", () => node.close(roundOf(settings, 2)));
  await rejects(
    "ERR_MIX_REFUSED",
    () => node.add(roundOf(settings, 1), many(7)),
  );
  // That one is over by it, and so there is room for another.
  await node.add(roundOf(settings, 2), many(10));
  assertEquals(node.status.rounds, 2);

  const first = settings.first + 1_000_000;
  const run = { ...settings, count: 1 };
  for (let i = 0; i < 6; i++) {
    await node.prepare({ ...run, first: first + i * 2_000 });
  }
  assertEquals(node.status.prepared, 4);
  await node.prepare({ ...run, first: first + 10_000 });
  assertEquals(node.status.prepared, 4);
  await chain.stop();

  const busy = await MixChain.of(1);
  for (let i = 0; i < 8; i++) await busy.run({ count: 1 });
  await rejects("ERR_MIX_REFUSED", () => busy.run({ count: 1 }));
  await busy.stop();
});

Deno.test("runs that nobody can want are not prepared", async () => {
  const chain = await MixChain.of(1);
  const [node] = chain.nodes as [MixNode];
  const run = {
    kind: RoundKind.EXCHANGE,
    mode: RunMode.ROUNDS,
    first: FIRST,
    count: 3,
    period: 2_000,
  };
  for (
    const changes of [
      { kind: 3 as RoundKind },
      { mode: 2 as RunMode },
      { count: 0 },
      { count: 513 },
      { period: 199 },
      { first: FIRST + 3_600_000 },
    ]
  ) {
    await rejects(
      "ERR_MIX_REFUSED",
      () => node.prepare({ ...run, ...changes }),
    );
  }
  await node.prepare({ ...run, first: FIRST - 8_000 + 3_600_000 });
  // Its clock may be ten seconds ahead.
  await node.prepare({ ...run, first: FIRST - 24_000 });
  await rejects(
    "ERR_MIX_LATE",
    () => node.prepare({ ...run, first: FIRST - 24_001 }),
  );
  assertEquals(node.status.prepared, 2);
  chain.timers.pass(3_700_000);
  chain.assertNothingLeft();
  await chain.stop();
});

Deno.test("S3.5: whatever becomes of a round, after its deadline nothing of it is left", async () => {
  for (const mode of [RunMode.ROUNDS, RunMode.CIRCUITS]) {
    const chain = await MixChain.of(2);
    const settings = await chain.run({ mode, count: 5 });
    const [first, last] = chain.nodes as [MixNode, MixNode];
    const size = mode === RunMode.ROUNDS ? 608 : 96;
    await first.add(roundOf(settings, 0), randomBytes(3 * size));
    await first.close(roundOf(settings, 0));
    await first.add(roundOf(settings, 1), new Uint8Array(0));
    await last.add(roundOf(settings, 1), new Uint8Array(0));
    assertEquals(first.status.rounds, 2);
    // 8 s until it starts, 1.2 of window, 6 of life, and 10 for clocks that differ.
    chain.timers.pass(8_000 + 1_200 + 6_000 + 10_000 - 1);
    assertEquals([first.status.rounds, last.status.rounds], [2, 1]);
    chain.timers.pass(1);
    assertEquals([first.status.rounds, last.status.rounds], [1, 1]);
    await rejects(
      "ERR_MIX_ROUND",
      () => first.answer(roundOf(settings, 0), new Uint8Array(0)),
    );
    await rejects(
      "ERR_MIX_ROUND",
      () => last.add(roundOf(settings, 0), new Uint8Array(0)),
    );
    const closing = first.close(roundOf(settings, 1));
    chain.timers.pass(2_000);
    await rejects("ERR_MIX_ROUND", () => closing);
    assertEquals(first.status.rounds, 0);
    if (mode === RunMode.ROUNDS) assertEquals(first.status.keys, 3);
    chain.timers.pass(6_000);
    chain.assertNothingLeft();
    await chain.stop();
  }
});

Deno.test("S3.5: an aborted round is erased at once, and does not begin again", async () => {
  const chain = await MixChain.of(2);
  const settings = await chain.run();
  const [node] = chain.nodes as [MixNode];
  const onions = await wrapAll(settings, pairedPayloads(4));
  for (const index of [0, 1, 2]) {
    const round = roundOf(settings, index);
    if (index < 2) await node.add(round, flat(onions));
    const closing = index === 1 ? node.close(round) : undefined;
    closing?.catch(() => {/* looked at below */});
    node.abort(round);
    if (closing !== undefined) await rejects("ERR_MIX_ROUND", () => closing);
    await rejects("ERR_MIX_ROUND", () => node.add(round, flat(onions)));
    assertEquals(node.status.rounds, 0);
  }
  // It was the last.
  assertEquals([node.status.runs, node.status.keys], [0, 0]);
  await chain.stop();
  await rejects("ERR_MIX_GONE", () => node.prepare(settings));
});

Deno.test("S3.5: two coordinators of one mix do not meet", async () => {
  const one = await MixChain.of(1);
  const two = await MixChain.of(1);
  const settings = await one.run({ first: FIRST });
  const theirs = await two.run({ first: FIRST });
  const payloads = pairedPayloads(2);
  const onions = await wrapAll(settings, payloads);
  const round = roundOf(settings);
  const strange = await two.through(round, flat(onions));
  assertEquals(await opened(onions, strange), [undefined, undefined]);
  const replies = await one.through(round, flat(onions));
  assertEquals(await opened(onions, replies), pairedReplies(payloads));
  assertEquals(theirs.first, settings.first);
  await one.stop();
  await two.stop();
});
