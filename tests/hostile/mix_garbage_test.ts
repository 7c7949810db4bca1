import { assert, assertEquals } from "@std/assert";
import { proofOf } from "../../lib/directory/channel_proof.ts";
import {
  COORDINATOR,
  JOIN,
  MIX,
  MIX_PROOF,
  MIXING_ROUNDS,
  ONIONS,
  ROUND_KIND,
  ROUND_START,
  ROUNDS,
  SUBMIT_ONIONS,
} from "../../lib/mix/commands.ts";
import {
  Caller,
  ChannelError,
  CommandWriter,
  concat,
  MalformedError,
  writeAll,
} from "../../lib/protocol/mod.ts";
import type {
  Bytes,
  ByteStream,
  CommandTable,
} from "../../lib/protocol/mod.ts";
import { freshNodeKeyring } from "../support/keyrings.ts";
import { mutated } from "./inputs.ts";
import { assertAllArrived } from "./mix_person.ts";
import { MixWorld } from "./mix_world.ts";
import { Random } from "./random.ts";

const INPUTS = Number(Deno.env.get("SOTTO_FUZZ_INPUTS") ?? 120);
/** Set it to the seed of a failure to see that again. */
const SEED = Number(
  Deno.env.get("SOTTO_FUZZ_SEED") ??
    crypto.getRandomValues(new Uint32Array(1))[0],
);
const PERIOD = 2_000;
/** Three onions for three mixes. */
const ONIONS_BYTES = 3 * (512 + 3 * 48);

/** Commands of a table, with values that are mostly possible, and now and then changed somewhere. */
function commands(random: Random, table: CommandTable, now: number): Bytes {
  const parts: Bytes[] = [];
  for (let i = random.below(4); i >= 0; i--) {
    for (const { id, shape, name } of table.parameters) {
      if (random.once(3)) continue;
      const { prefix, counted, fixed } = shape;
      let value = random.bytes(
        counted ? random.length(2_000) % 2 ** (8 * prefix) : prefix + fixed,
      );
      if (name === "ROUND-START") {
        const start = Math.ceil(now / PERIOD + random.below(4)) * PERIOD;
        new DataView(value.buffer).setBigUint64(0, BigInt(start));
      } else if (name === "ROUND-KIND") value[0] = 1 + random.below(2);
      else if (name === "RUN-MODE") value[0] = random.below(2);
      else if (name === "BATCH-LENGTH" || name === "TOTAL-LENGTH") {
        new DataView(value.buffer).setUint32(0, 656 * random.below(9));
      } else if (name === "ONIONS" && random.once(2)) {
        value = random.bytes(ONIONS_BYTES);
      }
      parts.push(number(id));
      if (counted) {
        const length = new Uint8Array(8);
        new DataView(length.buffer).setBigUint64(0, BigInt(value.length));
        parts.push(length.slice(8 - prefix));
      }
      parts.push(value);
    }
    parts.push(number(random.pick(table.verbs).id));
  }
  const all = concat(...parts);
  return random.once(3) ? mutated(random, all) : all;
}

function number(id: number): Bytes {
  return Uint8Array.of(id >> 8, id & 0xff);
}

/** What an attack needs. */
interface Attacked {
  readonly world: MixWorld;
  readonly random: Random;
}

/** One attacker, from the connection to the end. */
type Attack = (attacked: Attacked) => Promise<void>;

async function scribble(stream: ByteStream, bytes: Bytes): Promise<void> {
  await writeAll(stream, bytes).catch(() => {});
}

