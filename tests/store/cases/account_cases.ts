import { assertEquals } from "@std/assert";
import { randomBytes } from "../../../lib/protocol/mod.ts";
import { assertRefused, beforeAndAfter, withStore } from "./harness.ts";
import type { MakeHarness } from "./harness.ts";
import {
  accountSample,
  AMPLE,
  filled,
  letterSample,
  nonInteractiveSample,
  passphraseSample,
  register,
} from "./samples.ts";

/** What every store must do with accounts. */
export function accountCases(name: string, make: MakeHarness): void {
  Deno.test(`${name}: S3.3: an account is there with every field, also after a restart`, async () => {
    await withStore(make, async (store, reopen) => {
      const ada = accountSample("ada@zone");
      const bob = nonInteractiveSample("bob");
      assertEquals(await store.accounts.create(ada, null), "created");
      assertEquals(await store.accounts.create(bob, null), "created");
      for await (const each of beforeAndAfter(store, reopen)) {
        assertEquals(await each.accounts.byAddress("ada@zone"), ada);
        assertEquals(await each.accounts.byAddress("bob"), bob);
        assertEquals(
          await each.accounts.byCertificateId(ada.certificateId),
          ada,
        );
        assertEquals(await each.accounts.count(), 2);
      }
    });
  });

  Deno.test(`${name}: who is unknown is undefined`, async () => {
    await withStore(make, async (store) => {
      await register(store, "ada");
      for (const address of ["", "ad", "ada ", "Ada", "ada\0", "ada@zone"]) {
        assertEquals(await store.accounts.byAddress(address), undefined);
      }
      assertEquals(
        await store.accounts.byCertificateId(filled(0, 32)),
        undefined,
      );
    });
  });

  Deno.test(`${name}: an address is taken once, whoever asks at the same time`, async () => {
    await withStore(make, async (store) => {
      const rivals = Array.from({ length: 20 }, () => accountSample("ada"));
      const outcomes = await Promise.all(
        rivals.map((each) => store.accounts.create(each, null)),
      );
      assertEquals(outcomes.filter((each) => each === "created").length, 1);
      assertEquals(
        outcomes.filter((each) => each === "address-taken").length,
        19,
      );
      const winner = rivals[outcomes.indexOf("created")];
      assertEquals(await store.accounts.byAddress("ada"), winner);
      assertEquals(await store.accounts.count(), 1);
    });
  });

  Deno.test(`${name}: a certificate belongs to one account`, async () => {
    await withStore(make, async (store) => {
      const ada = accountSample("ada");
      const thief = {
        ...accountSample("eve"),
        certificateId: ada.certificateId,
      };
      await store.accounts.create(ada, null);
      assertEquals(
        await store.accounts.create(thief, null),
        "certificate-taken",
      );
      assertEquals(
        await store.accounts.byCertificateId(ada.certificateId),
        ada,
      );
      const honest = accountSample("eve");
      assertEquals(await store.accounts.create(honest, null), "created");
    });
  });

  Deno.test(`${name}: S3.3: a changed passphrase changes nothing else`, async () => {
    await withStore(make, async (store) => {
      const ada = accountSample("ada");
      const bob = accountSample("bob");
      await store.accounts.create(ada, null);
      await store.accounts.create(bob, null);
      const changed = { ...passphraseSample(), kdfMemoryKiB: 1, kdfPasses: 9 };
      await store.accounts.changePassphrase("ada", changed);
      assertEquals(await store.accounts.byAddress("ada"), {
        ...ada,
        ...changed,
      });
      assertEquals(await store.accounts.byAddress("bob"), bob);
    });
  });

  Deno.test(`${name}: a device is set and set again`, async () => {
    await withStore(make, async (store) => {
      const ada = accountSample("ada");
      await store.accounts.create(ada, null);
      for (const device of [filled(1, 16), filled(2, 16)]) {
        await store.accounts.setDevice("ada", device);
        assertEquals(await store.accounts.byAddress("ada"), {
          ...ada,
          device,
        });
      }
    });
  });

  Deno.test(`${name}: an account that is not there cannot be changed`, async () => {
    await withStore(make, async (store) => {
      await register(store, "ada");
      await store.accounts.delete("ada");
      for (const address of ["ada", "nobody"]) {
        await assertRefused(
          () => store.accounts.changePassphrase(address, passphraseSample()),
          "ERR_STORE_NO_ACCOUNT",
        );
        await assertRefused(
          () => store.accounts.setDevice(address, filled(1, 16)),
          "ERR_STORE_NO_ACCOUNT",
        );
        await store.accounts.delete(address);
      }
    });
  });

  Deno.test(`${name}: deleting takes prekeys and letters along, and nothing of others`, async () => {
    await withStore(make, async (store, reopen) => {
      await register(store, "ada", "bob", "cyd");
      const ada = await store.accounts.byAddress("ada");
      const one = [{ id: 1, key: filled(1, 32) }];
      await store.prekeys.publish("ada", filled(2, 32), one, false);
      await store.prekeys.publish("bob", filled(3, 32), one, false);
      const kept = letterSample("cyd", "bob");
      const pairs = [["ada", "bob"], ["bob", "ada"], ["ada", "ada"]] as const;
      for (const [sender, recipient] of pairs) {
        await store.letters.add(letterSample(sender, recipient), AMPLE);
      }
      const { sequence } = await store.letters.add(kept, AMPLE);

      await store.accounts.delete("ada");
      for await (const each of beforeAndAfter(store, reopen)) {
        assertEquals(await each.accounts.byAddress("ada"), undefined);
        assertEquals(
          await each.accounts.byCertificateId(ada!.certificateId),
          undefined,
        );
        assertEquals(await each.accounts.count(), 2);
        assertEquals(await each.prekeys.bundle("ada"), undefined);
        assertEquals(await each.prekeys.left("ada"), 0);
        assertEquals(await each.prekeys.takeOneTime("ada"), undefined);
        assertEquals(await each.letters.pending("ada", 0, 100), []);
        assertEquals(await each.letters.usage("ada"), { letters: 0, bytes: 0 });
        assertEquals(
          (await each.letters.pending("bob", 0, 100)).map((letter) =>
            letter.sequence
          ),
          [sequence],
        );
        assertEquals(await each.letters.usage("bob"), {
          letters: 1,
          bytes: kept.body.length,
        });
        assertEquals(await each.prekeys.left("bob"), 1);
        assertEquals(
          await each.letters.add(letterSample("bob", "ada"), AMPLE),
          { outcome: "unknown-recipient", sequence: 0 },
        );
      }
    });
  });

  Deno.test(`${name}: an address is never used again, not even by its owner`, async () => {
    await withStore(make, async (store, reopen) => {
      const ada = accountSample("ada");
      await store.accounts.create(ada, null);
      await store.accounts.delete("ada");
      for await (const each of beforeAndAfter(store, reopen)) {
        assertEquals(await each.accounts.create(ada, null), "address-taken");
        assertEquals(await each.accounts.count(), 0);
      }
      // The certificate is free again, under another name.
      const other = { ...ada, address: "ada2" };
      const last = await reopen();
      assertEquals(await last.accounts.create(other, null), "created");
    });
  });

  Deno.test(`${name}: an address that only wrote a letter is not taken`, async () => {
    await withStore(make, async (store) => {
      await register(store, "ada");
      await store.letters.add(letterSample("bob@far", "ada"), AMPLE);
      assertEquals(
        await store.letters.add(letterSample("ada", "bob@far"), AMPLE),
        { outcome: "unknown-recipient", sequence: 0 },
      );
      const bob = accountSample("bob@far");
      assertEquals(await store.accounts.create(bob, null), "created");
      assertEquals(await store.accounts.byAddress("bob@far"), bob);
    });
  });

  Deno.test(`${name}: nothing can be done after closing, and closing twice is fine`, async () => {
    await withStore(make, async (store) => {
      await register(store, "ada");
      const written = store.accounts.setDevice("ada", randomBytes(16));
      await store.close();
      await written;
      await store.close();
      for (
        const call of [
          () => store.accounts.byAddress("ada"),
          () => store.accounts.create(accountSample("bob"), null),
          () => store.accounts.count(),
          () => store.prekeys.takeOneTime("ada"),
          () => store.letters.add(letterSample("ada", "ada"), AMPLE),
          () => store.letters.pending("ada", 0, 1),
          () => store.invites.list(),
        ]
      ) await assertRefused(call, "ERR_STORE_CLOSED");
    });
  });
}
