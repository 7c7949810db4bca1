import { assert, assertEquals, assertRejects } from "@std/assert";
import { parseFilters } from "../../../lib/mix/dialing/buckets.ts";
import { MixError } from "../../../lib/mix/mix_error.ts";
import type { MixErrorCode } from "../../../lib/mix/mix_error.ts";
import type { MixLink } from "../../../lib/mix/node/mix_link.ts";
import { RoundKind, RunMode } from "../../../lib/mix/round.ts";
import type { Run } from "../../../lib/mix/round.ts";
import { encodeSettings } from "../../../lib/mix/settings/run_settings.ts";
import { randomBytes } from "../../../lib/protocol/mod.ts";
import { freshNodeKeyring } from "../../support/keyrings.ts";
import { LinkedChain } from "./linked_chain.ts";
import {
  circuitsThrough,
  dialPayload,
  flat,
  opened,
  pairedPayloads,
  pairedReplies,
  roundOf,
  wrapAll,
} from "./mix_chain.ts";

const NOTHING = {
  prepared: 0,
  runs: 0,
  rounds: 0,
  keys: 0,
  circuits: 0,
  noise: 0,
};

async function rejects(
  code: MixErrorCode,
  action: () => Promise<unknown>,
): Promise<void> {
  const error = await assertRejects(action, MixError);
  assertEquals(error.code, code);
}

Deno.test("S3.6: rounds of both kinds and modes go through mixes behind connections, several at a time", async () => {
  const chain = await LinkedChain.linked(3, {}, {
    rightward: { readAtMost: 5_000 },
    leftward: { writeAtMost: 3_000 },
  });
  const settings = await chain.run();
  const rounds = await Promise.all([0, 1, 2].map(async (index) => {
    const payloads = pairedPayloads(150);
    const onions = await wrapAll(settings, payloads, index);
    const round = roundOf(settings, index);
    const replies = await chain.through(round, flat(onions));
    assertEquals(await opened(onions, replies), pairedReplies(payloads));
    return replies.length;
  }));
  assertEquals(rounds, [1, 2, 3].map(() => 150 * 544));
  assertEquals(chain.left, chain.hosts.map(() => NOTHING));

  const circuitRun = await chain.run({ mode: RunMode.CIRCUITS, count: 2 });
  const circuits = await circuitsThrough(chain, circuitRun, 4);
  const payloads = pairedPayloads(4);
  const onions = await Promise.all(
    circuits.map((circuit, i) => circuit.wrap(payloads[i]!, 1)),
  );
  const replies = await chain.through(roundOf(circuitRun, 1), flat(onions));
  assertEquals(await opened(onions, replies), pairedReplies(payloads));

  const dialing = await chain.run({ kind: RoundKind.DIALING, count: 1 });
  const token = randomBytes(32);
  const dialed = await wrapAll(dialing, [dialPayload(1, token)]);
  const filters = parseFilters(
    await chain.forth(roundOf(dialing), flat(dialed)),
    4,
  );
  assert(await filters[1]!.has(token));
  assertEquals(chain.left, chain.hosts.map(() => NOTHING));
  await chain.stop();
  assertEquals(chain.broken, []);
});

Deno.test("a mix refuses over a connection what it refuses, and goes on", async () => {
  const chain = await LinkedChain.linked(2);
  const fields = await chain.prepared();
  const [peer] = chain.peers as [MixLink, MixLink];
  const wrong = encodeSettings({ ...fields, coordinator: randomBytes(32) });
  await rejects("ERR_MIX_REFUSED", () => peer.sign(wrong));
  await rejects(
    "ERR_MIX_REFUSED",
    () => peer.prepare({ ...fields, first: fields.first + 10_000_000 }),
  );
  const settings = await chain.run();
  const round = roundOf(settings);
  // The node has never heard of it; the link has not, either.
  await rejects(
    "ERR_MIX_ROUND",
    () => peer.close({ ...round, start: round.start + 1 }),
  );
  await rejects("ERR_MIX_REFUSED", () => peer.add(round, randomBytes(607)));
  await peer.close(round);
  await rejects("ERR_MIX_REFUSED", () => peer.close(round));
  // Replies of a wrong length end the round.
  await rejects("ERR_MIX_REFUSED", () => peer.answer(round, randomBytes(512)));
  await rejects("ERR_MIX_REFUSED", () => peer.answer(round, randomBytes(512)));
  const next = roundOf(settings, 1);
  const payloads = pairedPayloads(2);
  const onions = await wrapAll(settings, payloads, 1);
  assertEquals(
    await opened(onions, await chain.through(next, flat(onions))),
    pairedReplies(payloads),
  );
  await chain.stop();
  assertEquals(chain.broken, []);
});

