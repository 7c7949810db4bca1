import { assert, assertEquals, assertThrows } from "@std/assert";
import { FLAG_GUARD, FLAG_MIDDLE_ONLY } from "../../../lib/directory/mod.ts";
import { RELAY } from "../../../lib/onion/cell/message.ts";
import { PointKeeper } from "../../../lib/onion/service/point_keeper.ts";
import { encodeIntroduce } from "../../../lib/onion/service/service_message.ts";
import { MalformedError, randomBytes } from "../../../lib/protocol/mod.ts";
import { idOf, relay } from "../path/relays.ts";
import { FakeNetwork, settle } from "./fake_circuits.ts";

const RECEPTION = { admit: () => true, meet: () => {} };

/** A keeper in a network of so many relays. */
function keeperIn(network: FakeNetwork) {
  const errors: unknown[] = [];
  const keeper = new PointKeeper(
    network.surroundings,
    randomBytes(32),
    RECEPTION,
    (error) => {
      if (error !== undefined) errors.push(error);
    },
  );
  const tend = async () => {
    keeper.tend(network.relays);
    await keeper.settled();
    return keeper.points.map(({ relay }) => idOf(relay)).sort();
  };
  return { keeper, tend, errors };
}

Deno.test("point keeper: three points, each at another relay, with keys of its own", async () => {
  const network = new FakeNetwork(5);
  const { keeper, tend } = keeperIn(network);
  const points = await tend();
  assertEquals(new Set(points).size, 3);
  const keys = keeper.points.flatMap(({ authKey, sealKey }) => [
    authKey.toHex(),
    sealKey.toHex(),
  ]);
  assertEquals(new Set(keys).size, 6);
  assertEquals(await tend(), points);
  assertEquals(network.circuits.length, 3);
  await keeper.close();
  assertEquals(network.standing, []);
  assertEquals(await tend(), []);
});

Deno.test("point keeper: one that dies is replaced, and nothing else is touched", async () => {
  const network = new FakeNetwork(8);
  const { keeper, tend } = keeperIn(network);
  const before = await tend();
  const dying = network.standing[0]!;
  dying.destroy("link-gone");
  assertEquals(keeper.points.length, 2);
  const after = await tend();
  assertEquals(after.length, 3);
  const others = before.filter((each) => each !== dying.to);
  assert(others.every((each) => after.includes(each)));
  assertEquals(network.circuits.length, 4);
});

Deno.test("point keeper: a relay that refuses is left alone for half a minute", async () => {
  const network = new FakeNetwork(3);
  network.unreachable.add(1);
  const { tend, errors } = keeperIn(network);
  assertEquals(await tend(), [0, 2]);
  assertEquals(errors.length, 1);
  network.unreachable.clear();
  network.clock += 30_000;
  assertEquals(await tend(), [0, 2]);
  network.clock += 1;
  assertEquals(await tend(), [0, 1, 2]);
});

Deno.test("point keeper: a relay that does not confirm is none", async () => {
  const network = new FakeNetwork(3);
  network.answer = (id) =>
    id === 1
      ? Promise.reject(new Error("no"))
      : Promise.resolve(new Uint8Array(0));
  const { tend, errors } = keeperIn(network);
  assertEquals(await tend(), [0, 2]);
  assertEquals(errors.map(String), ["Error: no"]);
  assertEquals(network.standing.length, 2);
});

Deno.test("point keeper: relays that are not listed any more, or have served for long, are replaced", async () => {
  const network = new FakeNetwork(4);
  const { tend } = keeperIn(network);
  const before = await tend();
  network.relays = network.relays.filter((each) =>
    idOf(each.descriptor.identity.fingerprint) !== before[0]
  );
  const after = await tend();
  assertEquals(after.length, 3);
  assert(!after.includes(before[0]!));
  const circuits = network.circuits.length;
  network.clock += 18 * 3_600_000;
  await tend();
  assertEquals(network.circuits.length, circuits);
  network.clock += 1;
  await tend();
  assertEquals(network.circuits.length, circuits + 3);
  assertEquals(network.standing.length, 3);
});

Deno.test("point keeper: no circuit ends at a relay that is middle only", async () => {
  const network = new FakeNetwork(0);
  network.relays = [0, 1, 2, 3].map((id) =>
    relay({ id, flags: id < 2 ? FLAG_MIDDLE_ONLY : FLAG_GUARD })
  );
  const { tend } = keeperIn(network);
  assertEquals(await tend(), [2, 3]);
});

Deno.test("S4: a point takes introductions and nothing else, and what is none breaks the rules", async () => {
  const network = new FakeNetwork(3);
  const { tend } = keeperIn(network);
  await tend();
  const circuit = network.standing[0]!;
  for (const command of [RELAY.INTRODUCED, RELAY.DATA, RELAY.FETCHED]) {
    assert(!circuit.bring(command, randomBytes(40)));
  }
  // No handshake for this service: anybody can have sent that.
  assert(circuit.bring(
    RELAY.INTRODUCE,
    encodeIntroduce({ authKey: randomBytes(32), message: randomBytes(99) }),
  ));
  await settle();
  assertEquals(circuit.failure, undefined);
  // The relay should have looked at this much.
  assertThrows(
    () => circuit.bring(RELAY.INTRODUCE, randomBytes(31)),
    MalformedError,
  );
});

Deno.test("point keeper: it is closed while points are being established", async () => {
  const network = new FakeNetwork(3);
  network.answer = () => new Promise(() => {});
  const { keeper } = keeperIn(network);
  keeper.tend(network.relays);
  await settle();
  await keeper.close();
  assertEquals([keeper.points.length, network.standing.length], [0, 0]);
});
