import { assert, assertEquals, assertRejects } from "@std/assert";
import type { Incoming } from "../../../lib/net/mod.ts";
import type { ServiceClient } from "../../../lib/onion/service/service_client.ts";
import type { OnionStream } from "../../../lib/onion/stream/opener.ts";
import { StreamError } from "../../../lib/onion/stream/stream_error.ts";
import { randomBytes, utf8, writeAll } from "../../../lib/protocol/mod.ts";
import { readAll, readExactly, until, within } from "../streams.ts";
import { ServiceNetwork } from "./service_network.ts";

const NOTHING = new Uint8Array(0);

/** Says something, and is told it again. */
async function talk(stream: OnionStream, text = "anybody there?") {
  await writeAll(stream, utf8(text));
  assertEquals(await readExactly(stream, text.length), utf8(text));
}

/** Opens a stream, and talks. */
async function reach(
  client: ServiceClient,
  fingerprint: Uint8Array<ArrayBuffer>,
  isolation = "",
): Promise<OnionStream> {
  const stream = await within(
    20_000,
    "the service is reached",
    client.open(fingerprint, isolation),
  );
  await talk(stream);
  return stream;
}

Deno.test("S4: a service without an address is reached by its fingerprint", async () => {
  await using network = await ServiceNetwork.start(7);
  const service = await network.service();
  const client = network.client();
  const stream = await reach(client, service.fingerprint);
  await stream.closeWrite();
  assertEquals(await readAll(stream), NOTHING);
  stream.close();
  assertEquals(network.failures, []);
});

Deno.test("S4: streams that belong together share a circuit to the service, others do not", async () => {
  await using network = await ServiceNetwork.start(7);
  const service = await network.service();
  const client = network.client();
  const { fingerprint } = service;
  const together = await Promise.all(
    [1, 2, 3].map(() => reach(client, fingerprint, "one")),
  );
  assertEquals([client.size, service.meetings], [1, 1]);
  const other = await reach(client, fingerprint, "two");
  assertEquals([client.size, service.meetings], [2, 2]);
  for (const stream of together) stream.close();
  await talk(other, "still there?");
});

Deno.test("S4: what passes between a client and a service arrives whole, in both directions", async () => {
  await using network = await ServiceNetwork.start(7, { tcp: true });
  const service = await network.service();
  const stream = await network.client().open(service.fingerprint, "");
  const sent = randomBytes(65_536);
  const rounds = 48;
  const writing = (async () => {
    for (let i = 0; i < rounds; i++) await writeAll(stream, sent);
    await stream.closeWrite();
  })();
  for (let i = 0; i < rounds; i++) {
    const back = await readExactly(stream, sent.length);
    assert(back.every((byte, at) => byte === sent[at]), `round ${i}`);
  }
  assertEquals(await readAll(stream), NOTHING);
  await writing;
});

