import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { utf8 } from "../../lib/protocol/mod.ts";
import type { Vault } from "../../lib/store/mod.ts";
import { withVault } from "./with_vault.ts";

interface Change {
  readonly kind: string;
  readonly key: string;
  /** How far the expected version is from the right one. */
  readonly off: number;
  readonly body: string | null;
}

type Model = Map<string, { version: number; body: string }>;

const KINDS = ["k", "l"];
const KEYS = ["", "a", "a/b", "é", "😀"];

const change: fc.Arbitrary<Change> = fc.record({
  kind: fc.constantFrom(...KINDS),
  key: fc.constantFrom(...KEYS),
  off: fc.constantFrom(0, 0, 0, 0, 0, 0, 1, -1),
  body: fc.option(fc.string({ maxLength: 40 }), { freq: 4 }),
});
const changes = fc.uniqueArray(change, {
  maxLength: 4,
  selector: ({ kind, key }) => `${kind}|${key}`,
});

Deno.test("vault: any history looks as it does in a map", async () => {
  let [made, refused] = [0, 0];
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.option(changes, { freq: 8 }), { size: "max", maxLength: 30 }),
      async (steps) => {
        await withVault(async (opened, reopen) => {
          let vault = opened;
          const model: Model = new Map();
          for (const step of steps) {
            if (step === null) {
              vault = await reopen();
              continue;
            }
            const sent = step.map(({ kind, key, off, body }) => ({
              kind,
              key,
              expect: Math.max(0, version(model, kind, key) + off),
              body: body === null ? null : utf8(body),
            }));
            const isMade = sent.every((each) =>
              each.expect === version(model, each.kind, each.key)
            );
            assertEquals(await vault.commit(sent), isMade);
            if (isMade) made++;
            else refused++;
            if (isMade) apply(model, step);
          }
          await compare(vault, model);
        });
      },
    ),
    { numRuns: 40 },
  );
  assertEquals([made > 0, refused > 0], [true, true]);
});

function version(model: Model, kind: string, key: string): number {
  return model.get(`${kind}|${key}`)?.version ?? 0;
}

function apply(model: Model, step: readonly Change[]): void {
  for (const { kind, key, body } of step) {
    const next = version(model, kind, key) + 1;
    if (body === null) model.delete(`${kind}|${key}`);
    else model.set(`${kind}|${key}`, { version: next, body });
  }
}

async function compare(vault: Vault, model: Model): Promise<void> {
  for (const kind of KINDS) {
    const expected = KEYS.flatMap((key) => {
      const record = model.get(`${kind}|${key}`);
      return record === undefined
        ? []
        : [{ key, version: record.version, body: utf8(record.body) }];
    });
    assertEquals(await vault.list(kind), expected);
    for (const key of KEYS) {
      const listed = expected.find((each) => each.key === key);
      assertEquals(
        await vault.get(kind, key),
        listed && { version: listed.version, body: listed.body },
      );
    }
  }
}
