import { assertEquals } from "@std/assert";
import { randomBytes } from "../../../lib/protocol/mod.ts";
import type { Bytes } from "../../../lib/protocol/mod.ts";
import type {
  BlobRecord,
  BlobUsage,
  ServerStore,
} from "../../../lib/store/mod.ts";
import { beforeAndAfter, withStore } from "./harness.ts";
import type { MakeHarness } from "./harness.ts";
import { AMPLE_BLOBS, blobSample, filled } from "./samples.ts";

function reserve(
  store: ServerStore,
  record: BlobRecord,
  quota: { owner?: BlobUsage; total?: BlobUsage } = {},
): Promise<string> {
  return store.blobs.reserve(record, {
    owner: AMPLE_BLOBS,
    total: AMPLE_BLOBS,
    ...quota,
  });
}

async function idsOf(store: ServerStore): Promise<string[]> {
  return (await store.blobs.ids()).map((id) => id.toHex()).toSorted();
}

function hexes(...values: readonly number[]): string[] {
  return values.map((value) => filled(value, 32).toHex());
}

/** What every store must do with blobs. */
export function blobCases(name: string, make: MakeHarness): void {
  Deno.test(`${name}: a blob is what was reserved, also after a restart`, async () => {
    await withStore(make, async (store, reopen) => {
      const records = [
        blobSample(1),
        // More than 2^32 bytes, and the bounds of the other fields.
        blobSample(2, {
          size: 2 ** 40 + 1,
          downloads: 100,
          header: randomBytes(255),
        }),
        blobSample(3, { size: 0, header: new Uint8Array(0), owner: "гость" }),
      ];
      for (const record of records) {
        assertEquals(await reserve(store, record), "reserved");
      }
      for await (const each of beforeAndAfter(store, reopen)) {
        for (const record of records) {
          assertEquals(await each.blobs.byId(record.id), record);
        }
        assertEquals(await each.blobs.byId(filled(4, 32)), undefined);
        assertEquals(await idsOf(each), hexes(1, 2, 3));
      }
    });
  });

  Deno.test(`${name}: a blob reserved again is left as it is`, async () => {
    await withStore(make, async (store, reopen) => {
      const first = blobSample(1);
      await reserve(store, first);
      for await (const each of beforeAndAfter(store, reopen)) {
        assertEquals(await reserve(each, { ...first }), "exists");
        assertEquals(await reserve(each, { ...first, expiresAt: 9 }), "exists");
        assertEquals(await each.blobs.byId(first.id), first);
      }
    });
  });

  const others: readonly Partial<BlobRecord>[] = [
    { writer: filled(9, 32) },
    { owner: "eve@example.org" },
    { header: filled(9, 32) },
    { header: new Uint8Array(0) },
    { size: 16_401 },
    { downloads: 2 },
  ];
  for (const fields of others) {
    const [field] = Object.keys(fields);
    Deno.test(`${name}: a blob of another ${field} does not replace one`, async () => {
      await withStore(make, async (store) => {
        const first = blobSample(1);
        await reserve(store, first);
        assertEquals(await reserve(store, { ...first, ...fields }), "other");
        assertEquals(await store.blobs.byId(first.id), first);
      });
    });
  }

  Deno.test(`${name}: of many who reserve one id, one owns it`, async () => {
    await withStore(make, async (store) => {
      const owners = [..."abcdefgh"];
      const outcomes = await Promise.all(
        owners.map((owner) => reserve(store, blobSample(1, { owner }))),
      );
      assertEquals(outcomes.toSorted(), [
        ...owners.slice(1).map(() => "other"),
        "reserved",
      ]);
      const winner = owners[outcomes.indexOf("reserved")];
      assertEquals((await store.blobs.byId(filled(1, 32)))?.owner, winner);
    });
  });

  quotaCases(name, make);
  readerCases(name, make);
  endCases(name, make);
}