Deno.test("when the connection breaks, every call rejects, and the mix erases the rounds under way", async () => {
  const chain = await LinkedChain.linked(2);
  const settings = await chain.run();
  const [peer] = chain.peers as [MixLink, MixLink];
  const round = roundOf(settings);
  await peer.add(round, flat(await wrapAll(settings, pairedPayloads(2))));
  await peer.close(round);
  assertEquals(chain.hosts[0]!.status.rounds, 1);
  const waiting = peer.prepare(settings);
  waiting.catch(() => {/* looked at below */});
  chain.connections[0]!.reset();
  await rejects("ERR_MIX_GONE", () => waiting);
  await peer.ended;
  assert(peer.isGone);
  for (
    const action of [
      () => peer.prepare(settings),
      () => peer.sign(settings.body),
      () => peer.add(round, new Uint8Array(0)),
      () => peer.close(roundOf(settings, 1)),
      () => peer.answer(round, new Uint8Array(0)),
    ]
  ) await rejects("ERR_MIX_GONE", action);
  peer.abort(round);
  while (chain.hosts[0]!.coordinators > 0) {
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  const { rounds, runs, keys } = chain.hosts[0]!.status;
  assertEquals([rounds, runs, keys], [0, 1, 2]);

  // Its run can still be used when the coordinator is back.
  const again = await chain.link(0);
  assertEquals(chain.hosts[0]!.coordinators, 1);
  await again.prepare({ ...settings, first: settings.first + 6_000 });
  await again.end();
  await chain.stop();
});

Deno.test("a coordinator has one place, however often it connects", async () => {
  const chain = await LinkedChain.linked(1, {
    places: 2,
    coordinators: "any",
  });
  const [first] = chain.peers as [MixLink];
  const second = await chain.link(0);
  await first.ended;
  assert(first.isGone && !second.isGone);
  assertEquals(chain.hosts[0]!.coordinators, 1);
  const other = await chain.link(0, await freshNodeKeyring());
  const third = await freshNodeKeyring();
  await rejects("ERR_MIX_REFUSED", () => chain.link(0, third));
  // The place of one who is gone is free.
  await other.end();
  while (chain.hosts[0]!.coordinators > 1) {
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  const last = await chain.link(0, third);
  assert(!second.isGone && !last.isGone);
  await chain.stop();
  await rejects("ERR_MIX_REFUSED", () => chain.link(0));
});

Deno.test("two connections of a coordinator that come at once do not share its place", async () => {
  const chain = await LinkedChain.linked(1);
  const [host, peer] = [chain.hosts[0]!, chain.peers[0] as MixLink];
  // What it is still being answered is what both of the others wait for.
  const asked = peer.prepare({ ...roundsFrom(chain.timers.now()), count: 512 });
  const refused = rejects("ERR_MIX_GONE", () => asked);
  const opened = await Promise.allSettled([chain.link(0), chain.link(0)]);
  await refused;
  const links = opened.flatMap((each) =>
    each.status === "fulfilled" ? [each.value] : []
  );
  for (let i = 0; i < 500 && stay(links).length !== 1; i++) {
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  const [last] = stay(links);
  assertEquals([stay(links).length, host.coordinators], [1, 1]);
  await last!.end();
  while (host.coordinators > 0) {
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await chain.stop();
});

function stay(links: readonly MixLink[]): MixLink[] {
  return links.filter(({ isGone }) => !isGone);
}

/** Exchange rounds from some seconds later on. */
function roundsFrom(now: number): Run {
  const { kind, mode } = { kind: RoundKind.EXCHANGE, mode: RunMode.ROUNDS };
  return { kind, mode, first: now + 8_000, count: 1, period: 2_000 };
}

Deno.test("a coordinator has so many runs prepared and no more, and no others by connecting anew", async () => {
  const chain = await LinkedChain.linked(1, { coordinators: "any" });
  let peer = chain.peers[0] as MixLink;
  const run = roundsFrom(chain.timers.now());
  for (let i = 0; i < 120; i++) {
    if (i === 60) peer = await chain.link(0);
    await peer.prepare(run);
  }
  await rejects("ERR_MIX_REFUSED", () => peer.prepare(run));
  const again = await chain.link(0);
  await rejects("ERR_MIX_REFUSED", () => again.prepare(run));
  const other = await chain.link(0, await freshNodeKeyring());
  await other.prepare(run);
  chain.timers.pass(2_000);
  await again.prepare(run);
  await again.prepare(run);
  await rejects("ERR_MIX_REFUSED", () => again.prepare(run));
  await chain.stop();
});

Deno.test("S3.5: only those coordinate who may, and who prove who they are", async () => {
  const chain = await LinkedChain.linked(1);
  const stranger = await freshNodeKeyring();
  await rejects("ERR_MIX_REFUSED", () => chain.link(0, stranger));
  // The certificate of one who may, and a signature of somebody else.
  await rejects("ERR_MIX_GONE", () =>
    chain.link(0, {
      ...stranger,
      certificate: chain.keyring.certificate,
    }));
  assertEquals(chain.hosts[0]!.coordinators, 1);
  const [peer] = chain.peers as [MixLink];
  assert(!peer.isGone);
  assertEquals([peer.skew, chain.broken.length], [0, 1]);
  await chain.stop();
});
