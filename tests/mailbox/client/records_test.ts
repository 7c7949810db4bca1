import { assert, assertEquals, assertThrows } from "@std/assert";
import * as fc from "fast-check";
import { CONTACTS } from "../../../lib/mailbox/client/contact.ts";
import { DEVICE } from "../../../lib/mailbox/client/device.ts";
import {
  entryKey,
  HISTORY,
  TEXT_IDS,
} from "../../../lib/mailbox/client/history_entry.ts";
import {
  OUTBOX,
  outboxKey,
} from "../../../lib/mailbox/client/outbox_letter.ts";
import type { RecordKind } from "../../../lib/mailbox/client/transaction.ts";
import {
  addOneTimePrekeys,
  createPrekeys,
} from "../../../lib/mailbox/prekey_secrets.ts";
import { MalformedError, randomBytes } from "../../../lib/protocol/mod.ts";
import type { Bytes } from "../../../lib/protocol/mod.ts";

function bytes(length: number): fc.Arbitrary<Bytes> {
  return fc.uint8Array({ minLength: length, maxLength: length })
    .map((array) => new Uint8Array(array));
}

const u32 = fc.integer({ min: 0, max: 0xffffffff });
const time = fc.integer({ min: 0, max: 2 ** 48 });
const text = fc.string({ unit: "binary", maxLength: 60 })
  .filter((each) => each.isWellFormed());
const certificate = fc.oneof(bytes(0), bytes(40));

const KINDS: Record<string, {
  readonly kind: RecordKind<unknown>;
  readonly values: fc.Arbitrary<unknown>;
}> = {
  contact: {
    kind: CONTACTS as RecordKind<unknown>,
    values: fc.record({
      address: text,
      certificate,
      verified: fc.boolean(),
      changed: fc.oneof(fc.constant(null), bytes(40)),
      sessions: fc.array(bytes(8), { maxLength: 16 }),
      nextEntry: u32,
      unsealed: fc.array(u32, { maxLength: 5 }),
      unread: fc.array(bytes(8), { maxLength: 5 }),
    }),
  },
  history: {
    kind: HISTORY as RecordKind<unknown>,
    values: fc.record({
      number: u32,
      outgoing: fc.boolean(),
      textId: bytes(8),
      text,
      sentAt: time,
      at: time,
      state: fc.constantFrom(
        "queued",
        "stored",
        "delivered",
        "read",
        "failed",
        "received",
        "shown",
      ),
      reason: text,
      unposted: fc.integer({ min: 0, max: 0xffff }),
    }),
  },
  outbox: {
    kind: OUTBOX as RecordKind<unknown>,
    values: fc.record({
      letterId: bytes(16),
      address: text,
      entry: u32,
      letter: fc.oneof(bytes(546), bytes(1_710)),
    }),
  },
  text: { kind: TEXT_IDS as RecordKind<unknown>, values: u32 },
};

for (const [name, { kind, values }] of Object.entries(KINDS)) {
  Deno.test(`a record of the kind ${name} reads back as it was written, and not otherwise`, () => {
    fc.assert(
      fc.property(values, (value) => {
        const encoded = kind.encode(value);
        assertEquals(kind.decode(encoded), value);
        for (const length of [0, 1, encoded.length - 1]) {
          const cut = encoded.slice(0, length);
          assertThrows(() => kind.decode(cut), MalformedError);
        }
        const longer = new Uint8Array([...encoded, 0]);
        assertThrows(() => kind.decode(longer), MalformedError);
      }),
      { numRuns: 60 },
    );
  });
}

Deno.test("a device's record reads back as it was written, and not otherwise", async () => {
  const { secrets } = await addOneTimePrekeys(await createPrekeys(7), 3);
  for (const announced of [true, false]) {
    const device = { id: randomBytes(16), announced, prekeys: secrets };
    const encoded = DEVICE.encode(device);
    assertEquals(DEVICE.decode(encoded), device);
    for (let length = 0; length < encoded.length; length++) {
      const cut = encoded.slice(0, length);
      assertThrows(() => DEVICE.decode(cut), MalformedError);
    }
  }
});

Deno.test("a contact of a version that is not known is not read", () => {
  const encoded = CONTACTS.encode({
    address: "bob@test",
    certificate: new Uint8Array(0),
    verified: false,
    changed: null,
    sessions: [],
    nextEntry: 1,
    unsealed: [],
    unread: [],
  });
  encoded[0] = 2;
  assertThrows(() => CONTACTS.decode(encoded), MalformedError, "version 2");
});

Deno.test("keys of history and outbox are in the order of numbers and of writing", () => {
  const numbers = [1, 9, 10, 99, 100, 4_294_967_295];
  const keys = numbers.map((number) => entryKey("who", number));
  assertEquals(keys.toSorted(), keys);
  const letters = Array.from(
    { length: 300 },
    (_, i) => outboxKey(1_000 + Math.floor(i / 100), randomBytes(16)),
  );
  assertEquals(letters.toSorted(), letters);
  assertEquals(new Set(letters).size, letters.length);
  assert(
    outboxKey(999_999, randomBytes(16)) < outboxKey(1e14, randomBytes(16)),
  );
});