function quotaCases(name: string, make: MakeHarness): void {
  const bounds: readonly (readonly [string, BlobUsage, BlobUsage, string])[] = [
    ["the owner's bytes", { blobs: 9, bytes: 200 }, AMPLE_BLOBS, "reserved"],
    ["the owner's bytes", { blobs: 9, bytes: 199 }, AMPLE_BLOBS, "quota"],
    ["the owner's blobs", { blobs: 2, bytes: 999 }, AMPLE_BLOBS, "reserved"],
    ["the owner's blobs", { blobs: 1, bytes: 999 }, AMPLE_BLOBS, "quota"],
    ["all bytes", AMPLE_BLOBS, { blobs: 9, bytes: 300 }, "reserved"],
    ["all bytes", AMPLE_BLOBS, { blobs: 9, bytes: 299 }, "quota"],
    ["all blobs", AMPLE_BLOBS, { blobs: 3, bytes: 999 }, "reserved"],
    ["all blobs", AMPLE_BLOBS, { blobs: 2, bytes: 999 }, "quota"],
  ];
  for (const [what, owner, total, outcome] of bounds) {
    const title = outcome === "quota" ? "over" : "up to";
    Deno.test(`${name}: ${title} the quota of ${what} is ${outcome}`, async () => {
      await withStore(make, async (store, reopen) => {
        await reserve(store, blobSample(1, { size: 100 }));
        await reserve(store, blobSample(2, { size: 100, owner: "bob" }));
        const after = await reopen();
        const third = blobSample(3, { size: 100 });
        assertEquals(await reserve(after, third, { owner, total }), outcome);
        assertEquals(
          await after.blobs.byId(third.id),
          outcome === "quota" ? undefined : third,
        );
      });
    });
  }

  Deno.test(`${name}: who repeats a reservation is not over the quota by it`, async () => {
    await withStore(make, async (store) => {
      const first = blobSample(1, { size: 100 });
      const owner = { blobs: 1, bytes: 100 };
      assertEquals(await reserve(store, first, { owner }), "reserved");
      assertEquals(await reserve(store, first, { owner }), "exists");
    });
  });

  Deno.test(`${name}: many at once do not get over the quota`, async () => {
    await withStore(make, async (store) => {
      const total = { blobs: 100, bytes: 350 };
      const outcomes = await Promise.all(
        [1, 2, 3, 4, 5, 6].map((value) =>
          reserve(store, blobSample(value, { size: 100 }), { total })
        ),
      );
      assertEquals(outcomes.filter((each) => each === "reserved").length, 3);
      assertEquals(await store.blobs.usage(), { blobs: 3, bytes: 300 });
    });
  });

  Deno.test(`${name}: the usage is of an owner, or of all`, async () => {
    await withStore(make, async (store, reopen) => {
      assertEquals(await store.blobs.usage(), { blobs: 0, bytes: 0 });
      await reserve(store, blobSample(1, { size: 2 ** 40 }));
      await reserve(store, blobSample(2, { size: 7 }));
      await reserve(store, blobSample(3, { size: 5, owner: "bob" }));
      for await (const each of beforeAndAfter(store, reopen)) {
        const { blobs } = each;
        assertEquals(await blobs.usage("bob"), { blobs: 1, bytes: 5 });
        assertEquals(await blobs.usage("eve"), { blobs: 0, bytes: 0 });
        assertEquals(await blobs.usage("ada@example.org"), {
          blobs: 2,
          bytes: 2 ** 40 + 7,
        });
        assertEquals(await blobs.usage(), { blobs: 3, bytes: 2 ** 40 + 12 });
      }
    });
  });
}

