import { assert, assertEquals, assertMatch } from "@std/assert";
import { formatFingerprint } from "../../lib/identity/mod.ts";
import type { Lab } from "../../lib/lab/mod.ts";
import { utf8 } from "../../lib/protocol/mod.ts";
import { Background } from "../support/background.ts";
import { sourceProgram } from "../support/program.ts";
import { sourceLab } from "./source_lab.ts";

const PATIENCE = 60_000;

Deno.test("lab: S3.5: two people talk through three mixes in a crowd, and a mix that dies is replaced", async () => {
  await using lab = await sourceLab({
    people: ["alice", "bob"],
    relays: 3,
    proxy: false,
    mix: 3,
    cover: 10,
    flags: (name) => name === "server" ? ["--mix-round", "1s"] : [],
  });
  assertMatch(lab.logs("crowd"), /^joined 10$/m);
  const bob = await person(lab, "bob", ["--private", "--answer", "--json"]);
  try {
    await bob.waitFor(/"event":"joined"/, PATIENCE);
    const alice = await talking(lab, "alice", ["bob", "--private", "--json"]);
    await alice.say("before\nthe mix dies\n");
    const [, chain = ""] = await bob.waitFor(
      /"kind":"exchange".*"mixes":(\[.*\])/,
      PATIENCE,
    );
    const mixes: readonly { readonly fingerprint: string }[] = JSON
      .parse(chain);
    assertEquals(mixes.length, 3);
    await bob.waitFor(/"text":"the mix dies"/, PATIENCE);
    await lab.kill(relayWith(lab, mixes[1]!.fingerprint));
    await alice.say("after\n");
    await bob.waitFor(/"text":"after"/, PATIENCE);
    const { code, text } = await alice.end();
    assertEquals(code, 0, text);
    await bob.waitFor(/"reason":"left by peer","undelivered":0/, PATIENCE);
    const said = new TextDecoder().decode(bob.output.stdout)
      .matchAll(/"event":"text".*"text":"([^"]+)"/g);
    const shown = Array.from(said, ([, each]) => each);
    assertEquals(shown, ["before", "the mix dies", "after"]);
    assertEquals(text.match(/"state":"delivered"/g)?.length, 3);
    assertMatch(text, /"event":"generation","with":"bob@local","generation":2/);
  } finally {
    bob.kill();
    await bob.ending();
  }
  assertMatch(lab.logs("server"), / chain has changed mixes=3$/m);
  assert(!/alice|bob/.test(lab.logs("server")), "the log names people");
});

/** `sotto client chat ARGS` as a person of the lab, with nothing to read. */
async function person(
  lab: Lab,
  name: string,
  args: readonly string[],
): Promise<Background> {
  const { command: [program = "", ...before], env } = await sourceProgram();
  return new Background(program, {
    args: [...before, "client", "chat", ...args],
    env: { ...env, ...lab.environment(name) },
  });
}

/** The same, with what is said to it on its standard input. */
async function talking(
  lab: Lab,
  name: string,
  args: readonly string[],
): Promise<{
  say(text: string): Promise<void>;
  end(): Promise<{ code: number; text: string }>;
}> {
  const { command: [program = "", ...before], env } = await sourceProgram();
  const child = new Deno.Command(program, {
    args: [...before, "client", "chat", ...args],
    env: { ...env, ...lab.environment(name) },
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const writer = child.stdin.getWriter();
  const output = new Response(child.stdout).text();
  return {
    say: (text) => writer.write(utf8(text)),
    async end() {
      await writer.close();
      const { code } = await child.status;
      return { code, text: await output };
    },
  };
}

/** The name of the relay with this fingerprint in hex. */
function relayWith(lab: Lab, fingerprint: string): string {
  const print = formatFingerprint(Uint8Array.fromHex(fingerprint), "");
  const name = [...lab.members.keys()].find((each) =>
    each.startsWith("relay-") && lab.address(each).includes(print)
  );
  assert(name !== undefined, "the mix is no relay of the lab");
  return name;
}
