import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  ChannelError,
  randomBytes,
  refuse,
} from "../../../lib/protocol/mod.ts";
import { CircuitError } from "../../../lib/onion/client/circuit_error.ts";
import { ClientCircuit } from "../../../lib/onion/client/client_circuit.ts";
import { ExtendError } from "../../../lib/onion/relay/relay_circuit.ts";
import { BODY_BYTES, SMALL } from "../../../lib/onion/cell/cell.ts";
import { memoryInUse } from "../../hostile/memory.ts";
import { memoryConnection } from "../../support/memory_stream.ts";
import { hurried } from "../hurry.ts";
import { CLIENT, RelayNetwork } from "../relay_network.ts";
import { drain, Sniper } from "../sniper.ts";
import { pause, readExactly, until, within } from "../streams.ts";

Deno.test("circuits of many clients share one link from relay to relay", async () => {
  await using network = await RelayNetwork.start(2);
  const links = await Promise.all([0, 0, 0].map((to) => network.link(to)));
  await Promise.all(
    links.flatMap((link) => [
      ClientCircuit.build(link, network.path(0, 1)),
      ClientCircuit.build(link, network.path(0, 1)),
    ]),
  );
  assertEquals(network.circuits, [6, 6]);
  assertEquals(network.wires.filter(({ from }) => from === 0).length, 1);
});

Deno.test("a link that ended is made anew for the next circuit", async () => {
  await using network = await RelayNetwork.start(2);
  const link = await network.link();
  for (let i = 1; i <= 3; i++) {
    const gone = Promise.withResolvers<CircuitError>();
    await ClientCircuit.build(link, network.path(0, 1), gone.resolve);
    network.wire(0, 1).cut();
    assertEquals((await gone.promise).reason, "link-gone");
    assertEquals(network.wires.filter(({ from }) => from === 0).length, i);
  }
});

Deno.test("a relay that refuses a link, breaks off, or holds another key: the client is told, no connection stays", async () => {
  await using network = await RelayNetwork.start(2);
  const link = await network.link();
  const answers = [
    async (stream: Parameters<typeof refuse>[0]) => {
      await stream.read(new Uint8Array(8_192));
      await refuse(stream, "busy", 30);
    },
    async (stream: Parameters<typeof refuse>[0]) => {
      await stream.read(new Uint8Array(8_192));
      stream.close();
    },
    async (stream: Parameters<typeof refuse>[0]) => {
      await stream.read(new Uint8Array(8_192));
      await stream.write(randomBytes(2_000));
      stream.close();
    },
  ];
  for (const answer of answers) {
    const { left, right } = memoryConnection();
    network.strange = () => Promise.resolve(left);
    const answering = answer(right);
    const error = await within(
      20_000,
      "the refusal",
      assertRejects(
        () => ClientCircuit.build(link, network.path(0, 1)),
        CircuitError,
      ),
    );
    assertEquals([error.reason, error.hop], ["connect-failed", 2]);
    assert(left.closed, "the connection is left open");
    await answering;
    if (!right.closed) right.close();
  }
  network.strange = undefined;
  await ClientCircuit.build(link, network.path(0, 1));
});

Deno.test("a relay that does not answer at all is given up, and asked again for the next circuit", async () => {
  await hurried(10, async () => {
    await using network = await RelayNetwork.start(2);
    const link = await network.link();
    const { left, right } = memoryConnection();
    network.strange = () => Promise.resolve(left);
    const error = await within(
      200_000,
      "the end of waiting",
      assertRejects(
        () => ClientCircuit.build(link, network.path(0, 1)),
        CircuitError,
      ),
    );
    assertEquals(error.reason, "connect-failed");
    assert(left.closed);
    right.close();
    network.strange = undefined;
    await ClientCircuit.build(link, network.path(0, 1));
  });
});

