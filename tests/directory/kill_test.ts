import { assert, assertEquals } from "@std/assert";
import {
  hashHeader,
  parseHeader,
} from "../../lib/directory/consensus_header.ts";
import { networkOf } from "../../lib/directory/mod.ts";
import { parseConsensus } from "../../lib/directory/consensus.ts";
import { encodeNodeKeyring } from "../../lib/identity/mod.ts";
import { freshNodeKeyring } from "../support/keyrings.ts";

/** A process that agrees with itself as fast as it can, and prints every signature before it is on disk. */
const CHILD = new URL("./children/signs.ts", import.meta.url).pathname;

Deno.test("a controller that is killed at random never signs two bodies of a height", async () => {
  const folder = await Deno.makeTempDir();
  const keyring = await freshNodeKeyring();
  const key = `${folder}/key`;
  await Deno.writeFile(key, await encodeNodeKeyring(keyring));
  const { fingerprint } = keyring.certificate;
  const network = networkOf([{ host: "127.0.0.1", port: 1, fingerprint }]);
  const signed = new Map<number, string>();
  let kills = 0;
  try {
    for (let round = 0; round < 12; round++) {
      const child = new Deno.Command(Deno.execPath(), {
        args: [
          "run",
          "-A",
          "--no-check",
          CHILD,
          key,
          `${folder}/state`,
          `${round}`,
        ],
        env: { DENO_NO_UPDATE_CHECK: "1" },
        stdout: "piped",
        stderr: "piped",
      }).spawn();
      const reader = child.stdout.pipeThrough(new TextDecoderStream())
        .getReader();
      let text = "";
      const end = performance.now() + 20_000;
      // Some heights, then the axe, at a moment that nobody has chosen.
      let wanted = 3 + round;
      while (wanted > 0 && performance.now() < end) {
        const { value, done } = await reader.read();
        if (done) break;
        text += value;
        wanted -= value.split("\n").length - 1;
      }
      child.kill("SIGKILL");
      kills++;
      for (;;) {
        const { value, done } = await reader.read();
        if (done) break;
        text += value;
      }
      const { success } = await child.status;
      const errors = await new Response(child.stderr).text();
      assertEquals([success, errors], [false, ""]);
      for (const line of text.split("\n").slice(0, -1)) {
        const [height, hash] = line.split(" ") as [string, string];
        const before = signed.get(Number(height));
        assert(before === undefined || before === hash, `two at ${height}`);
        signed.set(Number(height), hash);
      }
    }
    assert(kills === 12 && signed.size > 30, `${signed.size} heights`);
    // And the chain on disk is the one that was signed.
    const head = await parseConsensus(
      await Deno.readFile(`${folder}/state/head`),
      network,
    );
    const headers = await Deno.readFile(`${folder}/state/headers`);
    let compared = 0;
    for (let at = 0; at + 97 <= headers.length; at += 97) {
      const header = parseHeader(headers.subarray(at, at + 97));
      if (header.height > head.height) break;
      const hash = (await hashHeader(header)).toHex();
      assertEquals(signed.get(header.height) ?? hash, hash);
      compared++;
    }
    assert(compared > 30);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