const ATTACKS: Readonly<Record<string, Attack>> = {
  async "bytes at the port of a mix"({ world, random }) {
    const stream = await random.pick(world.places).connect();
    await scribble(stream, random.bytes(1 + random.length(4_000)));
    stream.close();
  },
  async "commands at the port of a mix, by nobody"({ world, random }) {
    const place = random.pick(world.places);
    const caller = new Caller(await place.connect());
    const channel = await caller.connect(place.keyring.certificate.dhKey);
    await channel.send(commands(random, MIXING_ROUNDS, world.time.now()))
      .catch(() => {});
    await channel.close();
  },
  async "commands at the port of a mix, by a coordinator of another network"(
    { world, random },
  ) {
    const place = random.pick(world.places);
    const stranger = await freshNodeKeyring();
    const caller = new Caller(await place.connect());
    const channel = await caller.connect(place.keyring.certificate.dhKey);
    const proof = await proofOf(channel.hash, stranger);
    await channel.send(
      new CommandWriter().set(COORDINATOR, stranger.certificate.bytes)
        .set(MIX_PROOF, proof).verb(MIX).done(),
    );
    for (let i = random.below(6); i >= 0; i--) {
      const now = world.time.now();
      await channel.send(commands(random, MIXING_ROUNDS, now)).catch(() => {});
      if (random.once(3)) {
        const body = random.bytes(1 + random.length(4_000));
        await channel.sendBody(body).catch(() => {});
      }
      await world.time.advance(random.below(300));
    }
    if (random.once(2)) channel.abort();
    else await channel.close();
  },
  async "commands at the entry, before and after JOIN"({ world, random }) {
    const link = await world.connect();
    const joins = random.once(2);
    if (joins) await link.send(new CommandWriter().verb(JOIN).done());
    for (let i = random.below(6); i >= 0; i--) {
      await link.send(commands(random, ROUNDS, world.time.now()))
        .catch(() => {});
      await world.time.advance(random.below(300));
    }
    if (random.once(2)) link.abort();
    else await link.close();
  },
  async "a client that hands in nonsense of the right length, and vanishes"(
    { world, random },
  ) {
    const link = await world.connect();
    await link.send(new CommandWriter().verb(JOIN).done());
    const start = Math.ceil(world.time.now() / PERIOD) * PERIOD;
    await world.time.advance(start + random.below(1_000) - world.time.now());
    await link.send(
      new CommandWriter(ONIONS_BYTES + 64).set(ROUND_KIND, 1)
        .set(ROUND_START, BigInt(start))
        .set(ONIONS, random.bytes(ONIONS_BYTES)).verb(SUBMIT_ONIONS).done(),
    );
    await world.time.advance(random.below(2_000));
    link.abort();
  },
};

Deno.test("S2.2, S3.5: whatever strangers say at the entry and at mixes, before and after they may, no round of others is lost", async () => {
  const random = new Random(SEED);
  await using world = await MixWorld.raise({ seed: 1 });
  const [alice, bob] = await world.talking();
  // They join, and never read what they are told.
  const silent = await Promise.all(
    Array.from({ length: 10 }, () => world.connect()),
  );
  for (const link of silent) {
    await link.send(new CommandWriter().verb(JOIN).done());
  }
  try {
    for (let i = 0; i < INPUTS; i++) {
      const [name, attack] = random.pick(Object.entries(ATTACKS));
      if (i % 10 === 0) {
        alice.say(bob, `while there are ${name}`);
        bob.say(alice, `${i}`);
      }
      await attack({ world, random });
      await world.time.advance(random.below(200));
    }
    await world.time.advance(60_000);
    assertAllArrived(alice, bob);
    for (const { client: { status } } of [alice, bob]) {
      const { exchange: { late, failed, unknown }, missing } = status;
      assertEquals([late, failed, unknown, missing], [0, 0, 0, 0]);
    }
    // Nobody else takes part, or is taken for a coordinator.
    for (const link of silent) link.abort();
    await world.time.advance(0);
    assertEquals(world.service.status.clients, 2);
    for (const { host, broken } of world.places) {
      assertEquals(host!.coordinators, 1);
      for (const error of broken) {
        assert(
          error instanceof ChannelError || error instanceof MalformedError,
          `${error}`,
        );
      }
    }
    assertEquals([world.failures, world.broken], [[], []]);
  } catch (cause) {
    throw new Error(`SOTTO_FUZZ_SEED=${SEED} fails`, { cause });
  }
});