function readerCases(name: string, make: MakeHarness): void {
  const readers = [11, 12, 13, 14].map((value) => filled(value, 32));
  const [ada, bob, eve] = readers as [Bytes, Bytes, Bytes];

  Deno.test(`${name}: as many readers as downloads, and each again and again`, async () => {
    await withStore(make, async (store, reopen) => {
      const { id } = blobSample(1);
      await reserve(store, blobSample(1, { downloads: 2 }));
      assertEquals(await store.blobs.claim(id, ada), true);
      assertEquals(await store.blobs.claim(id, ada), true);
      assertEquals(await store.blobs.claim(id, bob), true);
      for await (const { blobs } of beforeAndAfter(store, reopen)) {
        assertEquals(await blobs.claim(id, eve), false);
        assertEquals(await blobs.claim(id, ada), true);
        assertEquals(await blobs.claim(id, bob), true);
      }
    });
  });

  Deno.test(`${name}: a blob that is not there has no readers`, async () => {
    await withStore(make, async (store) => {
      assertEquals(await store.blobs.claim(filled(1, 32), ada), false);
      assertEquals(await store.blobs.fetched(filled(1, 32), ada), false);
      await reserve(store, blobSample(1));
      assertEquals(await store.blobs.claim(filled(2, 32), ada), false);
      assertEquals(await store.blobs.claim(filled(1, 32), bob), true);
    });
  });

  Deno.test(`${name}: of many readers at once, as many as downloads get it`, async () => {
    await withStore(make, async (store) => {
      const { id } = blobSample(1);
      await reserve(store, blobSample(1, { downloads: 3 }));
      const many = Array.from({ length: 20 }, (_, i) => filled(i, 32));
      // Everybody asks twice: the two answers must agree, and only three people get it.
      const claims = await Promise.all(
        [...many, ...many].map((reader) => store.blobs.claim(id, reader)),
      );
      assertEquals(claims.slice(0, 20), claims.slice(20));
      assertEquals(claims.filter(Boolean).length, 6);
    });
  });

  Deno.test(`${name}: a blob is forgotten when all have fetched it`, async () => {
    await withStore(make, async (store, reopen) => {
      const { id } = blobSample(1);
      await reserve(store, blobSample(1, { downloads: 2 }));
      await reserve(store, blobSample(2));
      await store.blobs.claim(id, ada);
      await store.blobs.claim(id, bob);
      assertEquals(await store.blobs.fetched(id, ada), false);
      assertEquals(await store.blobs.fetched(id, ada), false);
      // Who never claimed it does not count.
      assertEquals(await store.blobs.fetched(id, eve), false);
      const { blobs } = await reopen();
      assertEquals(await blobs.claim(id, ada), true);
      assertEquals(await blobs.fetched(id, bob), true);
      assertEquals(await blobs.byId(id), undefined);
      assertEquals(await blobs.claim(id, ada), false);
      assertEquals(await blobs.fetched(id, bob), false);
      assertEquals((await blobs.usage()).blobs, 1);
    });
  });

  Deno.test(`${name}: of readers that end at once, one was the last`, async () => {
    await withStore(make, async (store) => {
      const { id } = blobSample(1);
      await reserve(store, blobSample(1, { downloads: readers.length }));
      for (const reader of readers) await store.blobs.claim(id, reader);
      const ends = await Promise.all(
        readers.map((reader) => store.blobs.fetched(id, reader)),
      );
      assertEquals(ends.filter(Boolean).length, 1);
      assertEquals(await store.blobs.byId(id), undefined);
    });
  });

  Deno.test(`${name}: a blob made again knows nothing of earlier readers`, async () => {
    await withStore(make, async (store) => {
      const { id } = blobSample(1);
      await reserve(store, blobSample(1, { downloads: 2 }));
      for (const reader of [ada, bob]) await store.blobs.claim(id, reader);
      await store.blobs.fetched(id, ada);
      await store.blobs.remove(id);
      await reserve(store, blobSample(1, { downloads: 2 }));
      assertEquals(await store.blobs.claim(id, eve), true);
      assertEquals(await store.blobs.fetched(id, eve), false);
    });
  });
}

function endCases(name: string, make: MakeHarness): void {
  Deno.test(`${name}: a removed blob is gone, and its room is free`, async () => {
    await withStore(make, async (store, reopen) => {
      await reserve(store, blobSample(1));
      await reserve(store, blobSample(2));
      assertEquals(await store.blobs.remove(filled(1, 32)), true);
      assertEquals(await store.blobs.remove(filled(1, 32)), false);
      for await (const each of beforeAndAfter(store, reopen)) {
        assertEquals(await idsOf(each), hexes(2));
        assertEquals((await each.blobs.usage()).blobs, 1);
      }
    });
  });

  Deno.test(`${name}: a blob ends at its time, not before`, async () => {
    await withStore(make, async (store, reopen) => {
      for (const value of [1, 2, 3]) {
        await reserve(store, blobSample(value, { expiresAt: value * 10 }));
        await store.blobs.claim(filled(value, 32), filled(99, 32));
      }
      assertEquals(await store.blobs.expire(9), 0);
      assertEquals(await idsOf(store), hexes(1, 2, 3));
      assertEquals(await store.blobs.expire(20), 2);
      const after = await reopen();
      assertEquals(await idsOf(after), hexes(3));
      assertEquals(await after.blobs.expire(20), 0);
      assertEquals(
        await after.blobs.claim(filled(1, 32), filled(99, 32)),
        false,
      );
    });
  });
}
