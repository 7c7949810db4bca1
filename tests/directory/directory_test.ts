import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  ConsensusError,
  DirectoryError,
  networkOf,
} from "../../lib/directory/mod.ts";
import type { Bytes } from "../../lib/protocol/mod.ts";
import { freshNodeKeyring } from "../support/keyrings.ts";
import { consensus, next, relays, times } from "./relays.ts";
import { TcpNetwork, until } from "./tcp_network.ts";

Deno.test("S4.1: a client goes on without any controller until its copy is too old, and says so then", async () => {
  let now = Date.now();
  await using network = await TcpNetwork.of({
    now: () => now,
    lifetime: 3_600,
  });
  await network.startRelay();
  const head = await network.head((h) => h.relays.length === 1);
  const cache: { bytes?: Bytes } = {};
  const before = await network.openDirectory(cache);
  assertEquals((await before.consensus()).hash, head.hash);
  await network.stopController(0);
  const directory = await network.openDirectory(cache);
  assertEquals(directory.current?.hash, head.hash);
  now = head.validUntil * 1_000 - 1;
  assertEquals((await directory.consensus()).hash, head.hash);
  now = head.validUntil * 1_000;
  const error = await assertRejects(
    () => directory.consensus(),
    DirectoryError,
    "the controller does not answer, and the copy here is too old",
  );
  assertEquals(error.code, "ERR_DIRECTORY_UNREACHABLE");
  assert(directory.find(head.relays[0]!.descriptor.identity.fingerprint));
});

Deno.test("a client whose clock is wrong is told so", async () => {
  let skew = 0;
  await using network = await TcpNetwork.of({ now: () => Date.now() + skew });
  await network.startRelay();
  await network.head(() => true);
  skew = -86_400_000;
  const slow = await network.openDirectory();
  await assertRejects(
    () => slow.consensus(),
    ConsensusError,
    "is your clock slow?",
  );
  skew = 86_400_000;
  const fast = await network.openDirectory();
  await assertRejects(
    () => fast.consensus(),
    ConsensusError,
    "is your clock fast?",
  );
  skew = 0;
});

Deno.test("what is known is not sent again, and what is newer comes with the way to it", async () => {
  await using network = await TcpNetwork.of();
  const directory = await network.openDirectory();
  for (let i = 1; i <= 3; i++) {
    await network.startRelay();
    await network.head((h) => h.relays.length === i);
    if (i === 1) await directory.consensus();
  }
  const seen: number[] = [];
  directory.onChange(({ height }) => seen.push(height));
  const newest = await directory.refresh();
  assertEquals(newest.relays.length, 3);
  assertEquals((await directory.refresh()).hash, newest.hash);
  assertEquals(seen, [newest.height]);
});

Deno.test("a directory refreshes itself before its copy is too old", async () => {
  await using network = await TcpNetwork.of({ interval: 1, lifetime: 5 });
  await network.startRelay();
  await network.head((h) => h.relays.length === 1);
  const directory = await network.openDirectory();
  const loop = directory.keepFresh();
  const { height } = await until(() => directory.current);
  await until(() => directory.current!.height > height + 1);
  directory.close();
  await loop;
});

Deno.test("S4.1: a controller that tells two clients two things is noticed by the chain", async () => {
  await using network = await TcpNetwork.of();
  await network.startRelay();
  const head = await network.head(() => true);
  const by = { keyrings: [network.keyring(0)], network: network.network };
  // The controller's own key has signed another consensus of the same height, and shown it to Alice.
  const lie = await consensus(by, await relays(1), {
    ...times(),
    height: head.height,
    previous: head.previous,
    validAfter: head.validAfter,
    freshUntil: head.freshUntil,
    validUntil: head.validUntil,
  });
  const failures: unknown[] = [];
  const alice = await network.openDirectory({ bytes: lie.bytes }, failures);
  assertEquals(failures, []);
  const error = await assertRejects(() => alice.refresh(), ConsensusError);
  assertEquals(error.code, "ERR_CONSENSUS_FORKED");
  // Nor later, when the lie has been built upon.
  await network.startRelay();
  await network.head((h) => h.height > head.height);
  const later = await assertRejects(() => alice.refresh(), ConsensusError);
  assertEquals(later.code, "ERR_CONSENSUS_FORKED");
  const longer = await next(by, lie);
  const bob = await network.openDirectory({ bytes: longer.bytes });
  const deep = await assertRejects(() => bob.refresh());
  assert(
    deep instanceof ConsensusError && deep.code === "ERR_CONSENSUS_FORKED",
    `${deep}`,
  );
});

Deno.test("a copy of another network, or none at all, is left alone", async () => {
  await using network = await TcpNetwork.of();
  await network.startRelay();
  await network.head(() => true);
  const stranger = {
    keyrings: [await freshNodeKeyring()],
    network: network.network,
  };
  for (
    const bytes of [
      (await consensus(stranger, [])).bytes,
      new Uint8Array(0),
      new Uint8Array(500).fill(1),
    ]
  ) {
    const failures: unknown[] = [];
    const directory = await network.openDirectory({ bytes }, failures);
    assertEquals(failures.length, 1);
    assertEquals(directory.current, undefined);
    assertEquals((await directory.consensus()).relays.length, 1);
  }
});

Deno.test("whoever answers must have the fingerprint in the address", async () => {
  await using network = await TcpNetwork.of();
  const [address] = network.addresses;
  const other = (await freshNodeKeyring()).certificate.fingerprint;
  const failures: unknown[] = [];
  const directory = await network.openDirectory(
    {},
    failures,
    networkOf([{ ...address!, fingerprint: other }]),
  );
  await assertRejects(() => directory.consensus(), DirectoryError);
  assert(
    failures[0] instanceof DirectoryError &&
      failures[0].code === "ERR_DIRECTORY_KEY",
  );
});

Deno.test("calls at the same time share one attempt", async () => {
  await using network = await TcpNetwork.of();
  await network.startRelay();
  await network.head(() => true);
  const directory = await network.openDirectory();
  const [a, b] = await Promise.all([
    directory.consensus(),
    directory.refresh(),
  ]);
  assertEquals(a, b);
});
