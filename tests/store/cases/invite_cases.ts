import { assertEquals } from "@std/assert";
import type { Invite } from "../../../lib/store/mod.ts";
import { withStore } from "./harness.ts";
import type { MakeHarness } from "./harness.ts";
import { accountSample, filled, register } from "./samples.ts";

function invite(value: number, fields: Partial<Invite> = {}): Invite {
  return {
    hash: filled(value, 32),
    uses: 1,
    expiresAt: 5_000,
    note: `for ${value}`,
    ...fields,
  };
}

/** What every store must do with invites. */
export function inviteCases(name: string, make: MakeHarness): void {
  Deno.test(`${name}: invites are listed, the earliest to expire first`, async () => {
    await withStore(make, async (store, reopen) => {
      const late = invite(1, { expiresAt: 9_000 });
      const early = invite(2, { expiresAt: 100, uses: 70, note: "" });
      await store.invites.create(late);
      await store.invites.create(early);
      assertEquals(await store.invites.list(), [early, late]);
      assertEquals(await (await reopen()).invites.list(), [early, late]);
    });
  });

  Deno.test(`${name}: an invite is good for as many accounts as it says`, async () => {
    await withStore(make, async (store) => {
      const twice = invite(1, { uses: 2 });
      await store.invites.create(twice);
      const outcomes = await Promise.all(
        [..."abcde"].map((address) =>
          store.accounts.create(
            { ...accountSample(address), createdAt: 1 },
            twice.hash,
          )
        ),
      );
      assertEquals(outcomes.filter((each) => each === "created").length, 2);
      assertEquals(
        outcomes.filter((each) => each === "invite-invalid").length,
        3,
      );
      assertEquals(await store.accounts.count(), 2);
      assertEquals(await store.invites.list(), []);
    });
  });

  Deno.test(`${name}: an invite is not used up by an account that is not made`, async () => {
    await withStore(make, async (store) => {
      await register(store, "ada");
      const once = invite(1);
      await store.invites.create(once);
      const ada = { ...accountSample("ada"), createdAt: 1 };
      assertEquals(
        await store.accounts.create(ada, once.hash),
        "address-taken",
      );
      assertEquals(await store.invites.list(), [once]);
      const bob = { ...accountSample("bob"), createdAt: 1 };
      assertEquals(await store.accounts.create(bob, once.hash), "created");
    });
  });

  Deno.test(`${name}: an unknown or revoked invite makes no account, and takes no address`, async () => {
    await withStore(make, async (store) => {
      await store.invites.create(invite(1));
      assertEquals(await store.invites.revoke(filled(1, 32)), true);
      assertEquals(await store.invites.revoke(filled(1, 32)), false);
      for (const value of [1, 2]) {
        const hash = filled(value, 32);
        const ada = { ...accountSample("ada"), createdAt: 1 };
        assertEquals(await store.accounts.create(ada, hash), "invite-invalid");
        assertEquals(await store.accounts.byAddress("ada"), undefined);
      }
      await register(store, "ada");
    });
  });

  Deno.test(`${name}: an invite ends at its time, not before`, async () => {
    for (
      const [createdAt, outcome] of [
        [4_999, "created"],
        [5_000, "invite-invalid"],
        [5_001, "invite-invalid"],
      ] as const
    ) {
      await withStore(make, async (store) => {
        await store.invites.create(invite(1));
        const ada = { ...accountSample("ada"), createdAt };
        assertEquals(
          await store.accounts.create(ada, filled(1, 32)),
          outcome,
        );
      });
    }
  });

  Deno.test(`${name}: expired invites are swept`, async () => {
    await withStore(make, async (store) => {
      for (const value of [1, 2, 3]) {
        await store.invites.create(invite(value, { expiresAt: value * 10 }));
      }
      assertEquals(await store.invites.expire(9), 0);
      assertEquals(await store.invites.expire(20), 2);
      assertEquals(await store.invites.list(), [invite(3, { expiresAt: 30 })]);
    });
  });

  Deno.test(`${name}: an invite made again is replaced, and needs a use`, async () => {
    await withStore(make, async (store) => {
      await store.invites.create(invite(1));
      const again = invite(1, { uses: 7, note: "again" });
      await store.invites.create(again);
      assertEquals(await store.invites.list(), [again]);
      for (const uses of [0, -1, 1.5, NaN]) {
        let refused = false;
        await store.invites.create(invite(2, { uses })).catch((error) => {
          refused = error instanceof RangeError;
        });
        assertEquals(refused, true);
      }
      assertEquals(await store.invites.list(), [again]);
    });
  });
}
