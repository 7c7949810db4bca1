import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { RELAY } from "../../../lib/onion/cell/message.ts";
import { CircuitError } from "../../../lib/onion/client/circuit_error.ts";
import type { ClientCircuit } from "../../../lib/onion/client/client_circuit.ts";
import { DescriptorStore } from "../../../lib/onion/relay/descriptor_store.ts";
import { Introductions } from "../../../lib/onion/relay/introductions.ts";
import type { RelayCircuit } from "../../../lib/onion/relay/relay_circuit.ts";
import { RelayServices } from "../../../lib/onion/relay/relay_services.ts";
import type { Meetings } from "../../../lib/onion/relay/relay_services.ts";
import { RendezvousPoints } from "../../../lib/onion/relay/rendezvous.ts";
import {
  encodeEstablishIntro,
  encodeFetch,
  encodeIntroduce,
  encodeRendezvous,
  parseIntroduced,
  parseJoined,
} from "../../../lib/onion/service/service_message.ts";
import type { Bytes, SigningKeyPair } from "../../../lib/protocol/mod.ts";
import {
  generateSigning,
  MalformedError,
  randomBytes,
} from "../../../lib/protocol/mod.ts";
import { RelayNetwork } from "../relay_network.ts";
import { circuitOver, goneFor } from "./circuits.ts";
import { pause, until } from "../streams.ts";

const NOTHING = new Uint8Array(0);

/** Makes the last relay an introduction point; what comes is appended to `introductions`. */
async function establish(
  circuit: ClientCircuit,
  pair: SigningKeyPair,
  introductions: Bytes[],
): Promise<void> {
  circuit.listen(({ command, data }) => {
    if (command !== RELAY.INTRODUCE) return false;
    introductions.push(data);
    return true;
  });
  const request = await encodeEstablishIntro(pair, circuit.binding);
  await circuit.ask(RELAY.ESTABLISH_INTRO, request, RELAY.INTRO_ESTABLISHED);
}

async function introduce(
  circuit: ClientCircuit,
  request: Bytes,
): Promise<string> {
  return parseIntroduced(
    await circuit.ask(RELAY.INTRODUCE, request, RELAY.INTRODUCED),
  );
}

/** Two circuits that wait for each other at relay 2: the client's and the service's. */
async function pairAt2(
  network: RelayNetwork,
): Promise<{ client: ClientCircuit; service: ClientCircuit; cookie: Bytes }> {
  const client = await circuitOver(network, 0, 1, 2);
  const service = await circuitOver(network, 3, 1, 2);
  const cookie = randomBytes(32);
  await client.ask(
    RELAY.ESTABLISH_RENDEZVOUS,
    cookie,
    RELAY.RENDEZVOUS_ESTABLISHED,
  );
  return { client, service, cookie };
}

Deno.test("S4: a relay passes a client on to the service that has its key, and tells the client", async () => {
  await using network = await RelayNetwork.start(4);
  const pair = await generateSigning();
  const introductions: Bytes[] = [];
  const service = await circuitOver(network, 0, 1, 2);
  await establish(service, pair, introductions);
  const client = await circuitOver(network, 3, 1, 2);
  const request = encodeIntroduce({
    authKey: pair.publicKey,
    message: randomBytes(1_313),
  });
  assertEquals(await introduce(client, request), "passed-on");
  await until(() => introductions.length > 0, "it is passed on");
  assertEquals(introductions, [request]);

  const unknown = encodeIntroduce({
    authKey: randomBytes(32),
    message: NOTHING,
  });
  assertEquals(await introduce(client, unknown), "unknown");
  service.destroy("requested");
  await until(() => network.circuits[2] === 1, "the relay knows");
  assertEquals(await introduce(client, request), "unknown");
  assertEquals(introductions.length, 1);
});

Deno.test("S4: what made one circuit an introduction point makes no other one", async () => {
  await using network = await RelayNetwork.start(4);
  const pair = await generateSigning();
  const first = await circuitOver(network, 0, 1, 2);
  const request = await encodeEstablishIntro(pair, first.binding);
  const other = await circuitOver(network, 3, 1, 2);
  await assertRejects(
    () => other.ask(RELAY.ESTABLISH_INTRO, request, RELAY.INTRO_ESTABLISHED),
    CircuitError,
    "protocol",
  );
  await first.ask(RELAY.ESTABLISH_INTRO, request, RELAY.INTRO_ESTABLISHED);
});

Deno.test("a service that comes back with its key takes over from its older circuit", async () => {
  await using network = await RelayNetwork.start(4);
  const pair = await generateSigning();
  const [before, after]: [Bytes[], Bytes[]] = [[], []];
  const old = await circuitOver(network, 0, 1, 2);
  await establish(old, pair, before);
  await establish(await circuitOver(network, 3, 1, 2), pair, after);
  await goneFor(old, "requested");
  const request = encodeIntroduce({
    authKey: pair.publicKey,
    message: NOTHING,
  });
  const client = await circuitOver(network, 0, 1, 2);
  assertEquals(await introduce(client, request), "passed-on");
  await until(() => after.length > 0, "it is passed on");
  assertEquals(before, []);
});

