import { assert, assertEquals, assertRejects } from "@std/assert";
import { accountLink } from "../../../lib/account/mod.ts";
import type { GuestService } from "../../../lib/account/mod.ts";
import { ACCOUNT } from "../../../lib/account/mod.ts";
import {
  Caller,
  ChannelError,
  CommandWriter,
  concat,
  randomBytes,
  Vocabulary,
} from "../../../lib/protocol/mod.ts";
import type { CommandChannel, Verb } from "../../../lib/protocol/mod.ts";
import {
  ANNOUNCE,
  BUCKET,
  FETCH_FILTER,
  FETCHED_FILTER,
  FILTER,
  JOIN,
  JOINED,
  ONIONS,
  REPLIES,
  ROUND_DONE,
  ROUND_KIND,
  ROUND_START,
  ROUNDS,
  SETTINGS,
  SUBMIT_ONIONS,
} from "../../../lib/mix/commands.ts";
import { MixService } from "../../../lib/mix/coordinator/mix_service.ts";
import { SYSTEM_TIMERS } from "../../../lib/mix/mix_timers.ts";
import { TokenFilter } from "../../../lib/mix/dialing/filter.ts";
import { wrapOnion } from "../../../lib/mix/layer/mod.ts";
import { MixNode } from "../../../lib/mix/node/mix_node.ts";
import { NOISE_LEVELS } from "../../../lib/mix/noise/noise_level.ts";
import { RoundKind } from "../../../lib/mix/round.ts";
import { keyOf } from "../../../lib/mix/settings/run_settings.ts";
import type { RunSettings } from "../../../lib/mix/settings/run_settings.ts";
import { verifySettings } from "../../../lib/mix/settings/signed_settings.ts";
import { freshNodeKeyring, testNodeKeyring } from "../../support/keyrings.ts";
import { testServer } from "../../support/server.ts";

const VOCABULARY = new Vocabulary(ACCOUNT, ROUNDS);
const PLAN = { period: 500, window: 0.6, count: 4 };

async function world(clients: number) {
  const keyrings = [await testNodeKeyring(), await freshNodeKeyring()];
  const nodes = keyrings.map((keyring) =>
    new MixNode({
      keyring,
      coordinator: keyrings[0]!.certificate.fingerprint,
      noise: () => NOISE_LEVELS.lab,
      timers: SYSTEM_TIMERS,
    })
  );
  const failures: unknown[] = [];
  const service = new MixService({
    identity: keyrings[0]!.certificate,
    chain: () => Promise.resolve(nodes),
    exchange: PLAN,
    dialing: PLAN,
    lead: 300,
    clients,
    failed: (error) => failures.push(error),
  });
  // That it is one is checked here by the compiler.
  const guest: GuestService = service;
  const server = await testServer({ guests: [guest] });
  const identityOf = (print: Uint8Array) =>
    keyrings.find(({ certificate }) =>
      certificate.fingerprint.toHex() === print.toHex()
    )?.certificate;
  return {
    service,
    server,
    failures,
    identityOf,
    async join(): Promise<CommandChannel> {
      const caller = new Caller(await server.dial());
      const link = accountLink(
        await caller.connect(server.node.dh.publicKey),
        VOCABULARY,
      );
      await link.send(new CommandWriter().verb(JOIN).done());
      return link;
    },
    async [Symbol.asyncDispose]() {
      await service.stop();
      for (const node of nodes) node.stop();
      await server[Symbol.asyncDispose]();
    },
  };
}

/** The next message with that verb. */
async function hear(link: CommandChannel, verb: Verb) {
  for (;;) {
    const message = await link.next();
    if (message === null) throw new Error("closed");
    if (message.verb === verb) return message;
  }
}

Deno.test("S3.5, S3.6: two guests of a real server meet at a drop, through two mixes with noise, and one is called", async () => {
  await using all = await world(10);
  const links = [await all.join(), await all.join()];
  const drop = randomBytes(16);
  const token = randomBytes(32);
  const settings = await Promise.all(links.map(async (link) => {
    await hear(link, JOINED);
    const found = new Map<number, RunSettings>();
    while (found.size < 2) {
      const document = (await hear(link, ANNOUNCE)).need(SETTINGS);
      const run = await verifySettings(document, all.identityOf);
      found.set(run.kind, found.get(run.kind) ?? run);
    }
    return found;
  }));
  const sealed = links.map(() => randomBytes(496));
  const heard = await Promise.all(links.map(async (link, who) => {
    const run = settings[who]!.get(RoundKind.EXCHANGE)!;
    const round = { kind: run.kind, start: run.first + run.period };
    const chain = run.mixes.map((_, place) => keyOf(run, place, 1));
    const onions = await Promise.all(
      Array.from({ length: run.slots }, (_, slot) =>
        wrapOnion(
          slot === 1
            ? concat(drop, sealed[who]!)
            : concat(randomBytes(16), randomBytes(496)),
          chain,
          round,
        )),
    );
    const wait = round.start + 20 - SYSTEM_TIMERS.now();
    await new Promise((resolve) => setTimeout(resolve, wait));
    await link.send(
      new CommandWriter().set(ROUND_KIND, round.kind)
        .set(ROUND_START, BigInt(round.start))
        .set(ONIONS, concat(...onions.map(({ onion }) => onion)))
        .verb(SUBMIT_ONIONS).done(),
    );
    const replies = (await hear(link, ROUND_DONE)).need(REPLIES);
    const size = replies.length / run.slots;
    return await onions[1]!.openReply(replies.slice(size, 2 * size));
  }));
  assertEquals(heard, sealed.reverse());

  const [link] = links;
  const run = settings[0]!.get(RoundKind.DIALING)!;
  const round = { kind: run.kind, start: run.first + 3 * run.period };
  const { onion } = await wrapOnion(
    concat(new Uint8Array(4), token),
    run.mixes.map((_, place) => keyOf(run, place, 3)),
    round,
  );
  const wait = round.start + 20 - SYSTEM_TIMERS.now();
  await new Promise((resolve) => setTimeout(resolve, wait));
  await link!.send(
    new CommandWriter().set(ROUND_KIND, round.kind)
      .set(ROUND_START, BigInt(round.start)).set(ONIONS, onion)
      .verb(SUBMIT_ONIONS).done(),
  );
  assertEquals((await hear(link!, ROUND_DONE)).get(REPLIES), undefined);
  await link!.send(
    new CommandWriter().set(BUCKET, 0)
      .set(ROUND_START, BigInt(round.start - 1)).verb(FETCH_FILTER).done(),
  );
  const filter = (await hear(link!, FETCHED_FILTER)).need(FILTER);
  assert(TokenFilter.parse(filter).has(token));
  assert(!TokenFilter.parse(filter).has(randomBytes(32)));
  assertEquals(all.failures, []);
  for (const each of links) await each.close();
});

Deno.test("S3.5: whoever is one too many for a real server hears CLOSE", async () => {
  await using all = await world(1);
  const first = await all.join();
  await hear(first, JOINED);
  const second = await all.join();
  assertEquals(await second.next(), null);
  await second.close();
  await first.close();
});

Deno.test("S3.5: a connection with garbage after JOIN is cut by a real server", async () => {
  await using all = await world(5);
  const link = await all.join();
  await hear(link, JOINED);
  await link.send(
    new CommandWriter().set(ROUND_KIND, 1).verb(SUBMIT_ONIONS).done(),
  );
  await assertRejects(async () => {
    for (;;) if (await link.next() === null) return;
  }, ChannelError);
});
