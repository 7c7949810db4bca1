import { assert, assertEquals, assertRejects } from "@std/assert";
import { RELAY } from "../../../lib/onion/cell/message.ts";
import type { ClientCircuit } from "../../../lib/onion/client/client_circuit.ts";
import { offerMeeting } from "../../../lib/onion/service/introduction_handshake.ts";
import { IntroductionPoint } from "../../../lib/onion/service/introduction_point.ts";
import type { OnionService } from "../../../lib/onion/service/onion_service.ts";
import { sealDescriptor } from "../../../lib/onion/service/sealed_descriptor.ts";
import { signServiceDescriptor } from "../../../lib/onion/service/service_descriptor.ts";
import type { PointFields } from "../../../lib/onion/service/service_descriptor.ts";
import {
  BLOB_BYTES,
  BLOBS_LIMIT,
  encodeIntroduce,
  encodePublish,
  parseIntroduced,
} from "../../../lib/onion/service/service_message.ts";
import { indexOf, periodAt } from "../../../lib/onion/service/service_ring.ts";
import { StreamError } from "../../../lib/onion/stream/stream_error.ts";
import type { Bytes } from "../../../lib/protocol/mod.ts";
import { randomBytes, utf8, writeAll } from "../../../lib/protocol/mod.ts";
import { freshNodeKeyring } from "../../support/keyrings.ts";
import { pause, readExactly, until } from "../streams.ts";
import { ServiceNetwork } from "./service_network.ts";

/** The relays are few enough that all of them are asked: lies of one are mended by another. */
const ALL = 7;

async function reach(
  network: ServiceNetwork,
  fingerprint: Bytes,
  patience = 20_000,
): Promise<void> {
  const client = network.client({ ...network.surroundings(), patience });
  const stream = await client.open(fingerprint, "");
  await writeAll(stream, utf8("hello"));
  assertEquals(await readExactly(stream, 5), utf8("hello"));
}

/** Where the descriptor of a service lies now. */
async function indexFor(
  network: ServiceNetwork,
  { fingerprint }: OnionService,
): Promise<Bytes> {
  const now = Math.floor(network.time / 1_000);
  return await indexOf(fingerprint, periodAt(fingerprint, now));
}

/** Puts these under an index at every relay. */
async function publish(
  network: ServiceNetwork,
  index: Bytes,
  ...blobs: readonly Bytes[]
): Promise<void> {
  const { circuits } = network.surroundings();
  for (const { descriptor } of network.relays.nodes) {
    const { fingerprint } = descriptor.identity;
    const circuit = await circuits.circuitTo(fingerprint, () => {});
    for (const blob of blobs) {
      const request = encodePublish({ index, blob });
      await circuit.ask(RELAY.PUBLISH, request, RELAY.PUBLISHED);
    }
    circuit.destroy("requested");
  }
}

/** A client's circuit to an introduction point, and the request that is to be sent on it. */
async function introductionTo(
  network: ServiceNetwork,
  service: OnionService,
  point: PointFields,
): Promise<{
  joined: Promise<Bytes>;
  guiding: ClientCircuit;
  request: Bytes;
}> {
  const { circuits } = network.surroundings();
  const waiting = await circuits.circuitTo(undefined, () => {});
  const cookie = randomBytes(32);
  await waiting.ask(
    RELAY.ESTABLISH_RENDEZVOUS,
    cookie,
    RELAY.RENDEZVOUS_ESTABLISHED,
  );
  const meeting = {
    relay: waiting.last.fingerprint,
    cookie,
    hops: waiting.length,
  };
  const offer = await offerMeeting(meeting, point, service.fingerprint);
  const request = encodeIntroduce({
    authKey: point.authKey,
    message: offer.message,
  });
  const guiding = await circuits.circuitTo(point.relay, () => {});
  const joined = waiting.expect(RELAY.RENDEZVOUS_JOINED);
  joined.catch(() => {/* the network is gone */});
  return { joined, guiding, request };
}

async function introduce(
  circuit: ClientCircuit,
  request: Bytes,
): Promise<string> {
  return parseIntroduced(
    await circuit.ask(RELAY.INTRODUCE, request, RELAY.INTRODUCED),
  );
}

Deno.test("S4: descriptors that somebody has forged do not lead clients astray", async () => {
  await using network = await ServiceNetwork.start(ALL);
  const service = await network.service();
  const index = await indexFor(network, service);
  const now = Math.floor(network.time / 1_000);
  const fields = {
    points: [{
      relay: randomBytes(32),
      authKey: randomBytes(32),
      sealKey: randomBytes(32),
    }],
    publishedAt: now,
    lifetime: 3_600,
  };
  const mine = network.keyringOf(service);
  const foreign = await signServiceDescriptor(
    fields,
    await freshNodeKeyring(),
  );
  const expired = await signServiceDescriptor(
    { ...fields, publishedAt: now - 3_601 },
    mine,
  );
  const { fingerprint } = service;
  await publish(
    network,
    index,
    randomBytes(BLOB_BYTES),
    await sealDescriptor(foreign, fingerprint, index),
    await sealDescriptor(expired, fingerprint, index),
  );
  await reach(network, fingerprint);
  // Known limit: whoever knows the address can push the descriptor out until it is published again.
  const junk = Array.from({ length: BLOBS_LIMIT }, () => randomBytes(1_280));
  await publish(network, index, ...junk);
  await assertRejects(
    () => reach(network, fingerprint),
    StreamError,
    "no relay knows of it",
  );
});

