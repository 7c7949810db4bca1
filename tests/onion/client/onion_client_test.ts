import { assert, assertEquals, assertRejects } from "@std/assert";
import { ExitPolicy, FLAG_GUARD } from "../../../lib/directory/mod.ts";
import type { OnionStream } from "../../../lib/onion/stream/opener.ts";
import { StreamError } from "../../../lib/onion/stream/stream_error.ts";
import { randomBytes, writeAll } from "../../../lib/protocol/mod.ts";
import { pause, readAll, until } from "../streams.ts";
import { ClientWorld } from "./client_world.ts";

const MINUTE = 60_000;

/** Sends something to the echo behind an exit and waits for it to come back. */
async function echo(stream: OnionStream): Promise<void> {
  const sent = randomBytes(3_000);
  const written = stream.write(sent).then(() => stream.closeWrite());
  assertEquals(await readAll(stream), sent);
  await written;
}

Deno.test("S4.3: a stream goes through three relays, chosen by chance, of which the first stays the same", async () => {
  await using world = await ClientWorld.start(6);
  for (let i = 0; i < 8; i++) {
    await echo(await world.client.open("echo", 7, `purpose ${i}`));
  }
  const paths = world.usedPaths;
  assertEquals(paths.length, 8);
  for (const path of paths) assertEquals(new Set(path).size, 3);
  assertEquals(new Set(paths.map(([guard]) => guard)).size, 1);
  assert(new Set(paths.map((path) => path.join())).size > 1, "always one path");
  assertEquals(world.stored, 1);
});

Deno.test("S4.3: what belongs together shares a circuit, what does not never does", async () => {
  await using world = await ClientWorld.start(5);
  for (const who of ["alice", "bob", "alice", "bob", "alice"]) {
    await echo(await world.client.open("echo", 7, who));
  }
  assertEquals(world.usedPaths.length, 2);
  const both = await Promise.all(
    Array.from({ length: 5 }, () => world.client.open("echo", 7, "carol")),
  );
  await Promise.all(both.map(echo));
  assertEquals(world.usedPaths.length, 3, "one for all that carol asked");
});

Deno.test("circuits are built ahead, and used before others are built", async () => {
  await using world = await ClientWorld.start(4);
  await echo(await world.client.open("echo", 7, "first"));
  await world.client.prebuild();
  const ready = world.client.circuits.filter(({ used }) => !used);
  assertEquals(ready.length, 2);
  await echo(await world.client.open("echo", 7, "second"));
  const { used } = world.client.circuits.find(({ id }) => id === ready[0]!.id)!;
  assert(used);
  await world.client.prebuild();
  assertEquals(world.client.circuits.filter(({ used }) => !used).length, 2);
});

Deno.test("a circuit takes no new streams after ten minutes, and keeps those that it has", async () => {
  await using world = await ClientWorld.start(4);
  const old = await world.client.open("echo", 7, "me");
  const { id } = world.client.circuits.find(({ used }) => used)!;
  world.ahead += 9 * MINUTE;
  await echo(await world.client.open("echo", 7, "me"));
  const mine = () => world.client.circuits.filter(({ used }) => used);
  assertEquals(mine().map((each) => each.id), [id]);
  world.ahead += 2 * MINUTE;
  await echo(await world.client.open("echo", 7, "me"));
  assertEquals(mine().length, 2);
  await echo(old);
});

Deno.test("new streams do not share a circuit with many whose readers have stopped", async () => {
  await using world = await ClientWorld.start(4);
  const stopped: OnionStream[] = [];
  const writes: Promise<unknown>[] = [];
  for (;;) {
    const stream = await world.client.open("echo", 7, "me");
    stopped.push(stream);
    if (world.usedPaths.length > 1) break;
    assert(stopped.length < 20, "they all share one circuit");
    const before = world.client.circuits[0]!.received;
    // A little more comes back than a stream may have under way.
    writes.push(writeAll(stream, new Uint8Array(1_100_000)).catch(() => {}));
    await until(
      () => world.client.circuits[0]!.received > before + 500_000,
      "much has come",
    );
  }
  await echo(await world.client.open("echo", 7, "me"));
  for (const stream of stopped) stream.close();
  await Promise.all(writes);
});

Deno.test("new streams do not share a circuit that is full of what destinations do not take", async () => {
  await using world = await ClientWorld.start(4);
  const writes: Promise<unknown>[] = [];
  const stuck: OnionStream[] = [];
  for (let i = 0; i < 6; i++) {
    const stream = await world.client.open("silent", 7, "me");
    stuck.push(stream);
    writes.push(writeAll(stream, new Uint8Array(3_000_000)).catch(() => {}));
  }
  await pause(1_000);
  stuck.push(await world.client.open("echo", 7, "me"));
  assertEquals(world.usedPaths.length, 1, "it may only be busy");
  await pause(6_000);
  const other = await world.client.open("echo", 7, "me");
  assertEquals(world.usedPaths.length, 2);
  await echo(other);
  for (const stream of stuck) stream.close();
  await Promise.all(writes);
});

Deno.test("a circuit that dies takes its streams along, and the next stream has another one", async () => {
  await using world = await ClientWorld.start(5);
  const stream = await world.client.open("source", 7, "me");
  await stream.read(new Uint8Array(10));
  const [path] = world.usedPaths;
  world.network.wire(path![0]!, path![1]!).cut();
  await until(() => world.usedPaths.length === 0, "the circuit ends");
  const error = await assertRejects(() => readAll(stream), StreamError);
  assertEquals(error.reason, "circuit-gone");
  await echo(await world.client.open("echo", 7, "me"));
});

