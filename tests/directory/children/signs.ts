/**
 * A controller of its own network that makes one consensus after the other, each with other contents,
 * and prints what it has signed as soon as the signature could leave: `HEIGHT HASH`.
 *
 * @module
 */
import { Agreement } from "../../../lib/directory/agreement/agreement.ts";
import type { Output } from "../../../lib/directory/agreement/output.ts";
import { ControllerState } from "../../../lib/directory/mod.ts";
import { networkOf } from "../../../lib/directory/network.ts";
import { parseNodeKeyring } from "../../../lib/identity/mod.ts";
import { utf8 } from "../../../lib/protocol/mod.ts";
import { relays } from "../relays.ts";

const [key, folder, seed] = Deno.args as [string, string, string];
const keyring = await parseNodeKeyring(await Deno.readFile(key));
const { fingerprint } = keyring.certificate;
const network = networkOf([{ host: "127.0.0.1", port: 1, fingerprint }]);
const state = await ControllerState.open(folder, network);
const candidates = (await relays(3)).map(({ descriptor }) => ({
  descriptor,
  guard: true,
}));
let shown = 0;
const agreement = new Agreement(
  {
    keyring,
    network,
    interval: 1,
    lifetime: 10,
    // Never twice the same, so that whoever begins anew would make another body.
    candidates: () => candidates.slice(shown++ % 3),
  },
  state.head,
  state.standing,
);
let now = 1_800_000_000_000 + (state.head?.height ?? 0) * 60_000 +
  Number(seed) * 1_000;
for (;;) {
  now += 60_000;
  await perform(await agreement.tick(now, true));
}

async function perform(outputs: readonly Output[]): Promise<void> {
  for (const output of outputs) {
    if (output.kind === "keep") await state.keep(output.standing);
    else if (output.kind === "publish") {
      const { height, hash } = output.consensus;
      // A signature leaves before anything else is on disk.
      await Deno.stdout.write(utf8(`${height} ${hash.toHex()}\n`));
      await state.advance(output.consensus);
    }
  }
}