Deno.test("relays that nobody knows leave nothing behind, however many are asked for", async () => {
  await using network = await RelayNetwork.start(1);
  const { relay } = network.nodes[0]!;
  const ask = async (count: number) => {
    for (let i = 0; i < count; i++) {
      const error = await relay.linkTo(randomBytes(32)).then(
        () => undefined,
        (reason) => reason,
      );
      assert(error instanceof ExtendError);
      assertEquals(error.reason, "unknown-relay");
    }
  };
  await ask(2_000);
  const before = memoryInUse();
  await ask(20_000);
  const more = memoryInUse().live - before.live;
  assert(more < 2_000_000, `${more} bytes more are live`);
});

Deno.test("a relay does not extend a circuit to itself", async () => {
  await using network = await RelayNetwork.start(2);
  const link = await network.link();
  const error = await assertRejects(
    () => ClientCircuit.build(link, network.path(0, 0)),
    CircuitError,
  );
  assertEquals([error.reason, error.hop], ["unknown-relay", 2]);
  assertEquals(network.wires.length, 1);
});

Deno.test("a link over which nothing comes any more is ended, in either direction, and its circuits are told", async () => {
  for (const silent of ["leftward", "rightward"] as const) {
    await hurried(30, async () => {
      await using network = await RelayNetwork.start(2);
      const gone = Promise.withResolvers<CircuitError>();
      await network.circuit(2, gone.resolve);
      network.wire(0, 1)[silent].edit = () => [];
      const error = await within(500_000, "the end", gone.promise);
      assertEquals(error.reason, "link-gone");
      await until(
        () => network.circuits.every((each) => each === 0),
        "all end",
        500_000,
      );
    });
  }
});

Deno.test("an idle link is padded, and stays", async () => {
  await hurried(30, async () => {
    await using network = await RelayNetwork.start(2);
    const circuit = await network.circuit(2);
    const passages = [network.wire(CLIENT, 0), network.wire(0, 1)]
      .flatMap(({ rightward, leftward }) => [rightward, leftward]);
    const before = passages.map(({ bytes }) => bytes);
    // Two and a half minutes; padding comes after 1.5 to 9.5 s.
    await pause(150_000);
    for (const [i, { bytes }] of passages.entries()) {
      const cells = (bytes - before[i]!) / BODY_BYTES[SMALL];
      assert(cells >= 10 && cells < 101, `${cells} cells of padding`);
    }
    const stream = await circuit.streams.open({ host: "source", port: 1 });
    await readExactly(stream, 100);
  });
});

Deno.test("a relay closes although somebody at a link reads nothing, and while it connects", async () => {
  await using network = await RelayNetwork.start(3);
  using sniper = await Sniper.at(network);
  const circuit = await ClientCircuit.build(sniper.link, network.path(0, 1));
  drain(await circuit.streams.open({ host: "source", port: 1 }));
  sniper.stall();
  const { relay } = network.nodes[0]!;
  await until(() => relay.status.queued > 200_000, "cells wait");
  const { left, right } = memoryConnection();
  let isAsked = false;
  network.strange = () => {
    isAsked = true;
    return Promise.resolve(left);
  };
  const other = await network.link();
  const building = assertRejects(
    () => ClientCircuit.build(other, network.path(0, 2)),
    CircuitError,
  );
  await until(() => isAsked, "the relay connects");
  await within(20_000, "the close", relay.close());
  await building;
  assert(left.closed);
  right.close();
  await assertRejects(() =>
    network.channel(0).then((channel) => {
      channel.abort();
      throw new ChannelError("ERR_CHANNEL_CUT", "it still takes links");
    })
  );
});

Deno.test("a circuit over a link that has ended is told so, and does not wait", async () => {
  await using network = await RelayNetwork.start(1);
  const link = await network.link();
  network.wire(CLIENT, 0).cut();
  await until(() => link.ended, "the link ends");
  const error = await within(
    20_000,
    "the end of a build",
    assertRejects(
      () => ClientCircuit.build(link, network.path(0)),
      CircuitError,
    ),
  );
  assertEquals(error.reason, "link-gone");
});
