import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  transact,
  Transaction,
} from "../../../lib/mailbox/client/transaction.ts";
import type { RecordKind } from "../../../lib/mailbox/client/transaction.ts";
import { fromUtf8, importAead, utf8 } from "../../../lib/protocol/mod.ts";
import { Vault } from "../../../lib/store/mod.ts";

const WORDS: RecordKind<string> = {
  kind: "word",
  encode: (word) => utf8(word),
  decode: (bytes) => fromUtf8(bytes),
};

async function withVault(body: (vault: Vault) => Promise<void>): Promise<void> {
  const vault = await Vault.open(
    ":memory:",
    await importAead(new Uint8Array(32)),
  );
  try {
    await body(vault);
  } finally {
    vault.close();
  }
}

Deno.test("a transaction sees its own writes, and nobody else does before it is committed", async () => {
  await withVault(async (vault) => {
    const transaction = new Transaction(vault);
    assertEquals(await transaction.read(WORDS, "a"), undefined);
    transaction.write(WORDS, "a", "one");
    transaction.write(WORDS, "b", "two");
    assertEquals(await transaction.read(WORDS, "a"), "one");
    assertEquals(await transaction.read(WORDS, "b"), "two");
    transaction.remove(WORDS, "b");
    assertEquals(await transaction.read(WORDS, "b"), undefined);
    assertEquals((await vault.list("word")).length, 0);
    assert(await transaction.commit());
    assertEquals(
      (await vault.list("word")).map(({ key, body }) => [key, fromUtf8(body)]),
      [["a", "one"]],
    );
  });
});

Deno.test("a transaction takes effect as a whole or not at all", async () => {
  await withVault(async (vault) => {
    const first = new Transaction(vault);
    const second = new Transaction(vault);
    for (const transaction of [first, second]) {
      await transaction.read(WORDS, "shared");
    }
    first.write(WORDS, "shared", "first");
    second.write(WORDS, "shared", "second");
    second.write(WORDS, "own", "second");
    assert(await first.commit());
    assert(!await second.commit());
    assertEquals(await vault.get("word", "own"), undefined);
  });
});

Deno.test("a transaction that only reads always commits, and may remove what never was", async () => {
  await withVault(async (vault) => {
    const reading = new Transaction(vault);
    await reading.read(WORDS, "a");
    await transact(vault, (t) => Promise.resolve(t.write(WORDS, "a", "one")));
    assert(await reading.commit());
    const removing = new Transaction(vault);
    await removing.read(WORDS, "nothing");
    removing.remove(WORDS, "nothing");
    assert(await removing.commit());
  });
});

Deno.test("work that another came before is done again, on what is there then", async () => {
  await withVault(async (vault) => {
    const add = (letter: string) =>
      transact(vault, async (transaction) => {
        const before = await transaction.read(WORDS, "sum") ?? "";
        transaction.write(WORDS, "sum", before + letter);
        return before.length;
      });
    const letters = [..."abcdefghijklmnopqrst"];
    const lengths = await Promise.all(letters.map(add));
    assertEquals(lengths.toSorted((a, b) => a - b), letters.map((_, i) => i));
    const sum = fromUtf8((await vault.get("word", "sum"))!.body);
    assertEquals([...sum].toSorted(), letters);
  });
});

Deno.test("work that never comes to its end says so", async () => {
  await withVault(async (vault) => {
    let attempts = 0;
    await assertRejects(
      () =>
        transact(vault, async (transaction) => {
          attempts++;
          await transaction.read(WORDS, "a");
          await vault.commit([{
            kind: "word",
            key: "a",
            expect: attempts - 1,
            body: utf8("another"),
          }]);
          transaction.write(WORDS, "a", "mine");
        }),
      Error,
      "another process changes the same records",
    );
    assertEquals(attempts, 50);
    await assertRejects(
      () => transact(vault, () => Promise.reject(new RangeError("no"))),
      RangeError,
    );
  });
});
