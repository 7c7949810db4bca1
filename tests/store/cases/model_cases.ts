import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { StoreError } from "../../../lib/store/mod.ts";
import type { ServerStore } from "../../../lib/store/mod.ts";
import { withStore } from "./harness.ts";
import type { MakeHarness } from "./harness.ts";
import { ModelStore } from "./model.ts";
import { accountSample, filled, letterSample } from "./samples.ts";

/** A step that the store and the model take; both give something that must be equal. */
type Step =
  | { do: "create"; who: string; certificate: number; invite: number | null }
  | { do: "delete"; who: string }
  | { do: "invite"; value: number; uses: number; expiresAt: number }
  | { do: "publish"; who: string; ids: number[]; replace: boolean }
  | { do: "take"; who: string }
  | {
    do: "add";
    from: string;
    to: string;
    id: number;
    size: number;
    at: number;
  }
  | { do: "acknowledge"; who: string; nth: number[] }
  | { do: "expire"; now: number }
  | { do: "read"; who: string; limit: number }
  | { do: "reopen" };

const QUOTA = { letters: 3, bytes: 40 };
const PEOPLE = ["ada", "bob", "cyd@far"];

/** Without anybody there most steps would do nothing. */
const BEGINNING: readonly Step[] = [
  { do: "create", who: "ada", certificate: 0, invite: null },
  { do: "create", who: "bob", certificate: 1, invite: null },
];

const who = fc.constantFrom(...PEOPLE);
const small = fc.nat(4);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("create" as const),
      who,
      certificate: fc.nat(2),
      invite: fc.option(fc.nat(1), { freq: 2 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant("delete" as const), who }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("invite" as const),
      value: fc.nat(1),
      uses: fc.integer({ min: 1, max: 2 }),
      expiresAt: fc.nat(9),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("publish" as const),
      who,
      ids: fc.uniqueArray(fc.nat(9), { maxLength: 3 }),
      replace: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant("take" as const), who }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant("add" as const),
      from: who,
      to: who,
      id: small,
      size: fc.nat(20),
      at: fc.nat(9),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("acknowledge" as const),
      who,
      nth: fc.array(fc.nat(3), { maxLength: 3 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("expire" as const),
      now: fc.nat(9),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("read" as const),
      who,
      limit: small,
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("reopen" as const) }) },
);

/** Any history must look the same in the store and in the simplest one there can be. */
export function modelCases(name: string, make: MakeHarness): void {
  Deno.test(`${name}: any history looks as it does in the model`, async () => {
    const seen = new Set<string>();
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 60, size: "max" }),
        async (steps) => {
          await withStore(make, async (opened, reopen) => {
            let store = opened;
            const model = new ModelStore();
            for (const each of [...BEGINNING, ...steps]) {
              if (each.do === "reopen") store = await reopen();
              else seen.add(`${each.do} ${await take(each, store, model)}`);
            }
            await compare(store, model);
          });
        },
      ),
      { numRuns: 80 },
    );
    // The histories are of use only if they go everywhere.
    for (
      const outcome of [
        "create created",
        "create address-taken",
        "create certificate-taken",
        "create invite-invalid",
        "add stored",
        "add duplicate",
        "add quota",
        "add unknown-recipient",
        "acknowledge 1",
        "expire 1",
        "take a key",
      ]
    ) assertEquals([outcome, seen.has(outcome)], [outcome, true]);
  });
}

/** Takes the step in both, compares, and tells briefly what came of it. */
async function take(
  step: Exclude<Step, { do: "reopen" }>,
  store: ServerStore,
  model: ModelStore,
): Promise<string> {
  switch (step.do) {
    case "create": {
      const account = {
        ...accountSample(step.who),
        certificateId: filled(step.certificate, 32),
        createdAt: 5,
      };
      const invite = step.invite === null ? null : filled(step.invite, 32);
      const outcome = await store.accounts.create(account, invite);
      assertEquals(outcome, model.create(account, invite));
      return outcome;
    }
    case "delete":
      model.delete(step.who);
      await store.accounts.delete(step.who);
      return "";
    case "invite": {
      const { uses, expiresAt } = step;
      const hash = filled(step.value, 32);
      model.invite(hash, uses, expiresAt);
      await store.invites.create({ hash, uses, expiresAt, note: "" });
      return "";
    }
    case "publish": {
      const keys = step.ids.map((id) => ({ id, key: filled(id, 32) }));
      const bundle = filled(step.ids.length, 32);
      const left = await store.prekeys
        .publish(step.who, bundle, keys, step.replace)
        .catch((error) => {
          if (error instanceof StoreError) return undefined;
          throw error;
        });
      assertEquals(left, model.publish(step.who, bundle, keys, step.replace));
      return `${left}`;
    }
    case "take": {
      const key = await store.prekeys.takeOneTime(step.who);
      assertEquals(key, model.takeOneTime(step.who));
      return key === undefined ? "none" : "a key";
    }
    case "add": {
      const letter = letterSample(step.from, step.to, {
        letterId: filled(step.id, 16),
        body: new Uint8Array(step.size).fill(step.id),
        expiresAt: step.at,
      });
      const added = await store.letters.add(letter, QUOTA);
      assertEquals(added, model.add(letter, QUOTA, added.sequence));
      return added.outcome;
    }
    case "acknowledge": {
      const waiting = model.pending(step.who, 0, 100);
      const sequences = step.nth.map((nth) => waiting[nth]?.sequence ?? 999);
      const count = await store.letters.acknowledge(step.who, sequences);
      assertEquals(count, model.acknowledge(step.who, sequences));
      return `${count}`;
    }
    case "expire": {
      const count = await store.letters.expire(step.now);
      assertEquals(count, model.expire(step.now));
      return `${count}`;
    }
    case "read":
      assertEquals(
        await store.letters.pending(step.who, 1, step.limit),
        model.pending(step.who, 1, step.limit),
      );
      return "";
  }
}

async function compare(store: ServerStore, model: ModelStore): Promise<void> {
  assertEquals(await store.accounts.count(), model.count());
  for (const address of PEOPLE) {
    assertEquals(
      await store.accounts.byAddress(address),
      model.byAddress(address),
    );
    assertEquals(await store.prekeys.left(address), model.left(address));
    assertEquals(await store.letters.usage(address), model.usage(address));
    assertEquals(
      await store.letters.pending(address, 0, 100),
      model.pending(address, 0, 100),
    );
  }
  const invites = (await store.invites.list())
    .map(({ hash, uses }) => ({ hash: hash.toHex(), uses }))
    .toSorted((a, b) => a.hash < b.hash ? -1 : 1);
  assertEquals(invites, model.invites());
}
