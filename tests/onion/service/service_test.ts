import { assertEquals } from "@std/assert";
import { utf8, writeAll } from "../../../lib/protocol/mod.ts";
import { readAll, readExactly } from "../streams.ts";
import { ServiceNetwork } from "./service_network.ts";

Deno.test("S4: a service without an address is reached by its fingerprint", async () => {
  await using network = await ServiceNetwork.start(7);
  const service = await network.service();
  const client = network.client();
  const stream = await client.open(service.fingerprint, "");
  await writeAll(stream, utf8("anybody there?"));
  assertEquals(await readExactly(stream, 14), utf8("anybody there?"));
  await stream.closeWrite();
  assertEquals(await readAll(stream), new Uint8Array(0));
  stream.close();
  assertEquals(network.failures, []);
});
