import { assertEquals, assertRejects } from "@std/assert";
import { HOPS_LIMIT } from "../../lib/onion/cell/cell.ts";
import { RELAY } from "../../lib/onion/cell/message.ts";
import { HopHandshake } from "../../lib/onion/circuit/hop_handshake.ts";
import { CircuitError } from "../../lib/onion/client/circuit_error.ts";
import { ClientCircuit } from "../../lib/onion/client/client_circuit.ts";
import { StreamError } from "../../lib/onion/stream/stream_error.ts";
import { concat, generateDh, randomBytes } from "../../lib/protocol/mod.ts";
import { RelayNetwork } from "./relay_network.ts";
import { readAll, readExactly, until, within } from "./streams.ts";
import { sourceBytes } from "./world.ts";

for (const tcp of [false, true]) {
  const over = tcp ? "TCP" : "memory";
  Deno.test(`S4.5, S4.6: circuits of 1 to 8 hops carry streams both ways, over ${over}`, async () => {
    await using network = await RelayNetwork.start(HOPS_LIMIT, { tcp });
    const link = await network.link();
    for (let length = 1; length <= HOPS_LIMIT; length++) {
      const path = network.path(...Array(length).keys());
      const circuit = await ClientCircuit.build(link, path);
      assertEquals(circuit.length, length);
      for (const bytes of [1, 1_000, 16_384, 100_000]) {
        const stream = await circuit.streams.open({ host: "echo", port: 7 });
        const sent = randomBytes(Math.min(bytes, 65_536));
        const written = stream.write(sent).then(() => stream.closeWrite());
        assertEquals(await readAll(stream), sent);
        await written;
      }
      const { world } = network.nodes[length - 1]!;
      assertEquals(world.dialled, Array(4).fill("echo:7"));
      circuit.destroy("requested");
    }
    await until(() => network.circuits.every((each) => each === 0), "all end");
  });
}

Deno.test("S4.4: nobody but the relay that was meant answers a hop: another's onion key, another's fingerprint", async () => {
  await using network = await RelayNetwork.start(3);
  const link = await network.link();
  const strange = (await generateDh()).publicKey;
  const [first, second, third] = network.path(0, 1, 2);
  const unknown = randomBytes(32);
  const cases = [
    [[{ ...first!, onionKey: strange }], "wrong-onion-key", 1],
    [[{ ...first!, onionKey: second!.onionKey }], "wrong-onion-key", 1],
    [[{ ...first!, fingerprint: second!.fingerprint }], "protocol", 1],
    [[first!, { ...second!, onionKey: strange }], "wrong-onion-key", 2],
    [[first!, second!, { ...third!, onionKey: strange }], "wrong-onion-key", 3],
    [[first!, { ...second!, fingerprint: unknown }], "unknown-relay", 2],
    [
      [first!, second!, { ...third!, fingerprint: unknown }],
      "unknown-relay",
      3,
    ],
    [[first!, { ...second!, fingerprint: third!.fingerprint }], undefined, 2],
  ] as const;
  for (const [path, reason, hop] of cases) {
    const error = await within(
      20_000,
      "the refusal",
      assertRejects(() => ClientCircuit.build(link, path), CircuitError),
    );
    assertEquals(error.hop, hop);
    assertEquals(error.reason, reason ?? "wrong-onion-key");
    await until(() => network.circuits.every((each) => each === 0), "all end");
  }
  // The link is as good as before.
  await ClientCircuit.build(link, [first!, second!, third!]);
});

Deno.test("S4.4: an onion key that was rotated out still answers while it is kept, and no longer", async () => {
  await using network = await RelayNetwork.start(1);
  const link = await network.link();
  const { onionKeys } = network.nodes[0]!;
  const old = network.path(0);
  onionKeys.unshift(await generateDh());
  await ClientCircuit.build(link, old);
  await ClientCircuit.build(link, network.path(0));
  onionKeys.pop();
  const error = await assertRejects(
    () => ClientCircuit.build(link, old),
    CircuitError,
  );
  assertEquals(error.reason, "wrong-onion-key");
  await ClientCircuit.build(link, network.path(0));
});

Deno.test("a circuit of more than 8 hops: the client does not ask for one, and the eighth relay refuses", async () => {
  await using network = await RelayNetwork.start(HOPS_LIMIT);
  const path = network.path(...Array(HOPS_LIMIT).keys());
  const link = await network.link();
  await assertRejects(
    () => ClientCircuit.build(link, [...path, path[0]!]),
    RangeError,
  );
  await assertRejects(() => ClientCircuit.build(link, []), RangeError);
  const circuit = await ClientCircuit.build(link, path);
  // Asked by hand for a ninth hop that says that it is the eighth.
  const { request } = await HopHandshake.begin(path[0]!, HOPS_LIMIT);
  const error = await assertRejects(
    () =>
      circuit.ask(
        RELAY.EXTEND,
        concat(path[0]!.fingerprint, request),
        RELAY.EXTENDED,
      ),
    CircuitError,
  );
  assertEquals(error.reason, "protocol");
  assertEquals(network.endings[0], {
    relay: HOPS_LIMIT - 1,
    reason: "protocol",
  });
});

