import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  ControllerState,
  ControllerStateError,
  DirectoryError,
} from "../../lib/directory/mod.ts";
import { TcpNetwork, until } from "./tcp_network.ts";

Deno.test("S4.1: three controllers agree over sockets, and any of them tells a client the same", async () => {
  await using network = await TcpNetwork.of({ controllers: 3, interval: 2 });
  await network.startRelay();
  await network.startRelay();
  for (const i of [0, 1, 2]) {
    await network.head((h) => h.relays.length === 2, i, 15_000);
  }
  const directory = await network.openDirectory();
  const consensus = await directory.consensus();
  assertEquals(consensus.relays.length, 2);
  assert(consensus.signers.length >= 2);
  const chains = network.controllers.map((each) =>
    each!.controller.headers(consensus.height, 1)
  );
  assertEquals(chains[1], chains[0]);
  assertEquals(chains[2], chains[0]);
});

Deno.test("S4.1: one of three controllers goes and comes back: the chain goes on, and it goes on with it", async () => {
  await using network = await TcpNetwork.of({ controllers: 3, interval: 1 });
  await network.startRelay();
  const before = await network.head((h) => h.relays.length === 1, 2, 15_000);
  await network.stopController(2);
  const later = await network.head(
    (h) => h.height > before.height + 2,
    0,
    15_000,
  );
  const running = await network.startController(2);
  await network.head((h) => h.height > later.height, 2, 15_000);
  // It has the headers of what it has missed.
  const missed = running.controller.headers(before.height + 1, 2);
  assertEquals(
    missed,
    network.controllers[0]!.controller.headers(before.height + 1, 2),
  );
  assert(missed !== undefined);
});

Deno.test("S4.1: two of three controllers are away: no new consensus, and clients go on with the last", async () => {
  await using network = await TcpNetwork.of({ controllers: 3, interval: 1 });
  await network.startRelay();
  await network.head((h) => h.relays.length === 1, 0, 15_000);
  await network.stopController(1);
  await network.stopController(2);
  const { head } = network.controllers[0]!.controller;
  await new Promise((resolve) => setTimeout(resolve, 2_500));
  assertEquals(network.controllers[0]!.controller.head!.hash, head!.hash);
  const directory = await network.openDirectory();
  assertEquals((await directory.consensus()).hash, head!.hash);
});

Deno.test("a controller's state is for one process, and is what it was after a restart", async () => {
  await using network = await TcpNetwork.of();
  await network.startRelay();
  await network.head((h) => h.relays.length === 1);
  await assertRejects(
    () => ControllerState.open(network.folder(0), network.network),
    ControllerStateError,
    "another process uses it",
  );
  const { head } = network.controllers[0]!.controller;
  await network.stopController(0);
  const state = await ControllerState.open(network.folder(0), network.network);
  assertEquals(state.head!.bytes, head!.bytes);
  assertEquals(state.headers(1, head!.height)?.length, head!.height * 97);
  state.close();
});

Deno.test("a controller that has lost its chain, but not what it has signed, does not begin another", async () => {
  await using network = await TcpNetwork.of();
  await network.startRelay();
  const first = await network.head((h) => h.relays.length === 1);
  await network.stopController(0);
  await Deno.remove(`${network.folder(0)}/head`);
  // It has the body that it signed last, and no other is possible.
  await network.startController(0);
  assertEquals((await network.head(() => true)).hash, first.hash);
  await network.startRelay();
  await network.head((h) => h.height === 2);
  await network.stopController(0);
  await Deno.remove(`${network.folder(0)}/head`);
  await assertRejects(
    () => network.startController(0),
    ControllerStateError,
    "the last consensus is missing",
  );
});

Deno.test("damaged state is refused, not overwritten", async () => {
  await using network = await TcpNetwork.of();
  await network.startRelay();
  await network.head((h) => h.relays.length === 1);
  await network.stopController(0);
  for (const name of ["standing", "head"]) {
    const path = `${network.folder(0)}/${name}`;
    const bytes = await Deno.readFile(path);
    bytes[bytes.length - 1]! ^= 1;
    await Deno.writeFile(path, bytes.subarray(0, bytes.length - 5));
    await assertRejects(
      () => ControllerState.open(network.folder(0), network.network),
      ControllerStateError,
    );
    assertEquals((await Deno.readFile(path)).length, bytes.length - 5);
  }
});

Deno.test("a header log that was cut off, or goes on too far, is mended by the next consensus", async () => {
  await using network = await TcpNetwork.of();
  for (let i = 1; i <= 3; i++) {
    await network.startRelay();
    await network.head((h) => h.relays.length === i);
  }
  const { height } = network.controllers[0]!.controller.head!;
  await network.stopController(0);
  const path = `${network.folder(0)}/headers`;
  const whole = await Deno.readFile(path);
  for (
    const broken of [
      whole.subarray(0, whole.length - 50),
      new Uint8Array([...whole, ...whole.subarray(0, 97), 1, 2, 3]),
      new Uint8Array([...whole.slice(0, 97).fill(7), ...whole.subarray(97)]),
      new Uint8Array(0),
    ]
  ) {
    await Deno.writeFile(path, broken);
    const state = await ControllerState.open(
      network.folder(0),
      network.network,
    );
    assertEquals(state.headers(height, 1)?.length, 97);
    state.close();
  }
  await Deno.writeFile(path, whole.subarray(0, whole.length - 50));
  await network.startController(0);
  await network.startRelay();
  const next = await network.head((h) => h.height > height);
  await network.stopController(0);
  assertEquals((await Deno.readFile(path)).length, next.height * 97);
});

Deno.test("a controller without a consensus yet says so", async () => {
  await using network = await TcpNetwork.of();
  const directory = await network.openDirectory();
  const failures: unknown[] = [];
  const other = await network.openDirectory({}, failures);
  await assertRejects(() => directory.consensus(), DirectoryError);
  await other.consensus().catch(() => {});
  await until(() => failures.length > 0);
  assert(
    failures[0] instanceof DirectoryError &&
      failures[0].reason === "no-consensus",
  );
});
