import { assert, assertEquals } from "@std/assert";
import { randomBytes } from "../../../lib/protocol/mod.ts";
import { beforeAndAfter, withStore } from "./harness.ts";
import type { MakeHarness } from "./harness.ts";
import { AMPLE, filled, letterSample, register } from "./samples.ts";

/** What every store must do with letters. */
export function letterCases(name: string, make: MakeHarness): void {
  Deno.test(`${name}: a letter waits with every field, also after a restart`, async () => {
    await withStore(make, async (store, reopen) => {
      await register(store, "ada", "bob");
      const letter = letterSample("bob", "ada", { storedAt: 1_234 });
      const { outcome, sequence } = await store.letters.add(letter, AMPLE);
      assertEquals(outcome, "stored");
      assert(sequence >= 1);
      const waiting = [{
        sequence,
        sender: "bob",
        letterId: letter.letterId,
        body: letter.body,
        storedAt: 1_234,
      }];
      assertEquals(await store.letters.pending("ada", 0, 10), waiting);
      const again = await reopen();
      assertEquals(await again.letters.pending("ada", 0, 10), waiting);
      assertEquals(await again.letters.pending("bob", 0, 10), []);
    });
  });

  Deno.test(`${name}: bodies of any size come back as they were`, async () => {
    await withStore(make, async (store) => {
      await register(store, "ada");
      const bodies = [0, 1, 546, 1_002, 1_003, 4_096, 65_537].map(randomBytes);
      for (const body of bodies) {
        await store.letters.add(letterSample("x", "ada", { body }), AMPLE);
      }
      const waiting = await store.letters.pending("ada", 0, 100);
      assertEquals(waiting.map((each) => each.body), bodies);
    });
  });

  Deno.test(`${name}: letters are read in order and in portions`, async () => {
    await withStore(make, async (store) => {
      await register(store, "ada", "bob");
      const sequences: number[] = [];
      for (let i = 0; i < 7; i++) {
        const [mine, other] = await Promise.all([
          store.letters.add(letterSample("bob", "ada"), AMPLE),
          store.letters.add(letterSample("ada", "bob"), AMPLE),
        ]);
        assertEquals(other.outcome, "stored");
        sequences.push(mine.sequence);
      }
      assertEquals(sequences, sequences.toSorted((a, b) => a - b));
      const read = async (after: number, limit: number) =>
        (await store.letters.pending("ada", after, limit))
          .map((each) => each.sequence);
      assertEquals(await read(0, 3), sequences.slice(0, 3));
      assertEquals(await read(sequences[2]!, 3), sequences.slice(3, 6));
      assertEquals(await read(sequences[5]!, 3), sequences.slice(6));
      assertEquals(await read(sequences[6]!, 3), []);
      assertEquals(await read(0, 0), []);
    });
  });

  Deno.test(`${name}: a letter that is sent again is stored once`, async () => {
    await withStore(make, async (store, reopen) => {
      await register(store, "ada", "bob");
      const letter = letterSample("bob", "ada");
      const { sequence } = await store.letters.add(letter, AMPLE);
      const duplicate = { outcome: "duplicate", sequence } as const;
      const later = { ...letter, storedAt: 1_500, expiresAt: 9_000 };
      assertEquals(await store.letters.add(later, AMPLE), duplicate);
      assertEquals(await store.letters.acknowledge("ada", [sequence]), 1);
      for await (const each of beforeAndAfter(store, reopen)) {
        assertEquals(await each.letters.add(later, AMPLE), duplicate);
        assertEquals(await each.letters.pending("ada", 0, 10), []);
        assertEquals(await each.letters.usage("ada"), { letters: 0, bytes: 0 });
      }
    });
  });

  Deno.test(`${name}: one letter sent many times at once is stored once`, async () => {
    await withStore(make, async (store) => {
      await register(store, "ada");
      const letter = letterSample("bob", "ada");
      const outcomes = await Promise.all(
        Array.from({ length: 20 }, () => store.letters.add(letter, AMPLE)),
      );
      const sequences = new Set(outcomes.map((each) => each.sequence));
      assertEquals(sequences.size, 1);
      assertEquals(
        outcomes.filter((each) => each.outcome === "stored").length,
        1,
      );
      assertEquals((await store.letters.pending("ada", 0, 100)).length, 1);
      assertEquals((await store.letters.usage("ada")).letters, 1);
    });
  });

  Deno.test(`${name}: an id belongs to one sender and one recipient`, async () => {
    await withStore(make, async (store) => {
      await register(store, "ada", "bob", "cyd");
      const letterId = filled(7, 16);
      for (const sender of ["bob", "cyd"]) {
        for (const recipient of ["ada", "bob"]) {
          const letter = letterSample(sender, recipient, { letterId });
          const { outcome } = await store.letters.add(letter, AMPLE);
          assertEquals(outcome, "stored");
        }
      }
      assertEquals((await store.letters.usage("ada")).letters, 2);
    });
  });

  Deno.test(`${name}: the quota holds to the letter and to the byte`, async () => {
    const body = randomBytes(100);
    for (
      const [quota, fit] of [
        [{ letters: 3, bytes: 1_000 }, 3],
        [{ letters: 9, bytes: 300 }, 3],
        [{ letters: 9, bytes: 299 }, 2],
        [{ letters: 0, bytes: 1_000 }, 0],
        [{ letters: 9, bytes: 99 }, 0],
      ] as const
    ) {
      await withStore(make, async (store) => {
        await register(store, "ada", "bob");
        const add = async (recipient: string) =>
          (await store.letters
            .add(letterSample("bob", recipient, { body }), quota)).outcome;
        for (let i = 0; i < fit; i++) assertEquals(await add("ada"), "stored");
        assertEquals(await add("ada"), "quota");
        assertEquals(await store.letters.usage("ada"), {
          letters: fit,
          bytes: 100 * fit,
        });
        if (fit === 0) return;
        assertEquals(await add("bob"), "stored");
        const [first] = await store.letters.pending("ada", 0, 1);
        await store.letters.acknowledge("ada", [first!.sequence]);
        assertEquals(await add("ada"), "stored");
        assertEquals(await add("ada"), "quota");
      });
    }
  });

  Deno.test(`${name}: a duplicate is called one even when the quota is reached`, async () => {
    await withStore(make, async (store) => {
      await register(store, "ada");
      const letter = letterSample("bob", "ada");
      const quota = { letters: 1, bytes: 10_000 };
      const { sequence } = await store.letters.add(letter, quota);
      assertEquals(await store.letters.add(letter, quota), {
        outcome: "duplicate",
        sequence,
      });
    });
  });

  Deno.test(`${name}: nobody gets letters who has no account`, async () => {
    await withStore(make, async (store) => {
      await register(store, "ada");
      assertEquals(
        await store.letters.add(letterSample("ada", "nobody"), AMPLE),
        { outcome: "unknown-recipient", sequence: 0 },
      );
      assertEquals(await store.letters.pending("nobody", 0, 10), []);
      assertEquals(await store.letters.acknowledge("nobody", [1]), 0);
      assertEquals(await store.letters.usage("nobody"), {
        letters: 0,
        bytes: 0,
      });
    });
  });

  Deno.test(`${name}: only letters that are there are acknowledged, each once, by their recipient`, async () => {
    await withStore(make, async (store) => {
      await register(store, "ada", "bob");
      const sequences: number[] = [];
      for (let i = 0; i < 4; i++) {
        const letter = letterSample("bob", "ada");
        sequences.push((await store.letters.add(letter, AMPLE)).sequence);
      }
      const [first, second, third, fourth] = sequences;
      const acknowledge = (who: string, ...which: (number | undefined)[]) =>
        store.letters.acknowledge(who, which.map((each) => each ?? 0));
      assertEquals(await acknowledge("bob", first), 0);
      assertEquals(await acknowledge("ada"), 0);
      assertEquals(await acknowledge("ada", second, 99_999, third, second), 2);
      assertEquals(await acknowledge("ada", second, first), 1);
      assertEquals(
        (await store.letters.pending("ada", 0, 9)).map((each) => each.sequence),
        [fourth!],
      );
      assertEquals(await store.letters.usage("ada"), {
        letters: 1,
        bytes: 546,
      });
    });
  });

  Deno.test(`${name}: a sequence is never used again`, async () => {
    await withStore(make, async (store, reopen) => {
      await register(store, "ada");
      let last = 0;
      let current = store;
      for (let i = 0; i < 6; i++) {
        const letter = letterSample("bob", "ada", { expiresAt: 10 });
        const { sequence } = await current.letters.add(letter, AMPLE);
        assert(sequence > last);
        last = sequence;
        if (i % 2 === 0) await current.letters.acknowledge("ada", [sequence]);
        else await current.letters.expire(10);
        current = await reopen();
      }
    });
  });

  Deno.test(`${name}: an expired letter goes, and its id is forgotten, at its time and not before`, async () => {
    await withStore(make, async (store) => {
      await register(store, "ada", "bob");
      const early = letterSample("bob", "ada", { expiresAt: 100 });
      const read = letterSample("bob", "ada", { expiresAt: 100 });
      const late = letterSample("bob", "ada", { expiresAt: 101 });
      await store.letters.add(early, AMPLE);
      const { sequence } = await store.letters.add(read, AMPLE);
      await store.letters.acknowledge("ada", [sequence]);
      await store.letters.add(late, AMPLE);

      assertEquals(await store.letters.expire(99), 0);
      assertEquals(
        (await store.letters.add(read, AMPLE)).outcome,
        "duplicate",
      );
      assertEquals(await store.letters.expire(100), 1);
      assertEquals(
        (await store.letters.pending("ada", 0, 9)).map((each) => each.letterId),
        [late.letterId],
      );
      assertEquals(await store.letters.usage("ada"), {
        letters: 1,
        bytes: 546,
      });
      for (
        const [letter, outcome] of [
          [early, "stored"],
          [read, "stored"],
          [late, "duplicate"],
        ] as const
      ) {
        assertEquals((await store.letters.add(letter, AMPLE)).outcome, outcome);
      }
    });
  });

  Deno.test(`${name}: many letters expire at once`, async () => {
    await withStore(make, async (store) => {
      await register(store, "ada", "bob");
      const many = 2_500;
      await Promise.all(
        Array.from({ length: many }, (_, i) =>
          store.letters.add(
            letterSample("bob", i % 2 === 0 ? "ada" : "bob", {
              body: filled(1, 16),
              expiresAt: i,
            }),
            AMPLE,
          )),
      );
      assertEquals(await store.letters.expire(many - 2), many - 1);
      assertEquals(await store.letters.usage("ada"), { letters: 0, bytes: 0 });
      assertEquals(await store.letters.usage("bob"), { letters: 1, bytes: 16 });
      assertEquals(await store.letters.expire(many), 1);
    });
  });
}
