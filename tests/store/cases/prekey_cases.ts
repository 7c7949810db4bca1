import { assertEquals } from "@std/assert";
import type { OneTimeKey } from "../../../lib/store/mod.ts";
import { assertRefused, withStore } from "./harness.ts";
import type { MakeHarness } from "./harness.ts";
import { filled, register } from "./samples.ts";

function keys(...ids: readonly number[]): OneTimeKey[] {
  return ids.map((id) => ({ id, key: filled(id % 256, 32) }));
}

/** What every store must do with prekeys. */
export function prekeyCases(name: string, make: MakeHarness): void {
  Deno.test(`${name}: a bundle is what was published last`, async () => {
    await withStore(make, async (store, reopen) => {
      await register(store, "ada", "bob");
      assertEquals(await store.prekeys.bundle("ada"), undefined);
      const bundles = [filled(1, 32), new Uint8Array(3_000).fill(2)];
      for (const bundle of bundles) {
        assertEquals(await store.prekeys.publish("ada", bundle, [], false), 0);
        assertEquals(await store.prekeys.bundle("ada"), bundle);
      }
      assertEquals(await store.prekeys.bundle("bob"), undefined);
      assertEquals(await (await reopen()).prekeys.bundle("ada"), bundles[1]);
    });
  });

  Deno.test(`${name}: one-time keys go out in order, each once`, async () => {
    await withStore(make, async (store, reopen) => {
      await register(store, "ada");
      const bundle = filled(1, 32);
      const top = 0xffff_ffff;
      assertEquals(
        await store.prekeys.publish("ada", bundle, keys(5, 0, top, 3), false),
        4,
      );
      assertEquals(await store.prekeys.takeOneTime("ada"), keys(0)[0]);
      const again = await reopen();
      assertEquals(await again.prekeys.left("ada"), 3);
      assertEquals(await again.prekeys.takeOneTime("ada"), keys(3)[0]);
      assertEquals(await again.prekeys.takeOneTime("ada"), keys(5)[0]);
      assertEquals(await again.prekeys.takeOneTime("ada"), keys(top)[0]);
      assertEquals(await again.prekeys.takeOneTime("ada"), undefined);
      assertEquals(await again.prekeys.left("ada"), 0);
      assertEquals(await again.prekeys.bundle("ada"), bundle);
    });
  });

  Deno.test(`${name}: no key goes to two who ask at once`, async () => {
    await withStore(make, async (store) => {
      await register(store, "ada", "bob");
      const ids = Array.from({ length: 40 }, (_, i) => i);
      await store.prekeys.publish("ada", filled(1, 32), keys(...ids), false);
      await store.prekeys.publish("bob", filled(1, 32), keys(...ids), false);
      const taken = await Promise.all(
        Array.from({ length: 60 }, () => store.prekeys.takeOneTime("ada")),
      );
      const got = taken.flatMap((each) => each === undefined ? [] : [each.id]);
      assertEquals(got.toSorted((a, b) => a - b), ids);
      assertEquals(await store.prekeys.left("bob"), 40);
    });
  });

  Deno.test(`${name}: publishing again adds only what is new`, async () => {
    await withStore(make, async (store) => {
      await register(store, "ada");
      const bundle = filled(1, 32);
      const publish = (ids: readonly number[], replace = false) =>
        store.prekeys.publish("ada", bundle, keys(...ids), replace);
      assertEquals(await publish([1, 2, 3]), 3);
      assertEquals(await publish([1, 2, 3]), 3);
      assertEquals((await store.prekeys.takeOneTime("ada"))?.id, 1);
      // The answer was lost: a key that was handed out does not come back.
      assertEquals(await publish([1, 2, 3]), 2);
      assertEquals(await publish([3, 4]), 3);
      for (const id of [2, 3, 4]) {
        assertEquals((await store.prekeys.takeOneTime("ada"))?.id, id);
      }
      assertEquals(await publish([4]), 0);
      assertEquals(await publish([6, 5]), 2);
    });
  });

  Deno.test(`${name}: replacing drops what is left and begins anew`, async () => {
    await withStore(make, async (store) => {
      await register(store, "ada", "bob");
      const [old, fresh] = [filled(1, 32), filled(2, 32)];
      await store.prekeys.publish("ada", old, keys(7, 8, 9), false);
      await store.prekeys.publish("bob", old, keys(7), false);
      assertEquals(
        await store.prekeys.publish("ada", fresh, keys(1, 2), true),
        2,
      );
      assertEquals(await store.prekeys.bundle("ada"), fresh);
      assertEquals((await store.prekeys.takeOneTime("ada"))?.id, 1);
      assertEquals(await store.prekeys.publish("ada", fresh, [], true), 0);
      assertEquals(await store.prekeys.takeOneTime("ada"), undefined);
      assertEquals(await store.prekeys.left("bob"), 1);
    });
  });

  Deno.test(`${name}: only an account has prekeys`, async () => {
    await withStore(make, async (store) => {
      await register(store, "ada");
      await store.accounts.delete("ada");
      for (const address of ["ada", "nobody"]) {
        await assertRefused(
          () => store.prekeys.publish(address, filled(1, 32), keys(1), false),
          "ERR_STORE_NO_ACCOUNT",
        );
        assertEquals(await store.prekeys.bundle(address), undefined);
        assertEquals(await store.prekeys.left(address), 0);
        assertEquals(await store.prekeys.takeOneTime(address), undefined);
      }
    });
  });
}
