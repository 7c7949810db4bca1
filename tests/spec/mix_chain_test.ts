import { assert, assertEquals, assertRejects } from "@std/assert";
import type { NodeKeyring } from "../../lib/identity/mod.ts";
import { MixHost } from "../../lib/mix/node/mix_host.ts";
import { grantLink } from "../../lib/onion/link/link_commands.ts";
import { answer, exportRsa, MalformedError } from "../../lib/protocol/mod.ts";
import { VirtualTimers } from "../support/virtual_timers.ts";
import { freshNodeKeyring, testKeyPairs } from "../support/keyrings.ts";
import { NaiveMixLink } from "./naive_coordinator.ts";
import type { NaiveNode } from "./naive_coordinator.ts";
import { certificate } from "./naive_identity.ts";
import {
  circuitLayer,
  clientLayer,
  filterHas,
  KIND,
  MODE,
  openMixReply,
  readFilters,
  readSettings,
  settingsBody,
  wrapMixOnion,
} from "./naive_mix.ts";
import type { NaiveMixLayer, NaiveSettings } from "./naive_mix.ts";
import { dialPayload } from "./naive_participant.ts";
import {
  ed25519Pair,
  join,
  random,
  sha256,
  x25519Pair,
} from "./naive_primitives.ts";
import type { Octets } from "./naive_primitives.ts";

const NOW = 1_900_000_000_000;
/** More than 65,536 bytes of noise, so that batches come in parts. */
const NOISE = { mean: 80, scale: 3 };
const EMPTY: Octets = new Uint8Array(0);
/** How long a test may wait in all, in milliseconds. */
const PATIENCE = 60_000;

const KEYRINGS: readonly NodeKeyring[] = [
  await freshNodeKeyring(),
  await freshNodeKeyring(),
];

/** A coordinator of the text. */
async function coordinator(): Promise<NaiveNode> {
  const { rsa } = await testKeyPairs();
  const keys = {
    signing: ed25519Pair(),
    agreement: x25519Pair(),
    rsa: { secret: await exportRsa(rsa), open: rsa.publicKey },
  };
  const { signing: { secret: seed } } = keys;
  return { certificate: certificate(keys, 1_800_000_000), seed };
}

/** Two mixes of ours behind ports, and links of the text to them. */
async function chain() {
  const timers = new VirtualTimers(NOW);
  const node = await coordinator();
  const serving: Promise<void>[] = [];
  const failures: unknown[] = [];
  const mixes = KEYRINGS.map((keyring) => {
    const host = new MixHost({
      keyring,
      coordinators: [sha256(node.certificate)],
      noise: () => NOISE,
      timers,
    });
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    serving.push((async () => {
      for await (const socket of listener) {
        serving.push(
          serve(socket, keyring, host).catch((error) =>
            void failures.push(error)
          ),
        );
      }
    })());
    return { host, listener };
  });
  const open = async (place: number, who = node) => {
    const { port } = mixes[place]!.listener.addr as Deno.NetAddr;
    const socket = await Deno.connect({ hostname: "127.0.0.1", port });
    const { dhKey } = KEYRINGS[place]!.certificate;
    return await NaiveMixLink.open(socket, dhKey, who);
  };
  const links = [await open(0), await open(1)];
  // Whoever waits for what never comes is told.
  const watchdog = setTimeout(() => {
    for (const { connection } of links) connection.drop();
  }, PATIENCE);
  return {
    timers,
    node,
    links,
    open,
    failures,
    status: () => mixes.map(({ host }) => host.status),
    async [Symbol.asyncDispose]() {
      clearTimeout(watchdog);
      for (const { connection } of links) {
        await connection.close().catch(() => {/* the mix has hung up */});
      }
      for (const { host, listener } of mixes) {
        listener.close();
        await host.stop();
      }
      // Twice, as the loops that accept add to it until they end.
      await Promise.all(serving);
      await Promise.all(serving);
    },
  };
}

async function serve(
  socket: Deno.TcpConn,
  { dh, certificate: { bytes } }: NodeKeyring,
  host: MixHost,
): Promise<void> {
  try {
    const channel = await answer(socket, { static: dh, certificate: bytes });
    const first = await grantLink(channel!, host);
    if (first === undefined || first === "link") return;
    await host.welcome(channel!, first, { deadline: () => {} });
    await channel!.close();
  } finally {
    try {
      socket.close();
    } catch { /* closed by the channel */ }
  }
}

/** Has a run prepared and signed. */
async function settle(
  links: readonly NaiveMixLink[],
  node: NaiveNode,
  kind: number,
  mode: number,
): Promise<NaiveSettings> {
  const run = {
    coordinator: sha256(node.certificate),
    kind,
    mode,
    first: NOW + 10_000,
    count: 3,
    period: 2_000,
    window: 1_200,
    slots: kind === KIND.exchange ? 3 : 1,
    buckets: kind === KIND.exchange ? 0 : 3,
  };
  const names = KEYRINGS.map(({ certificate }) => certificate.fingerprint);
  const mixes = await Promise.all(
    links.map((link, i) => link.prepare(run, names[i]!)),
  );
  for (const { keys, mean, scale } of mixes) {
    assertEquals([mean, scale], [NOISE.mean, NOISE.scale]);
    assertEquals(keys.length, mode === MODE.rounds ? run.count : 1);
  }
  const settings = { ...run, mixes };
  const body = settingsBody(settings);
  const name = { kind, start: run.first };
  const signatures = await Promise.all(
    links.map((link) => link.sign(body, name)),
  );
  const keyOf = (name: Octets) =>
    KEYRINGS.map(({ certificate }) => certificate)
      .find(({ fingerprint }) => fingerprint.toHex() === name.toHex())
      ?.signingKey;
  assertEquals(readSettings(join(body, ...signatures), keyOf), settings);
  return settings;
}