Deno.test("S4: an old descriptor is not believed, whatever its relay says", async () => {
  await using network = await ServiceNetwork.start(ALL);
  const service = await network.service();
  await reach(network, service.fingerprint);
  await service.close();
  network.time += 10_801_000;
  await assertRejects(
    () => reach(network, service.fingerprint),
    StreamError,
    "no relay knows of it",
  );
});

Deno.test("S4: relays that hand out junk, or nothing, are outvoted by one that does not", async () => {
  await using network = await ServiceNetwork.start(ALL);
  const service = await network.service();
  const asked = new Set<number>();
  for (let i = 0; i < ALL; i++) {
    network.lie(i, ({ command }, circuit) => {
      if (command !== RELAY.FETCH) return false;
      asked.add(i);
      // Whoever is asked last among four tells the truth.
      if (asked.size >= 4) return false;
      const lies = [randomBytes(BLOB_BYTES), new Uint8Array(0), randomBytes(9)];
      circuit.sendMessage(RELAY.FETCHED, 0, lies[asked.size - 1]!);
      return true;
    });
  }
  await reach(network, service.fingerprint);
  assertEquals(asked.size, 4);
});

Deno.test("S4: an introduction point that lies is one of three", async () => {
  for (const status of [0, 1, 2, 77]) {
    await using network = await ServiceNetwork.start(ALL);
    const service = await network.service();
    const [liar] = network.pointsOf(service);
    let lies = 0;
    network.lie(liar!, ({ command }, circuit) => {
      if (command !== RELAY.INTRODUCE) return false;
      lies++;
      circuit.sendMessage(RELAY.INTRODUCED, 0, Uint8Array.of(status));
      return true;
    });
    // Clients choose at random: it is asked sooner or later.
    for (let i = 0; i < 40 && lies === 0; i++) {
      await reach(network, service.fingerprint, 300);
    }
    assert(lies > 0);
  }
});

Deno.test("S4: an introduction point cannot send clients to a service of its own", async () => {
  await using network = await ServiceNetwork.start(4);
  const service = await network.service();
  // So few relays that both services have some of their points at the same.
  const own: string[] = [];
  let lies = 0;
  const impostor = await network.service({
    accept: (incoming) => Promise.resolve(void own.push(incoming.group)),
  });
  for (let i = 0; i < 4; i++) {
    const theirs = impostor.points.find(({ relay }) =>
      network.indexOf(relay) === i
    );
    if (theirs === undefined) continue;
    network.lie(i, (message) => {
      if (message.command !== RELAY.INTRODUCE) return false;
      lies++;
      message.data.set(theirs.authKey);
      return false;
    });
  }
  for (let i = 0; i < 10 && lies === 0; i++) {
    await reach(network, service.fingerprint, 300).catch((error) => {
      // All three points may be at relays that lie.
      assert(error instanceof StreamError);
    });
  }
  assert(lies > 0);
  assertEquals([own, impostor.meetings], [[], 0]);
});

Deno.test("S4: a relay at which they meet that answers itself is found out", async () => {
  await using network = await ServiceNetwork.start(ALL);
  const service = await network.service();
  let lies = 0;
  for (let i = 0; i < ALL; i++) {
    network.lie(i, ({ command, data }) => {
      if (command === RELAY.RENDEZVOUS && lies < 2) {
        lies++;
        data[40]! ^= 1;
      }
      return false;
    });
  }
  await reach(network, service.fingerprint);
  assertEquals(lies, 2);
});

Deno.test("S4: a replayed introduction brings the service nowhere a second time", async () => {
  await using network = await ServiceNetwork.start(ALL);
  const service = await network.service();
  const point = service.points[0]!;
  const { joined, guiding, request } = await introductionTo(
    network,
    service,
    point,
  );
  assertEquals(await introduce(guiding, request), "passed-on");
  await joined;
  await until(() => service.meetings === 1, "they have met");
  for (let i = 0; i < 3; i++) {
    assertEquals(await introduce(guiding, request), "passed-on");
  }
  // By way of another point it is not even read.
  const { circuits } = network.surroundings();
  const other = service.points[1]!;
  const elsewhere = await circuits.circuitTo(other.relay, () => {});
  const moved = request.slice();
  moved.set(other.authKey);
  assertEquals(await introduce(elsewhere, moved), "passed-on");
  await pause(200);
  assertEquals(service.meetings, 1);
  assertEquals(network.failures, []);
});

