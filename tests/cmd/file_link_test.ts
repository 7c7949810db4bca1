import { assert, assertRejects } from "@std/assert";
import { overFileLink } from "../../cmd/client/file_link.ts";
import type { FileLinkOptions } from "../../cmd/client/file_link.ts";
import { NO_ROUTE_FLAGS, Route } from "../../cmd/client/route.ts";
import { CommandError } from "../../cmd/errors.ts";
import { testIo } from "../support/test_io.ts";
import { fileServer } from "../transfer/file_server.ts";

/** What a transfer to this port needs, with little patience. */
function impatient(port: number, home: string): FileLinkOptions {
  const io = testIo({ env: { SOTTO_HOME: home } });
  return {
    io,
    route: new Route(io, NO_ROUTE_FLAGS),
    server: { host: "127.0.0.1", port },
    patience: 400,
    quiet: true,
  };
}

Deno.test("file link: a server that says nothing is given up when the time is over", async () => {
  const home = await Deno.makeTempDir({ prefix: "sotto-test-" });
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const accepted = listener.accept();
  const { port } = listener.addr as Deno.NetAddr;
  await assertRejects(
    () =>
      overFileLink(
        impatient(port, home),
        () => Promise.reject(new Error("never there")),
      ),
    CommandError,
    "nothing has moved for 400ms",
  );
  (await accepted).close();
  listener.close();
  await Deno.remove(home, { recursive: true });
});

Deno.test("file link: a transfer in which nothing moves is given up, but not while somebody is asked", async () => {
  const home = await Deno.makeTempDir({ prefix: "sotto-test-" });
  await using server = await fileServer();
  const asking = performance.now() + 900;
  await assertRejects(
    () =>
      overFileLink({
        ...impatient(server.listener.port, home),
        isAsking: () => performance.now() < asking,
      }, (link) => link.next()),
    CommandError,
    "nothing has moved",
  );
  assert(performance.now() > asking + 100, "given up too early");
  await Deno.remove(home, { recursive: true });
});
