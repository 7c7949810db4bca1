import { assert, assertEquals } from "@std/assert";
import { compareBytes } from "../../lib/directory/byte_order.ts";
import {
  FLAG_GUARD,
  Registration,
  signDescriptor,
} from "../../lib/directory/mod.ts";
import { fields } from "./relays.ts";
import { dialTcp, TcpNetwork, until } from "./tcp_network.ts";
import type { RunningRelay } from "./tcp_network.ts";

/** The last word that a controller declined a relay with. */
function declined(relay: RunningRelay): string | undefined {
  const error = relay.states.at(-1)?.error;
  return error instanceof Error && "reason" in error
    ? String(error.reason)
    : undefined;
}

Deno.test("S4.1, S4.2: relays learn their address, register, and stand in the consensus with id, address and keys", async () => {
  await using network = await TcpNetwork.of();
  const started = performance.now();
  const relays = [];
  for (let i = 0; i < 3; i++) relays.push(await network.startRelay());
  const head = await network.head((h) => h.relays.length === 3);
  assert(performance.now() - started < 3_000, "a network of three is up soon");
  const expected = relays.toSorted((a, b) =>
    compareBytes(
      a.keyring.certificate.fingerprint,
      b.keyring.certificate.fingerprint,
    )
  );
  for (const [i, { descriptor, flags }] of head.relays.entries()) {
    const { keyring, port } = expected[i]!;
    assertEquals(descriptor.identity, keyring.certificate);
    // The relay was never told this address but by the controller.
    assertEquals(descriptor.address, { host: "127.0.0.1", port });
    assertEquals(flags & FLAG_GUARD, FLAG_GUARD);
  }
  const directory = await network.openDirectory();
  const seen = await directory.consensus();
  assertEquals(seen.hash, head.hash);
  const { fingerprint } = relays[0]!.keyring.certificate;
  assertEquals(
    directory.find(fingerprint)?.descriptor.identity.fingerprint,
    fingerprint,
  );
  assertEquals(directory.find(new Uint8Array(32)), undefined);
});

Deno.test("S4.2: a relay that names an address where nobody answers is refused", async () => {
  await using network = await TcpNetwork.of();
  const relay = await network.listenAsRelay();
  const closed = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = closed.addr as Deno.NetAddr;
  closed.close();
  network.register(relay, { address: { host: "127.0.0.1", port } });
  await until(() => declined(relay) === "unreachable");
  assertEquals(network.controllers[0]!.controller.registry.size, 0);
});

Deno.test("S4.2: a relay that names the address of another is refused: another key answers there", async () => {
  await using network = await TcpNetwork.of();
  const honest = await network.startRelay();
  const liar = await network.listenAsRelay();
  network.register(liar, { address: { host: "127.0.0.1", port: honest.port } });
  await until(() => declined(liar));
  assertEquals(declined(liar), "wrong-key");
  const head = await network.head((h) => h.relays.length > 0);
  assertEquals(head.relays.length, 1);
});

Deno.test("S4.2: addresses that are not public are refused unless they are allowed", async () => {
  await using network = await TcpNetwork.of({
    limits: { allowPrivate: false },
  });
  const relay = await network.startRelay();
  await until(() => declined(relay));
  assertEquals(declined(relay), "private-address");
});

Deno.test("S4.2: a relay hands in another's descriptor in vain", async () => {
  await using network = await TcpNetwork.of();
  const relay = await network.listenAsRelay();
  const other = await network.listenAsRelay();
  relay.registration = new Registration({
    network: network.network,
    keyring: relay.keyring,
    dial: dialTcp,
    describe: () =>
      signDescriptor(
        fields({ address: { host: "127.0.0.1", port: other.port } }),
        other.keyring,
      ),
    changed: (state) => relay.states.push(state),
  });
  await until(() => declined(relay) === "not-yours");
});

Deno.test("S4.2: a relay that says goodbye is gone from the next consensus", async () => {
  await using network = await TcpNetwork.of();
  const relay = await network.startRelay();
  await network.startRelay();
  await network.head((h) => h.relays.length === 2);
  await relay.registration!.close();
  await network.head((h) => h.relays.length === 1);
  const why = network.controllers[0]!.events.filter((e) =>
    e.kind === "dropped"
  );
  assertEquals(why.map((e) => e.kind === "dropped" && e.why), ["goodbye"]);
});

Deno.test("S4.2: a relay that dies is dropped, by its silence or because it is not there any more", async () => {
  await using network = await TcpNetwork.of({
    limits: { probeEvery: 1_000, aliveEvery: 600_000 },
  });
  const relay = await network.startRelay();
  await network.startRelay();
  await network.head((h) => h.relays.length === 2);
  // As a killed process: its port is closed; its connection to the controller is left as it is.
  await relay.listener.close();
  await network.head((h) => h.relays.length === 1);
});

Deno.test("S4.2: a relay that is silent for too long is forgotten, one that gives signs of life is not", async () => {
  await using network = await TcpNetwork.of({
    limits: { aliveEvery: 100 },
    rules: { forgetAfter: 1_500 },
  });
  const relay = await network.startRelay();
  await network.head((h) => h.relays.length === 1);
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  assertEquals(network.controllers[0]!.controller.registry.size, 1);
  assertEquals(relay.registration!.listed, 1);
});

Deno.test("a relay hands in a new descriptor when it renews, and the newest counts", async () => {
  await using network = await TcpNetwork.of();
  const relay = await network.listenAsRelay();
  let published = Math.floor(Date.now() / 1_000) - 100;
  network.register(relay, {
    get publishedAt() {
      return published++;
    },
  });
  const first = await network.head((h) => h.relays.length === 1);
  relay.registration!.renew();
  const [before] = first.relays;
  await network.head((h) =>
    h.relays[0]!.descriptor.publishedAt > before!.descriptor.publishedAt
  );
  published -= 50;
  relay.registration!.renew();
  await until(() => declined(relay) === "stale");
});

Deno.test("a controller that was started anew lists the relays again", async () => {
  await using network = await TcpNetwork.of({ limits: { aliveEvery: 200 } });
  const relay = await network.startRelay();
  const before = await network.head((h) => h.relays.length === 1);
  await network.stopController(0);
  await until(() => relay.registration!.listed === 0);
  await network.startController(0);
  const { head, registry } = network.controllers[0]!.controller;
  assertEquals(head!.hash, before.hash);
  assertEquals(registry.size, 1);
  await until(() => relay.registration!.listed === 1, 15_000);
});

Deno.test("the number of relays at one address is limited", async () => {
  await using network = await TcpNetwork.of({
    rules: { anyOnLoopback: false, perAddress: 2 },
  });
  await network.startRelay();
  await network.startRelay();
  await network.head((h) => h.relays.length === 2);
  const third = await network.startRelay();
  await until(() => declined(third) === "too-many");
});
