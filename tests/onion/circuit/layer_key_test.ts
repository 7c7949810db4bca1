import { assert, assertEquals, assertRejects } from "@std/assert";
import { LayerKey } from "../../../lib/onion/circuit/layer_key.ts";
import {
  AEAD_TAG_BYTES,
  CryptoError,
  randomBytes,
} from "../../../lib/protocol/mod.ts";

async function pair(rekeyAfter?: number): Promise<[LayerKey, LayerKey]> {
  const raw = randomBytes(32);
  return [
    await LayerKey.of(raw, rekeyAfter),
    await LayerKey.of(raw, rekeyAfter),
  ];
}

Deno.test("layers are sealed and opened many at a time, across changes of the key", async () => {
  for (const rekeyAfter of [1, 2, 3, 7, undefined]) {
    const [seals, opens] = await pair(rekeyAfter);
    const plain = Array.from({ length: 20 }, (_, i) => randomBytes(100 + i));
    // What was given may be changed as soon as the call has returned.
    const sealed = await Promise.all(plain.map((each) => {
      const given = each.slice();
      const sealing = seals.seal(given);
      given.fill(0);
      return sealing;
    }));
    const opened = await Promise.all(sealed.map((each) => {
      const given = each.slice();
      const opening = opens.open(given);
      given.fill(0);
      return opening;
    }));
    for (const [i, each] of opened.entries()) {
      assertEquals(each, plain[i]);
      assertEquals(sealed[i]!.length, plain[i]!.length + AEAD_TAG_BYTES);
    }
    // No two layers are alike, even of the same plaintext.
    const same = await Promise.all(
      [plain[0]!, plain[0]!].map((each) => seals.seal(each)),
    );
    assert(same[0]!.toHex() !== same[1]!.toHex());
  }
});

Deno.test("a layer that was altered, lost, repeated or moved does not open, nor any behind it that was moved", async () => {
  const changes = {
    altered: (cells: Uint8Array<ArrayBuffer>[]) => {
      cells[0]![5]! ^= 1;
      return [cells[0]!];
    },
    lost: (cells: Uint8Array<ArrayBuffer>[]) => cells.slice(1),
    repeated: (cells: Uint8Array<ArrayBuffer>[]) => [cells[1]!],
    swapped: (cells: Uint8Array<ArrayBuffer>[]) => [cells[1]!, cells[0]!],
  };
  for (const change of Object.values(changes)) {
    const [seals, opens] = await pair();
    const cells = await Promise.all(
      [1, 2, 3].map(() => seals.seal(randomBytes(50))),
    );
    for (const each of change(cells)) {
      await assertRejects(() => opens.open(each), CryptoError);
    }
  }
});