Deno.test("S4: a circuit that nobody reads from any more takes no new streams", async () => {
  await using network = await ServiceNetwork.start(7);
  const service = await network.service({
    // What is asked for comes until the other side hangs up.
    accept: async (incoming: Incoming) => {
      if (await incoming.read(new Uint8Array(1)) === null) return;
      for (;;) await writeAll(incoming, new Uint8Array(65_536));
    },
  });
  const client = network.client();
  const films: OnionStream[] = [];
  while (client.size < 2) {
    assert(films.length < 40);
    const film = await client.open(service.fingerprint, "");
    films.push(film);
    await writeAll(film, utf8("!"));
    // As much as goes into the window of one stream.
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  assertEquals(service.meetings, 2);
  for (const film of films) film.close();
});

Deno.test("S4: a service speaks for as long as it has something to say, and then the stream ends", async () => {
  await using network = await ServiceNetwork.start(7);
  const said = randomBytes(200_000);
  const service = await network.service({
    accept: (incoming: Incoming) => writeAll(incoming, said),
  });
  const stream = await network.client().open(service.fingerprint, "");
  assertEquals(await readAll(stream), said);
});

Deno.test("S4: what comes to a service looks like a connection, of one group whoever it is", async () => {
  await using network = await ServiceNetwork.start(7);
  const seen: string[] = [];
  const service = await network.service({
    accept: async (incoming) => {
      seen.push(`${incoming.group} "${incoming.hostname}"`);
      incoming.deadline(60_000);
      incoming.deadline(30);
      await assertRejects(
        () => incoming.read(new Uint8Array(1)),
        StreamError,
        "closed",
      );
      incoming.deadline(30);
      incoming.close();
    },
  });
  const stream = await network.client().open(service.fingerprint, "");
  assertEquals(await readAll(stream), NOTHING);
  assertEquals(seen, ['onion ""']);
  assertEquals(network.failures, []);
});

Deno.test("S4: a handler that fails ends its own stream, and is told of", async () => {
  await using network = await ServiceNetwork.start(7);
  const service = await network.service({
    accept: () => Promise.reject(new Error("no")),
  });
  const client = network.client();
  for (let i = 0; i < 2; i++) {
    const stream = await client.open(service.fingerprint, "");
    assertEquals(await readAll(stream), NOTHING);
  }
  assertEquals(network.failures.map(String), ["Error: no", "Error: no"]);
  assertEquals(service.meetings, 1);
});

Deno.test("S4: a service of which nobody knows is not found, and that is said soon", async () => {
  await using network = await ServiceNetwork.start(7);
  const error = await assertRejects(
    () => network.client().open(randomBytes(32), ""),
    StreamError,
    "no relay knows of it",
  );
  assertEquals(error.reason, "resolve-failed");
});

Deno.test("S4: a network of three relays is enough for a service", async () => {
  await using network = await ServiceNetwork.start(3);
  const service = await network.service();
  await reach(network.client(), service.fingerprint);
});

Deno.test("S4: clients with longer circuits are met over as many relays, up to the most there can be", async () => {
  await using network = await ServiceNetwork.start(9);
  const service = await network.service();
  for (const hops of [4, 7, 8]) {
    await reach(
      network.client(network.surroundings(hops)),
      service.fingerprint,
    );
  }
  assertEquals(network.failures, []);
});

Deno.test("S4: another introduction point takes the place of one that dies", async () => {
  await using network = await ServiceNetwork.start(8);
  const points = new Set<number>();
  const service = await network.service();
  const client = network.client();
  // Before, so that the client knows only the points that there were.
  (await reach(client, service.fingerprint, "before")).close();
  for (const index of network.pointsOf(service)) points.add(index);
  const [dying] = points;
  network.list(...[...network.relays.nodes.keys()].filter((i) => i !== dying));
  await network.kill(dying!);
  await until(() => service.state.points < 3, "it is noticed");
  await network.standing(service);
  const after = network.pointsOf(service);
  assert(!after.includes(dying!));
  assertEquals(after.length, 3);
  for (let i = 0; i < 4; i++) {
    await reach(client, service.fingerprint, `after ${i}`);
  }
  await reach(network.client(), service.fingerprint);
});

Deno.test("S4: a client that knows only introduction points that are gone asks again", async () => {
  await using network = await ServiceNetwork.start(8);
  const service = await network.service();
  const client = network.client();
  await reach(client, service.fingerprint, "before");
  // A second's difference tells the descriptors apart.
  network.time += 2_000;
  await service.close();
  const again = await network.service({}, network.keyringOf(service));
  assertEquals(again.fingerprint, service.fingerprint);
  await reach(client, service.fingerprint, "after");
});

Deno.test("S4: when the relay dies at which they have met, streams end at once and the next ones meet elsewhere", async () => {
  await using network = await ServiceNetwork.start(8);
  const service = await network.service();
  const surroundings = network.surroundings();
  const built: number[] = [];
  const client = network.client({
    ...surroundings,
    circuits: {
      async circuitTo(last, ...rest) {
        const circuit = await surroundings.circuits.circuitTo(last, ...rest);
        if (last === undefined) {
          built.push(network.indexOf(circuit.last.fingerprint));
        }
        return circuit;
      },
    },
  });
  const stream = await reach(client, service.fingerprint);
  const meeting = built.at(-1)!;
  network.list(
    ...[...network.relays.nodes.keys()].filter((i) => i !== meeting),
  );
  await network.kill(meeting);
  const error = await within(
    2_000,
    "the stream ends",
    assertRejects(() => readAll(stream), StreamError),
  );
  assertEquals(error.reason, "circuit-gone");
  await until(() => service.meetings === 0, "the service knows");
  await reach(client, service.fingerprint);
});

Deno.test("S4: when a client goes, the service forgets it", async () => {
  await using network = await ServiceNetwork.start(7);
  const service = await network.service();
  const client = network.client();
  await reach(client, service.fingerprint);
  assertEquals(service.meetings, 1);
  await client.close();
  await until(() => service.meetings === 0, "the service forgets it");
  await assertRejects(() => client.open(service.fingerprint, ""));
});

Deno.test("S4: a service that stops takes nobody on and lets those finish who are there", async () => {
  await using network = await ServiceNetwork.start(7);
  const service = await network.service();
  const client = network.client();
  const stream = await reach(client, service.fingerprint);
  service.stop();
  await talk(stream, "still there?");
  const late = network.client();
  const error = await assertRejects(
    () => late.open(service.fingerprint, ""),
    StreamError,
  );
  assertEquals(error.reason, "unreachable");
  await service.close();
  await assertRejects(() => readAll(stream), StreamError);
});

Deno.test("S4: a client that gives up is told so at once, and holds up nobody", async () => {
  await using network = await ServiceNetwork.start(7);
  const service = await network.service();
  const client = network.client();
  const aborting = new AbortController();
  const opening = client.open(service.fingerprint, "", aborting.signal);
  aborting.abort(new Error("enough"));
  await assertRejects(() => opening, Error, "enough");
  await assertRejects(
    () => client.open(service.fingerprint, "", AbortSignal.abort()),
  );
  await reach(client, service.fingerprint);
});

Deno.test("S4: a service that starts before there is a network goes on trying", async () => {
  await using network = await ServiceNetwork.start(6);
  network.list();
  const service = network.starting(await network.keyring());
  await new Promise((resolve) => setTimeout(resolve, 300));
  assertEquals(service.state, { points: 0, stores: 0 });
  network.list(0, 1, 2, 3, 4, 5);
  await network.standing(service, 20_000);
  await reach(network.client(), service.fingerprint);
});
