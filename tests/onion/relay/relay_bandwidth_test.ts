import { assert, assertEquals } from "@std/assert";
import { BODY_BYTES, LARGE } from "../../../lib/onion/cell/cell.ts";
import { RelayNetwork } from "../relay_network.ts";
import { readExactly } from "../streams.ts";
import { sourceBytes } from "../world.ts";

Deno.test("a relay takes in no more bytes in a second than it is given", async () => {
  const bandwidth = 8 * BODY_BYTES[LARGE];
  await using network = await RelayNetwork.start(2, { limits: { bandwidth } });
  const circuit = await network.circuit(2);
  const stream = await circuit.streams.open({ host: "source", port: 7 });
  const length = 20 * BODY_BYTES[LARGE];
  const begun = performance.now();
  assertEquals(await readExactly(stream, length), sourceBytes(0, length));
  const seconds = (performance.now() - begun) / 1_000;
  // What is taken in a single batch goes at once, and so does what a twentieth of a second allows.
  assert(seconds > (20 - 4) / 8, `${seconds} s`);
  stream.close();
});