Deno.test("S4: a service is not sent more clients than it can be expected to take", async () => {
  await using network = await RelayNetwork.start(3);
  const pair = await generateSigning();
  const introductions: Bytes[] = [];
  await establish(
    await circuitOver(network, 0, 1, 2),
    pair,
    introductions,
  );
  const request = encodeIntroduce({
    authKey: pair.publicKey,
    message: NOTHING,
  });
  const statuses = new Map<string, number>();
  for (let circuits = 0; circuits < 20; circuits++) {
    const client = await circuitOver(network, 0, 1, 2);
    for (let i = 0; i < 16; i++) {
      const status = await introduce(client, request);
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    }
    client.destroy("requested");
  }
  assertEquals([...statuses.keys()].sort(), ["busy", "passed-on"]);
  assert(statuses.get("passed-on")! >= 200);
  await until(
    () => introductions.length === statuses.get("passed-on"),
    "all of them are passed on",
  );
});

Deno.test("S4: two circuits that know one cookie meet, and the client is told what the service says", async () => {
  await using network = await RelayNetwork.start(4);
  const { client, service, cookie } = await pairAt2(network);
  const answer = randomBytes(1_152);
  const joined = client.expect(RELAY.RENDEZVOUS_JOINED);
  service.send(RELAY.RENDEZVOUS, encodeRendezvous(cookie, answer));
  assertEquals(parseJoined(await joined), answer);
});

Deno.test("S4: either end of joined circuits takes the other with it", async () => {
  for (const first of ["client", "service"] as const) {
    await using network = await RelayNetwork.start(4);
    const both = await pairAt2(network);
    const joined = both.client.expect(RELAY.RENDEZVOUS_JOINED);
    both.service.send(RELAY.RENDEZVOUS, encodeRendezvous(both.cookie, NOTHING));
    await joined;
    both[first].destroy("requested");
    await goneFor(
      both[first === "client" ? "service" : "client"],
      "requested",
    );
    await until(
      () => network.circuits.every((count) => count === 0),
      "no relay keeps anything",
    );
  }
});

Deno.test("S4: who does not know the cookie meets nobody, and the client goes on waiting", async () => {
  await using network = await RelayNetwork.start(4);
  const { client, service, cookie } = await pairAt2(network);
  service.send(RELAY.RENDEZVOUS, encodeRendezvous(randomBytes(32), NOTHING));
  await goneFor(service, "link-gone");
  const joined = client.expect(RELAY.RENDEZVOUS_JOINED);
  const second = await circuitOver(network, 3, 1, 2);
  second.send(RELAY.RENDEZVOUS, encodeRendezvous(cookie, NOTHING));
  await joined;
});

Deno.test("S4: a cookie is good for one meeting", async () => {
  await using network = await RelayNetwork.start(4);
  const { client, service, cookie } = await pairAt2(network);
  const joined = client.expect(RELAY.RENDEZVOUS_JOINED);
  service.send(RELAY.RENDEZVOUS, encodeRendezvous(cookie, NOTHING));
  await joined;
  const second = await circuitOver(network, 3, 1, 2);
  second.send(RELAY.RENDEZVOUS, encodeRendezvous(cookie, NOTHING));
  await goneFor(second, "link-gone");
  assertEquals(client.failure, undefined);
  assertEquals(service.failure, undefined);
});

Deno.test("S4: nobody can wait under a cookie that somebody waits under", async () => {
  await using network = await RelayNetwork.start(4);
  const { client, cookie } = await pairAt2(network);
  const other = await circuitOver(network, 3, 1, 2);
  await assertRejects(
    () =>
      other.ask(
        RELAY.ESTABLISH_RENDEZVOUS,
        cookie,
        RELAY.RENDEZVOUS_ESTABLISHED,
      ),
    CircuitError,
    "protocol",
  );
  assertEquals(client.failure, undefined);
  // Once the client has gone, the cookie is free again.
  client.destroy("requested");
  await until(() => network.circuits[0] === 0, "the client is gone");
  await until(() => network.circuits[2] === 1, "the relay knows");
  await (await circuitOver(network, 3, 1, 2)).ask(
    RELAY.ESTABLISH_RENDEZVOUS,
    cookie,
    RELAY.RENDEZVOUS_ESTABLISHED,
  );
});

Deno.test("S4: circuits of different lengths are not joined", async () => {
  await using network = await RelayNetwork.start(5);
  const { client, cookie } = await pairAt2(network);
  const longer = await circuitOver(network, 4, 3, 1, 2);
  longer.send(RELAY.RENDEZVOUS, encodeRendezvous(cookie, NOTHING));
  await goneFor(longer, "protocol");
  assertEquals(client.failure, undefined);
});