for (const [name, mode] of Object.entries(MODE)) {
  Deno.test(`SPEC.md §13.9: a coordinator of the text has two mixes of ours exchange, ${name}`, async () => {
    await using world = await chain();
    const { links: [first, second], node } = world;
    assertEquals([first!.clock, second!.clock], [NOW, NOW]);
    const settings = await settle(world.links, node, KIND.exchange, mode);
    const clients = Array.from({ length: 5 }, () => 0);
    let circuits: NaiveMixLayer[][] = [];
    for (let index = 0; index < 3; index++) {
      const start = settings.first + index * settings.period;
      const round = { kind: KIND.exchange, start };
      world.timers.pass(start - world.timers.now());
      const setsUp = mode === MODE.circuits && index === 0;
      const agrees = setsUp || mode === MODE.rounds;
      const at = agrees ? 0 : index;
      const layers = agrees
        ? clients.map(() =>
          settings.mixes.map(({ keys }) =>
            clientLayer(
              keys[mode === MODE.rounds ? index : 0]!,
              round,
            )
          )
        )
        : circuits;
      if (setsUp) circuits = layers.map((each) => each.map(circuitLayer));
      const payloads = clients.map(() => setsUp ? EMPTY : random(512));
      if (!setsUp) payloads[3]!.set(payloads[1]!.slice(0, 16));
      const onions = layers.map((each, i) =>
        wrapMixOnion(payloads[i]!, each, at)
      );
      const size = onions[0]!.length;
      const layer = agrees ? 48 : 32;
      assertEquals(size, payloads[0]!.length + 2 * layer);
      await first!.add(round, join(...onions), size);
      const batch = await first!.close(round);
      const inner = size - layer;
      assertEquals(batch.length % inner, 0);
      assert(batch.length > 100 * inner, "there is no noise");
      await second!.add(round, batch, inner);
      const answers = await second!.close(round);
      const answer = setsUp ? 0 : 496;
      assertEquals(answers.length, batch.length / inner * (answer + 16));
      const replies = await first!.answer(round, answers, answer + 16);
      assertEquals(replies.length, clients.length * (answer + 32));
      const expected = payloads.map((payload) => payload.slice(16));
      [expected[1], expected[3]] = [expected[3]!, expected[1]!];
      for (const [i, each] of layers.entries()) {
        const reply = replies.slice(i * (answer + 32), (i + 1) * (answer + 32));
        assertEquals(openMixReply(reply, each, at), expected[i]);
      }
    }
    assertEquals(world.failures, []);
  });
}

Deno.test("SPEC.md §13.9: a coordinator of the text has two mixes of ours make filters", async () => {
  await using world = await chain();
  const { links: [first, second], node, timers } = world;
  const settings = await settle(world.links, node, KIND.dialing, MODE.rounds);
  const round = { kind: KIND.dialing, start: settings.first };
  timers.pass(settings.first - timers.now());
  const tokens = [random(32), random(32), random(32)];
  const onions = tokens.map((token, bucket) =>
    wrapMixOnion(
      dialPayload(bucket, token),
      settings.mixes.map(({ keys }) => clientLayer(keys[0]!, round)),
    )
  );
  await first!.add(round, join(...onions), 36 + 96);
  const batch = await first!.close(round);
  await second!.add(round, batch, 36 + 48);
  const filters = readFilters(await second!.close(round), 3);
  for (const [bucket, filter] of filters.entries()) {
    assertEquals(
      tokens.map((token) => filterHas(filter, token)),
      tokens.map((_, i) => i === bucket),
    );
  }
  assertEquals(world.failures, []);
});

Deno.test("SPEC.md §13.9: a mix refuses what it has not prepared, what it has given up, and strangers", async () => {
  await using world = await chain();
  const { links: [first, second], node, open, timers } = world;
  const settings = await settle(world.links, node, KIND.exchange, MODE.rounds);
  const unknown = { kind: KIND.exchange, start: NOW + 500_000 };
  await assertRejects(() => first!.close(unknown), Error, "MIX-REFUSED");
  // Keys are signed for once, and other settings than those that were prepared not at all.
  const run = { kind: KIND.exchange, start: settings.first };
  const body = settingsBody(settings);
  await assertRejects(() => first!.sign(body, run), Error, "MIX-REFUSED");
  timers.pass(settings.first - timers.now());
  await second!.add(run, random(2 * 560), 560);
  await second!.tell("ABORT-ROUND", run);
  await assertRejects(() => second!.close(run), Error, "MIX-REFUSED");
  const stranger = await coordinator();
  await assertRejects(() => open(0, stranger), Error, "MIX-REFUSED");
  const liar = { ...node, seed: stranger.seed };
  await assertRejects(() => open(0, liar));
  const lies = world.failures.filter((each) => each instanceof MalformedError);
  assertEquals(lies.length, 1);
});
