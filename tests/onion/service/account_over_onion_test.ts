import { assertEquals } from "@std/assert";
import { accountLink } from "../../../lib/account/mod.ts";
import { parseNodeCertificate } from "../../../lib/identity/mod.ts";
import { Caller } from "../../../lib/protocol/mod.ts";
import { enrol, enter, quickServer, whoAmI } from "../../account/people.ts";
import type { TestServer } from "../../support/server.ts";
import { ServiceNetwork } from "./service_network.ts";

Deno.test("S4: people register and log in at a server without an address, and it is the one they asked for", async () => {
  await using network = await ServiceNetwork.start(7);
  await using server = await quickServer();
  const service = await network.service(
    { accept: (incoming) => server.accounts.accept(incoming) },
    server.node,
  );
  const client = network.client();
  const hidden: TestServer = {
    ...server,
    async connect() {
      const stream = await client.open(service.fingerprint, "");
      const caller = new Caller(stream);
      // As a client does who knows nothing but the address.
      const node = await parseNodeCertificate(await caller.publicKey());
      assertEquals(node.fingerprint, service.fingerprint);
      return accountLink(await caller.connect(node.dhKey));
    },
  };
  const alice = await enrol(hidden, "alice@test");
  const session = await enter(hidden, alice);
  assertEquals(await whoAmI(session), "alice@test");
  const again = await enter(hidden, alice);
  assertEquals(await whoAmI(again), "alice@test");
  assertEquals([server.accounts.sessions, service.meetings], [2, 1]);
  await session.close();
  await again.close();
  // Over the listener that it has besides, it is the same server.
  const straight = await enter(server, alice);
  assertEquals(await whoAmI(straight), "alice@test");
  await straight.close();
  assertEquals(network.failures, []);
});