Deno.test("S4: a service goes nowhere for introductions that were altered", async () => {
  await using network = await ServiceNetwork.start(ALL);
  const service = await network.service();
  const point = service.points[0]!;
  const { guiding, request } = await introductionTo(network, service, point);
  for (let at = 34; at < request.length; at += 97) {
    const altered = request.slice();
    altered[at]! ^= 1;
    assertEquals(await introduce(guiding, altered), "passed-on");
  }
  await pause(100);
  assertEquals(service.meetings, 0);
  assertEquals(service.state.points, 3);
  // The one that was not altered still counts.
  assertEquals(await introduce(guiding, request), "passed-on");
  await until(() => service.meetings === 1, "they meet");
});

Deno.test("S4: a service takes clients on at its own pace", async () => {
  await using network = await ServiceNetwork.start(ALL);
  const service = await network.service({
    rate: { perSecond: 0.001, burst: 2 },
  });
  for (let i = 0; i < 4; i++) {
    const point = service.points[i % 3]!;
    const { guiding, request } = await introductionTo(network, service, point);
    assertEquals(await introduce(guiding, request), "passed-on");
  }
  await until(() => service.meetings === 2, "two are taken on");
  await pause(200);
  assertEquals(service.meetings, 2);
});

Deno.test("S4: a service that is sent to a relay that nobody knows goes on as before", async () => {
  await using network = await ServiceNetwork.start(ALL);
  const service = await network.service();
  const point = service.points[0]!;
  const meeting = { relay: randomBytes(32), cookie: randomBytes(32), hops: 3 };
  const { message } = await offerMeeting(meeting, point, service.fingerprint);
  const { circuits } = network.surroundings();
  const guiding = await circuits.circuitTo(point.relay, () => {});
  const request = encodeIntroduce({ authKey: point.authKey, message });
  assertEquals(await introduce(guiding, request), "passed-on");
  await until(() => network.failures.length > 0, "it is told of");
  assert(network.failures[0] instanceof StreamError);
  assertEquals(network.failures[0].reason, "no-circuit");
  assertEquals(service.meetings, 0);
  await reach(network, service.fingerprint);
});

Deno.test("S4: a point that has taken as many clients as it can remember is replaced", async () => {
  await using network = await ServiceNetwork.start(ALL);
  const { circuits } = network.surroundings();
  const fingerprint = randomBytes(32);
  const events: string[] = [];
  const point = await IntroductionPoint.establish(
    circuits,
    network.relays.nodes[0]!.descriptor.identity.fingerprint,
    {
      fingerprint,
      admit: () => true,
      introduced: ({ hops }) => void events.push(`introduced ${hops}`),
      ended: () => void events.push("ended"),
    },
    new AbortController().signal,
    2,
  );
  const client = network.surroundings().circuits;
  const guiding = await client.circuitTo(point.fields.relay, () => {});
  const request = async (hops: number) => {
    const meeting = { relay: randomBytes(32), cookie: randomBytes(32), hops };
    const { message } = await offerMeeting(meeting, point.fields, fingerprint);
    return encodeIntroduce({ authKey: point.fields.authKey, message });
  };
  const first = await request(1);
  for (const each of [first, first, await request(2)]) {
    assertEquals(await introduce(guiding, each), "passed-on");
  }
  await until(() => point.ended, "it is closed");
  assertEquals(events, ["introduced 1", "introduced 2", "ended"]);
  await until(() => network.relays.circuits[0]! < 2, "the relay knows");
  assertEquals(await introduce(guiding, await request(3)), "unknown");
});

Deno.test("S4: clients who send what nobody reads do not fill the service's memory", async () => {
  await using network = await ServiceNetwork.start(ALL);
  const { promise: unread, resolve: end } = Promise.withResolvers<void>();
  const service = await network.service({
    memory: 300_000,
    accept: () => unread,
  });
  const endings: string[] = [];
  const flood = async (name: string, size: number) => {
    const stream = await network.client().open(service.fingerprint, "");
    try {
      await writeAll(stream, new Uint8Array(size));
      await stream.read(new Uint8Array(1));
    } catch (error) {
      assert(error instanceof StreamError);
      endings.push(`${name} ${error.reason}`);
    }
  };
  try {
    const little = flood("little", 10_000);
    await until(() => service.meetings === 1, "one is there");
    await pause(100);
    assertEquals(endings, []);
    const much = flood("much", 1_000_000);
    // Those whose data wait longest go first, but that is not enough.
    await until(() => endings.length === 2, "both are gone");
    await Promise.all([little, much]);
  } finally {
    end();
  }
  assertEquals(endings.sort(), ["little circuit-gone", "much circuit-gone"]);
});