Deno.test("a guard that does not answer gives way to the next, and relays that do not answer to others", async () => {
  await using world = await ClientWorld.start(6);
  await echo(await world.client.open("echo", 7, "before"));
  const guard = world.usedPaths[0]![0]!;
  world.unreachable.add(guard);
  for (const wire of world.network.wires) wire.cut();
  await until(() => world.client.circuits.length === 0, "all circuits end");
  await echo(await world.client.open("echo", 7, "after"));
  const other = world.usedPaths[0]![0]!;
  assert(other !== guard);
  world.unreachable.clear();
  world.ahead += 30 * MINUTE;
  await echo(await world.client.open("echo", 7, "later"));
  assertEquals(world.usedPaths.at(-1)![0], guard);
});

Deno.test("a relay that the others cannot reach is left out of the next attempt", async () => {
  await using world = await ClientWorld.start(5);
  await echo(await world.client.open("echo", 7, "before"));
  const guard = world.usedPaths[0]![0]!;
  // Nobody knows these two any more but the client.
  const strange = [0, 1, 2, 3, 4].filter((each) => each !== guard).slice(0, 2);
  const find = world.network.find.bind(world.network);
  world.network.find = (fingerprint) =>
    strange.includes(world.indexOf(fingerprint.toHex()))
      ? undefined
      : find(fingerprint);
  for (const wire of world.network.wires) wire.cut();
  await until(() => world.client.circuits.length === 0, "all circuits end");
  for (let i = 0; i < 4; i++) {
    await echo(await world.client.open("echo", 7, `after ${i}`));
  }
  for (const path of world.usedPaths) {
    for (const index of strange) assert(!path.includes(index));
  }
});

Deno.test("a destination that one exit does not get to is tried through another; a refusal is believed", async () => {
  await using world = await ClientWorld.start(5);
  const reachable = world.network.nodes[3]!.world;
  reachable.servers.set("rare", (connection) => connection.closeWrite());
  for (const [i, node] of world.network.nodes.entries()) {
    if (i === 3) continue;
    const connect = node.world.connect.bind(node.world);
    node.world.connect = (host, port) =>
      host === "rare"
        ? Promise.reject(new StreamError("unreachable", "Cannot connect"))
        : connect(host, port);
  }
  world.relays = world.relays.map((each, i) =>
    i < 2 || i === 3 ? each : { ...each, flags: FLAG_GUARD }
  );
  const stream = await world.client.open("rare", 7, "me");
  assertEquals(await readAll(stream), new Uint8Array(0));
  assertEquals(world.usedPaths.at(-1)!.at(-1), 3);
  const before = world.client.circuits.length;
  const error = await assertRejects(
    () => world.client.open("nobody", 7, "me"),
    StreamError,
  );
  assertEquals(error.reason, "refused");
  assertEquals(world.client.circuits.length, before);
});

Deno.test("exits are chosen by their policies, and there may be none", async () => {
  await using world = await ClientWorld.start(5);
  const only = (text: string) => ExitPolicy.parse(text);
  world.relays = world.relays.map((each, i) => ({
    ...each,
    descriptor: {
      ...each.descriptor,
      policy: only(i === 2 ? "accept *:7" : "accept *:443"),
    },
  }));
  await echo(await world.client.open("echo", 7, "me"));
  assertEquals(world.usedPaths[0]!.at(-1), 2);
  const error = await assertRejects(
    () => world.client.open("echo", 25, "me"),
    StreamError,
  );
  assertEquals(error.reason, "exit-policy");
  world.relays = world.relays.slice(0, 2);
  const other = await assertRejects(
    () => world.client.open("echo", 443, "you"),
    StreamError,
  );
  assertEquals(other.reason, "no-circuit");
});

Deno.test("a guard that has too much to do is asked again, and stays the guard", async () => {
  const creates = { perSecond: 10, burst: 3 };
  await using world = await ClientWorld.start(4, { limits: { creates } });
  await Promise.all(
    ["a", "b", "c", "d", "e"].map(async (who) =>
      await echo(await world.client.open("echo", 7, who))
    ),
  );
  const paths = world.usedPaths;
  assertEquals(paths.length, 5);
  assertEquals(new Set(paths.map(([guard]) => guard)).size, 1);
});

Deno.test("names are resolved at an exit", async () => {
  await using world = await ClientWorld.start(4);
  assertEquals(await world.client.resolve("echo", "me"), [
    "192.0.2.80",
    "2001:db8::80",
  ]);
  const error = await assertRejects(
    () => world.client.resolve("nobody", "me"),
    StreamError,
  );
  assertEquals(error.reason, "resolve-failed");
});

Deno.test("an attempt can be given up, and the client closed while one is under way", async () => {
  await using world = await ClientWorld.start(4);
  const gone = AbortSignal.abort(new Error("enough"));
  await assertRejects(
    () => world.client.open("echo", 7, "me", gone),
    Error,
    "enough",
  );
  const opening = world.client.open("echo", 7, "me");
  opening.catch(() => {});
  await world.client.close();
  await assertRejects(() => opening);
  await assertRejects(() => world.client.open("echo", 7, "me"));
});

Deno.test("the name of a service that cannot be is refused", async () => {
  await using world = await ClientWorld.start(4);
  for (const host of ["x.onion", `${"a".repeat(51)}1.onion`, ".onion"]) {
    const error = await assertRejects(
      () => world.client.open(host, 80, "me"),
      StreamError,
    );
    assertEquals(error.reason, "resolve-failed");
  }
});
