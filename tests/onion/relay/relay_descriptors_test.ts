import { assertEquals, assertRejects } from "@std/assert";
import { RELAY } from "../../../lib/onion/cell/message.ts";
import { CircuitError } from "../../../lib/onion/client/circuit_error.ts";
import {
  BLOB_BYTES,
  encodeFetch,
  encodePublish,
  parseFetched,
} from "../../../lib/onion/service/service_message.ts";
import { randomBytes } from "../../../lib/protocol/mod.ts";
import { RelayNetwork } from "../relay_network.ts";
import { circuitOver } from "./circuits.ts";

const NOTHING = new Uint8Array(0);

Deno.test("S4: descriptors are kept for whoever asks, the newest first", async () => {
  await using network = await RelayNetwork.start(3);
  const index = randomBytes(32);
  const [old, recent] = [randomBytes(BLOB_BYTES), randomBytes(BLOB_BYTES)];
  const publisher = await circuitOver(network, 0, 1, 2);
  for (const blob of [old, recent]) {
    const request = encodePublish({ index, blob });
    const kept = await publisher.ask(RELAY.PUBLISH, request, RELAY.PUBLISHED);
    assertEquals(kept, NOTHING);
  }
  publisher.destroy("requested");
  const client = await circuitOver(network, 0, 1, 2);
  const fetched = async (place: number, at = index) =>
    parseFetched(
      await client.ask(
        RELAY.FETCH,
        encodeFetch({ index: at, place }),
        RELAY.FETCHED,
      ),
    );
  assertEquals(await fetched(0), recent);
  assertEquals(await fetched(1), old);
  assertEquals(await fetched(2), undefined);
  assertEquals(await fetched(0, randomBytes(32)), undefined);
});

Deno.test("S4: one circuit asks sixteen times and no more", async () => {
  await using network = await RelayNetwork.start(3);
  const circuit = await circuitOver(network, 0, 1, 2);
  const request = encodeFetch({ index: randomBytes(32), place: 0 });
  for (let i = 0; i < 16; i++) {
    await circuit.ask(RELAY.FETCH, request, RELAY.FETCHED);
  }
  await assertRejects(
    () => circuit.ask(RELAY.FETCH, request, RELAY.FETCHED),
    CircuitError,
    "protocol",
  );
});