Deno.test("S4: whoever waits, or was joined, asks for nothing else on that circuit", async () => {
  await using network = await RelayNetwork.start(4);
  const [target] = network.path(3);
  const attempts: readonly (readonly [number, Bytes])[] = [
    [RELAY.ESTABLISH_RENDEZVOUS, randomBytes(32)],
    [RELAY.RENDEZVOUS, encodeRendezvous(randomBytes(32), NOTHING)],
    [RELAY.FETCH, encodeFetch({ index: randomBytes(32), place: 0 })],
    [RELAY.BEGIN, Uint8Array.of(0, 80, 1, 97)],
    [RELAY.RESOLVE, Uint8Array.of(1, 97)],
  ];
  for (const [command, data] of attempts) {
    const { client } = await pairAt2(network);
    client.send(command, data);
    await goneFor(client, "protocol");
  }
  const { client, service, cookie } = await pairAt2(network);
  const joined = client.expect(RELAY.RENDEZVOUS_JOINED);
  service.send(RELAY.RENDEZVOUS, encodeRendezvous(cookie, NOTHING));
  await joined;
  service.send(RELAY.EXTEND, target!.fingerprint);
  await goneFor(service, "protocol");
  await goneFor(client, "protocol");
});

Deno.test("padding passes on every circuit, and does nothing", async () => {
  await using network = await RelayNetwork.start(4);
  const { client } = await pairAt2(network);
  client.send(RELAY.DROP, NOTHING);
  await pause(20);
  assertEquals(client.failure, undefined);
});

Deno.test("S4: a circuit that is gone before its signature was verified is no introduction point", async () => {
  const introductions = new Introductions(() => 0);
  const pair = await generateSigning();
  const binding = randomBytes(32);
  const request = await encodeEstablishIntro(pair, binding);
  const sent: number[] = [];
  const circuitWith = (isEnd: boolean) =>
    ({
      binding,
      isEnd,
      sendMessage: (command: number) => void sent.push(command),
    }) as unknown as RelayCircuit;
  await introductions.establish(circuitWith(false), request);
  assertEquals([introductions.size, sent], [0, []]);
  await introductions.establish(circuitWith(true), request);
  assertEquals([introductions.size, sent], [1, [RELAY.INTRO_ESTABLISHED]]);
});

Deno.test("S4: a circuit that goes on to another relay is not taken by this one", () => {
  const circuit = { isEnd: false } as RelayCircuit;
  const now = () => 0;
  const meetings = {
    introductions: new Introductions(now),
    rendezvous: new RendezvousPoints(),
    descriptors: new DescriptorStore(now),
  };
  const streams = { handle: () => {}, lost: () => {} };
  for (
    const command of [
      RELAY.ESTABLISH_INTRO,
      RELAY.ESTABLISH_RENDEZVOUS,
      RELAY.RENDEZVOUS,
    ]
  ) {
    const services = new RelayServices(circuit, meetings, streams);
    const data = randomBytes(96);
    assertThrows(
      () => services.handle({ command, stream: 0, data }, 1, NOTHING),
      MalformedError,
      "it does not end here",
    );
  }
});

Deno.test("S4: what is asked on a stream is not answered", () => {
  const services = new RelayServices(
    { isEnd: true } as RelayCircuit,
    {} as Meetings,
    { handle: () => {}, lost: () => {} },
  );
  for (
    const command of [
      RELAY.ESTABLISH_INTRO,
      RELAY.ESTABLISH_RENDEZVOUS,
      RELAY.RENDEZVOUS,
      RELAY.INTRODUCE,
      RELAY.PUBLISH,
      RELAY.FETCH,
    ]
  ) {
    assertThrows(
      () => services.handle({ command, stream: 1, data: NOTHING }, 1, NOTHING),
      MalformedError,
      "not on this circuit",
    );
  }
});

Deno.test("S4: what does not parse destroys the circuit that it came on, and no other", async () => {
  await using network = await RelayNetwork.start(3);
  const good = await circuitOver(network, 0, 1, 2);
  for (
    const command of [
      RELAY.ESTABLISH_INTRO,
      RELAY.ESTABLISH_RENDEZVOUS,
      RELAY.RENDEZVOUS,
      RELAY.INTRODUCE,
      RELAY.PUBLISH,
      RELAY.FETCH,
    ]
  ) {
    for (const data of [NOTHING, randomBytes(31), randomBytes(1_400)]) {
      const circuit = await circuitOver(network, 0, 1, 2);
      circuit.send(command, data);
      await goneFor(circuit, "protocol");
    }
  }
  // Answers that nobody has asked a relay for.
  for (
    const command of [
      RELAY.INTRODUCED,
      RELAY.INTRO_ESTABLISHED,
      RELAY.RENDEZVOUS_ESTABLISHED,
      RELAY.RENDEZVOUS_JOINED,
      RELAY.PUBLISHED,
      RELAY.FETCHED,
    ]
  ) {
    const circuit = await circuitOver(network, 0, 1, 2);
    circuit.send(command, NOTHING);
    await goneFor(circuit, "protocol");
  }
  assertEquals(good.failure, undefined);
});
