import { assert, assertEquals } from "@std/assert";
import { RELAY } from "../../../lib/onion/cell/message.ts";
import { DescriptorPublisher } from "../../../lib/onion/service/descriptor_publisher.ts";
import { openDescriptor } from "../../../lib/onion/service/sealed_descriptor.ts";
import { parseServiceDescriptor } from "../../../lib/onion/service/service_descriptor.ts";
import type { PointFields } from "../../../lib/onion/service/service_descriptor.ts";
import { parsePublish } from "../../../lib/onion/service/service_message.ts";
import {
  indexOf,
  periodAt,
  storesOf,
} from "../../../lib/onion/service/service_ring.ts";
import { randomBytes } from "../../../lib/protocol/mod.ts";
import { testNodeKeyring } from "../../support/keyrings.ts";
import { idsOf, relay } from "../path/relays.ts";
import { until } from "../streams.ts";
import { FakeNetwork, settle } from "./fake_circuits.ts";

const HOUR = 3_600_000;
const keyring = await testNodeKeyring();
const { fingerprint } = keyring.certificate;

function pointsOf(count: number): PointFields[] {
  return Array.from({ length: count }, () => ({
    relay: randomBytes(32),
    authKey: randomBytes(32),
    sealKey: randomBytes(32),
  }));
}

/** A network that writes down what is published where. */
class Press {
  readonly network = new FakeNetwork(40);
  readonly published: { relay: number; index: string; blob: Uint8Array }[] = [];
  readonly errors: unknown[] = [];
  readonly publisher: DescriptorPublisher;
  readonly #signal = new AbortController().signal;

  constructor() {
    // A moment after a period has begun, wherever the fingerprint puts that.
    const offset = new DataView(fingerprint.buffer).getUint32(0) % 86_400;
    this.network.clock = (20_000 * 86_400 - offset + 1) * 1_000;
    this.network.answer = (relay, command, data) => {
      assertEquals(command, RELAY.PUBLISH);
      const { index, blob } = parsePublish(data);
      this.published.push({ relay, index: index.toHex(), blob });
      return Promise.resolve(new Uint8Array(0));
    };
    this.publisher = new DescriptorPublisher(
      this.network.surroundings,
      keyring,
      (error) => {
        if (error !== undefined) this.errors.push(error);
      },
    );
  }

  async publish(points: readonly PointFields[]): Promise<number> {
    this.published.length = 0;
    await this.publisher.publish(points, this.#signal);
    await this.publisher.close();
    return this.published.length;
  }

  get now(): number {
    return Math.floor(this.network.clock / 1_000);
  }
}

Deno.test("publisher: the descriptor goes to the four relays of this period and of the next", async () => {
  const press = new Press();
  const points = pointsOf(3);
  assertEquals(await press.publish(points), 8);
  assertEquals(press.publisher.stores, 4);
  const current = periodAt(fingerprint, press.now);
  for (const period of [current, current + 1]) {
    const index = await indexOf(fingerprint, period);
    const stores = await storesOf(press.network.relays, index, period);
    const there = press.published.filter((each) =>
      each.index === index.toHex()
    );
    assertEquals(
      there.map((each) => each.relay).sort(),
      idsOf(stores).sort(),
    );
    for (const { blob } of there) {
      const opened = await openDescriptor(
        new Uint8Array(blob),
        fingerprint,
        index,
      );
      const read = await parseServiceDescriptor(opened, fingerprint, press.now);
      assertEquals(read.points, points);
      assertEquals([read.publishedAt, read.lifetime], [press.now, 10_800]);
    }
  }
  assertEquals(press.network.standing, []);
});

Deno.test("publisher: nothing is published again before there is something new, or an hour has passed", async () => {
  const press = new Press();
  const points = pointsOf(3);
  await press.publish(points);
  assertEquals(await press.publish(points), 0);
  press.network.clock += HOUR - 1;
  assertEquals(await press.publish(points), 0);
  press.network.clock += 1;
  assertEquals(await press.publish(points), 8);
  assertEquals(await press.publish(pointsOf(2)), 8);
  assertEquals(press.publisher.stores, 4);
});

Deno.test("publisher: in the next period it is there already", async () => {
  const press = new Press();
  const points = pointsOf(1);
  await press.publish(points);
  const before = periodAt(fingerprint, press.now);
  while (periodAt(fingerprint, press.now) === before) {
    press.network.clock += HOUR - 1;
    await press.publish(points);
  }
  assertEquals(press.publisher.stores, 4);
  const next = await indexOf(fingerprint, before + 2);
  const there = press.published.filter(({ index }) => index === next.toHex());
  assertEquals(there.length, 4);
});

Deno.test("publisher: a relay that does not answer holds up no other, and is asked again after a minute", async () => {
  const press = new Press();
  const points = pointsOf(3);
  const period = periodAt(fingerprint, press.now);
  const index = await indexOf(fingerprint, period);
  const [dead] = idsOf(
    await storesOf(press.network.relays, index, period),
  );
  press.network.unreachable.add(dead!);
  await press.publish(points);
  assertEquals(press.publisher.stores, 3);
  assert(press.errors.length >= 1);
  press.network.unreachable.clear();
  press.network.clock += 59_999;
  assertEquals(await press.publish(points), 0);
  press.network.clock += 1;
  assert(await press.publish(points) >= 1);
  assertEquals(press.publisher.stores, 4);
});

Deno.test("publisher: where the consensus is another, what is missing is published", async () => {
  const press = new Press();
  const points = pointsOf(3);
  await press.publish(points);
  const before = new Set(press.published.map(({ relay }) => relay));
  // Every relay that kept it is gone.
  press.network.relays = press.network.relays.filter((each) =>
    !before.has(idsOf([each])[0]!)
  );
  assertEquals(await press.publish(points), 8);
  assert(press.published.every(({ relay }) => !before.has(relay)));
  // One comes back; others move at most by one.
  const [back] = before;
  press.network.relays = [...press.network.relays, relay({ id: back! })];
  assert(await press.publish(points) <= 2);
  assertEquals(press.publisher.stores, 4);
});

Deno.test("publisher: while new points are under way, the old ones still count as published", async () => {
  const press = new Press();
  await press.publish(pointsOf(3));
  const { promise, resolve } = Promise.withResolvers<Uint8Array<ArrayBuffer>>();
  press.network.answer = () => promise;
  const { signal } = new AbortController();
  await press.publisher.publish(pointsOf(3), signal);
  await until(() => press.network.standing.length === 8, "all are under way");
  assertEquals(press.publisher.stores, 4);
  // One thing at a time.
  await press.publisher.publish(pointsOf(3), signal);
  await settle();
  assertEquals(press.network.standing.length, 8);
  resolve(new Uint8Array(0));
  await press.publisher.close();
  assertEquals(press.publisher.stores, 4);
});

Deno.test("publisher: what is given up ends", async () => {
  const press = new Press();
  press.network.answer = () => new Promise(() => {});
  const aborting = new AbortController();
  await press.publisher.publish(pointsOf(1), aborting.signal);
  await settle();
  aborting.abort();
  await press.publisher.close();
  assertEquals(press.network.standing, []);
  assertEquals(press.publisher.stores, 0);
});
