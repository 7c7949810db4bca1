import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import type { Consensus, ConsensusRelay } from "../../lib/directory/mod.ts";
import { formatFingerprint } from "../../lib/identity/mod.ts";
import { LabError } from "../../lib/lab/mod.ts";
import type { Lab } from "../../lib/lab/mod.ts";
import { processesIn } from "./processes.ts";
import { sourceLab } from "./source_lab.ts";

// Raising a network takes seconds, so each is used for more than one thing.

const PAGE = "a page of the world outside";

Deno.test("lab: one network, used, hurt, and gone without a trace", async (t) => {
  await using page = servePage();
  const lab = await sourceLab({ people: ["alice", "bob"] });
  const { directory } = lab;
  try {
    await t.step("curl fetches a page through its proxy", async () => {
      assertEquals(await curl(lab, page.url), PAGE);
      const circuits = await lab.run("proxy", ["client", "circuits"]);
      assertEquals(circuits.code, 0, circuits.text);
    });

    await t.step("S0.6: two people send a letter", async () => {
      const sent = await lab.run("alice", ["client", "send", "bob", "hello"]);
      assertEquals(sent, { code: 0, text: "bob@local: stored\n" });
      const { code, text } = await lab.run("bob", ["client", "inbox"]);
      assertEquals(code, 0, text);
      assertMatch(text, /alice: hello\n$/);
    });

    await t.step("S4.2: a dead relay leaves the consensus", async () => {
      await lab.kill("relay-4");
      const { relays } = await lab.until((each) => each.relays.length === 3);
      const dead = lab.address("relay-4");
      assert(!relays.some((each) => dead.includes(printOf(each))));
      assertEquals(await curl(lab, page.url), PAGE);
    });

    await t.step("S4.2: it comes back, and a new one enters", async () => {
      await Promise.all([lab.restart("relay-4"), lab.addRelay()]);
      const { relays } = await lab.until((each) => each.relays.length === 5);
      for (const name of ["relay-4", "relay-5"]) {
        const address = lab.address(name);
        assert(relays.some((each) => address.includes(printOf(each))), name);
      }
    });

    await t.step("S4.1: without a controller clients go on", async () => {
      const { height } = await known(lab);
      await lab.kill("controller-1");
      assertEquals(await curl(lab, page.url), PAGE);
      // A client that starts only now has the copy that it has kept.
      await lab.restart("proxy");
      assertEquals(await curl(lab, page.url), PAGE);
      await lab.restart("controller-1");
      const after = await lab.until(({ relays }) => relays.length === 5);
      assert(after.height > height, `${after.height} after ${height}`);
    });

    await t.step(
      "Ctrl-C, which a terminal sends to all, ends nobody",
      async () => {
        const before = await lab.consensus();
        for (const name of lab.members.keys()) await lab.kill(name, "SIGINT");
        // By the next consensus whoever had listened to it would be gone.
        await lab.until(({ height }) => height > before.height);
        assertEquals(await curl(lab, page.url), PAGE);
        assert([...lab.members.values()].every(({ running }) => running));
      },
    );

    await t.step("there is nobody else of a name", async () => {
      await assertRejects(
        () => lab.kill("relay-9"),
        LabError,
        "Cannot find relay-9",
      );
      await assertRejects(
        () => lab.start("relay-1", ["relay"], /x/),
        LabError,
        "Cannot start relay-1: it runs",
      );
    });
  } finally {
    assert((await processesIn(directory)).length >= 7);
    await lab.close();
  }
  await lab.close();
  assertEquals(await processesIn(directory), []);
  await assertRejects(() => Deno.lstat(directory), Deno.errors.NotFound);
  await assertRejects(() => lab.addRelay(), LabError, "it is over");
});

Deno.test("lab: S4.1: of three controllers one dies, and the consensus goes on", async () => {
  await using lab = await sourceLab({
    controllers: 3,
    relays: 3,
    server: false,
    proxy: false,
  });
  assertEquals(lab.network.quorum, 2);
  const { height } = await lab.consensus();
  await lab.kill("controller-2");
  await lab.addRelay();
  const after = await lab.until(({ relays }) => relays.length === 4);
  assert(after.height > height, `${after.height} after ${height}`);
  assertEquals(after.signers.length, 2);
});

Deno.test("lab: people use a server that has no address", async () => {
  await using lab = await sourceLab({
    people: ["alice", "bob"],
    relays: 3,
    onion: true,
    proxy: false,
  });
  assertMatch(lab.server ?? "", /^sotto:\/\/[a-z2-7]{52}\.onion$/);
  assertEquals(lab.address("server"), lab.server);
  const sent = await lab.run("alice", ["client", "send", "bob", "hello"]);
  assertEquals(sent, { code: 0, text: "bob@local: stored\n" });
  const { text } = await lab.run("bob", ["client", "inbox"]);
  assertMatch(text, /alice: hello\n$/);
});

/** The newest consensus, once every relay has a copy with all of its relays. */
async function known(lab: Lab): Promise<Consensus> {
  const end = performance.now() + 60_000;
  for (;;) {
    const consensus = await lab.consensus();
    const copies = await Promise.all(
      consensus.relays.map((_, i) =>
        Deno.readFile(`${lab.home(`relay-${i + 1}`)}/consensus`)
      ),
    );
    const wanted = consensus.relays.map(({ descriptor }) =>
      descriptor.bytes.toHex()
    );
    const isKnown = copies.map((copy) => copy.toHex())
      .every((copy) => wanted.every((each) => copy.includes(each)));
    if (isKnown) return consensus;
    assert(performance.now() < end, "a relay does not know all of them");
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** Fetches `url` through the proxy of the lab, with names resolved at the other end. */
async function curl({ proxy }: Lab, url: string): Promise<string> {
  assert(proxy !== undefined);
  const { code, stdout, stderr } = await new Deno.Command("curl", {
    args: ["-sS", "--max-time", "30", "--socks5-hostname", proxy, url],
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  assertEquals(code, 0, text(stderr));
  return text(stdout);
}

function servePage(): { readonly url: string } & AsyncDisposable {
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    () => new Response(PAGE),
  );
  return {
    url: `http://127.0.0.1:${server.addr.port}/`,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

/** A fingerprint as addresses hold it. */
function printOf({ descriptor }: ConsensusRelay): string {
  return formatFingerprint(descriptor.identity.fingerprint, "");
}