Deno.test("a circuit that is given up is not built, before it was begun and while a relay does not answer", async () => {
  await using network = await RelayNetwork.start(2);
  const link = await network.link();
  const before = await assertRejects(
    () =>
      ClientCircuit.build(
        link,
        network.path(0, 1),
        () => {},
        AbortSignal.abort(),
      ),
    CircuitError,
  );
  assertEquals(before.reason, "timeout");
  const dialled = Promise.withResolvers<void>();
  network.strange = () => {
    dialled.resolve();
    return new Promise(() => {});
  };
  const given = new AbortController();
  const building = assertRejects(
    () => ClientCircuit.build(link, network.path(0, 1), () => {}, given.signal),
    CircuitError,
  );
  await dialled.promise;
  given.abort();
  const error = await within(20_000, "the end", building);
  assertEquals([error.reason, error.hop], ["timeout", 2]);
  await until(() => network.circuits[0] === 0, "the relay is told");
});

Deno.test("a circuit cannot be extended twice from the same relay", async () => {
  await using network = await RelayNetwork.start(3);
  const circuit = await network.circuit(1);
  const target = network.path(1)[0]!;
  const { request } = await HopHandshake.begin(target, 2);
  const extend = concat(target.fingerprint, request);
  await circuit.ask(RELAY.EXTEND, extend, RELAY.EXTENDED);
  assertEquals(network.circuits, [1, 1, 0]);
  await assertRejects(
    () => circuit.ask(RELAY.EXTEND, extend, RELAY.EXTENDED),
    CircuitError,
  );
  await until(() => network.circuits.every((each) => each === 0), "all end");
});

Deno.test("a relay that dies takes its circuits with it: streams fail at once, and say so", async () => {
  for (const dying of [0, 1, 2]) {
    await using network = await RelayNetwork.start(3);
    const ended = Promise.withResolvers<CircuitError>();
    const circuit = await network.circuit(3, ended.resolve);
    const open = () => circuit.streams.open({ host: "source", port: 1 });
    const streams = [await open(), await open()];
    await readExactly(streams[0]!, 50_000);
    const silent = await circuit.streams.open({ host: "silent", port: 1 });
    const reading = assertRejects(() => silent.read(new Uint8Array(1)));
    network.wire(dying - 1, dying).cut();
    const error = await within(20_000, "the end of a read", reading);
    assertEquals((error as StreamError).reason, "circuit-gone");
    assertEquals((await ended.promise).reason, "link-gone");
    await assertRejects(() => silent.write(new Uint8Array(1)), StreamError);
    const late = await assertRejects(open, StreamError);
    assertEquals(late.reason, "circuit-gone");
    await until(() => network.circuits.every((each) => each === 0), "all end");
    // The connections to the world are closed, too.
    const { connections } = network.nodes[2]!.world;
    for (const connection of connections) {
      await within(20_000, "a hangup", readAll(connection).catch(() => {}));
    }
  }
});

Deno.test("why a circuit was destroyed reaches the client from every relay", async () => {
  for (const at of [0, 1, 2]) {
    await using network = await RelayNetwork.start(3);
    const ended = Promise.withResolvers<CircuitError>();
    await network.circuit(3, ended.resolve);
    const closing = network.nodes[at]!.relay.close();
    assertEquals((await ended.promise).reason, "hibernating");
    await closing;
  }
});

Deno.test("a relay that is being drained keeps its circuits and takes no new ones", async () => {
  await using network = await RelayNetwork.start(2);
  const circuit = await network.circuit(2);
  const link = await network.link();
  const given = new AbortController();
  const drained = network.nodes[1]!.relay.drain(given.signal);
  const error = await assertRejects(
    () => ClientCircuit.build(link, network.path(0, 1)),
    CircuitError,
  );
  assertEquals([error.reason, error.hop], ["hibernating", 2]);
  const stream = await circuit.streams.open({ host: "source", port: 1 });
  assertEquals(await readExactly(stream, 1_000), sourceBytes(0, 1_000));
  circuit.destroy("requested");
  await within(20_000, "the drain", drained);
});

Deno.test("names are resolved at the exit, and what cannot be opened says why", async () => {
  await using network = await RelayNetwork.start(3);
  const { streams } = await network.circuit(3);
  assertEquals(await streams.resolve("echo"), ["192.0.2.80", "2001:db8::80"]);
  const unresolved = await assertRejects(
    () => streams.resolve("nowhere"),
    StreamError,
  );
  assertEquals(unresolved.reason, "resolve-failed");
  const refused = await assertRejects(
    () => streams.open({ host: "nowhere", port: 9 }),
    StreamError,
  );
  assertEquals(refused.reason, "refused");
  assertEquals(streams.size, 0);
});

Deno.test("names that are none harm nobody, whoever says them: the client, or a name server", async () => {
  await using network = await RelayNetwork.start(2);
  const circuit = await network.circuit(2);
  const { streams } = circuit;
  const names = ["", "a b", "x".repeat(254), "x".repeat(255), "\n"];
  for (const name of names) {
    await assertRejects(() => streams.resolve(name), StreamError);
    await assertRejects(
      () => streams.open({ host: name, port: 1 }),
      StreamError,
    );
  }
  await assertRejects(
    () => streams.open({ host: "echo", port: 0 }),
    StreamError,
  );
  const { world } = network.nodes[1]!;
  for (const answers of [names, ["x".repeat(2_000)], []]) {
    world.resolve = () => Promise.resolve(answers);
    const error = await assertRejects(
      () => streams.resolve("echo"),
      StreamError,
    );
    assertEquals(error.reason, "resolve-failed");
  }
  world.resolve = () => Promise.resolve([...names, "good.example"]);
  assertEquals(await streams.resolve("echo"), ["good.example"]);
  assertEquals(circuit.failure, undefined);
  assertEquals(streams.size, 0);
});
