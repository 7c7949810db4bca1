import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { RoundKind, RunMode } from "../../../lib/mix/round.ts";
import {
  encodeSettings,
  keyOf,
  parseSettingsBody,
  parseSettingsDocument,
} from "../../../lib/mix/settings/run_settings.ts";
import type { SettingsFields } from "../../../lib/mix/settings/settings_fields.ts";
import {
  concat,
  MalformedError,
  randomBytes,
} from "../../../lib/protocol/mod.ts";
import { someFields, somePlace } from "./settings_fixture.ts";

function fieldsOf(body: Uint8Array<ArrayBuffer>): SettingsFields {
  const { body: _, ...fields } = parseSettingsBody(body);
  return fields;
}

Deno.test("settings are what they were before they were encoded", () => {
  const exchange = someFields();
  const dialing = someFields({ kind: RoundKind.DIALING, buckets: 7, slots: 1 });
  const circuits = someFields({
    mode: RunMode.CIRCUITS,
    count: 512,
    mixes: [somePlace(1), somePlace(1), somePlace(1)],
  });
  for (const fields of [exchange, dialing, circuits]) {
    const body = encodeSettings(fields);
    assertEquals(fieldsOf(body), fields);
    assertEquals(parseSettingsBody(body).body, body);
  }
});

Deno.test("the body of settings is laid out as the text says", () => {
  const fields = someFields({ mixes: [somePlace(3)] });
  const body = encodeSettings(fields);
  assertEquals(body.length, 59 + 32 + 8 + 3 * 32);
  assertEquals(body[0], 1);
  assertEquals(body.slice(1, 33), fields.coordinator);
  assertEquals(
    body.slice(33, 59).toHex(),
    "01" + "00" + "000001a3185c5000" + "0003" + "000007d0" + "000004b0" +
      "03" + "00000000" + "01",
  );
  assertEquals(body.slice(59, 91), fields.mixes[0]!.fingerprint);
  assertEquals(body.slice(91, 99).toHex(), "0000001400000005");
  assertEquals(body.slice(99), concat(...fields.mixes[0]!.onionKeys));
});

Deno.test("every field of settings has its bounds, for those who write and for those who read", () => {
  const whole = someFields();
  const place = whole.mixes[0]!;
  const noise = (mean: number, scale: number): Partial<SettingsFields> => ({
    mixes: [{ ...place, noise: { mean, scale } }],
  });
  const dialing = { kind: RoundKind.DIALING, buckets: 1 };
  const keyed = (count: number) => ({ count, mixes: [somePlace(count)] });
  const good: Partial<SettingsFields>[] = [
    { first: 0 },
    { first: 2 ** 52 },
    { period: 200, window: 200 },
    { period: 600_000 },
    { window: 1 },
    { window: 2_000 },
    { slots: 1 },
    { slots: 255 },
    { ...dialing },
    { ...dialing, buckets: 65_536 },
    keyed(1),
    keyed(512),
    { mixes: Array.from({ length: 8 }, () => somePlace(3)) },
    noise(0, 0),
    noise(0, 100_000),
    noise(1, 1),
    noise(1_000_000, 100_000),
  ];
  for (const changes of good) {
    const fields = someFields(changes);
    assertEquals(fieldsOf(encodeSettings(fields)), fields);
  }
  const bad: Partial<SettingsFields>[] = [
    { kind: 0 as RoundKind },
    { kind: 3 as RoundKind },
    { mode: 2 as RunMode },
    { first: -1 },
    { first: 2 ** 52 + 1 },
    { first: 0.5 },
    { count: 0, mixes: [somePlace(0)] },
    keyed(513),
    { period: 199, window: 1 },
    { period: 600_001 },
    { window: 0 },
    { window: 2_001 },
    { slots: 0 },
    { slots: 256 },
    { buckets: 1 },
    { ...dialing, buckets: 0 },
    { ...dialing, buckets: 65_537 },
    { mixes: [] },
    { mixes: Array.from({ length: 9 }, () => somePlace(3)) },
    { mixes: [somePlace(2)] },
    { mixes: [somePlace(4)] },
    { mixes: [somePlace(3, randomBytes(31))] },
    { coordinator: randomBytes(33) },
    { mixes: [{ ...place, onionKeys: [1, 2, 3].map(() => randomBytes(31)) }] },
    noise(1, 0),
    noise(-1, 1),
    noise(1_000_001, 1),
    noise(1, 100_001),
    // 8 mixes with 512 keys each do not fit.
    { count: 512, mixes: Array.from({ length: 8 }, () => somePlace(512)) },
  ];
  for (const changes of bad) {
    assertThrows(() => encodeSettings(someFields(changes)), RangeError);
  }
});

Deno.test("fields out of their bounds are not read", () => {
  const body = encodeSettings(someFields());
  const at = (place: number, ...bytes: number[]) => {
    const changed = body.slice();
    changed.set(bytes, place);
    return changed;
  };
  const bad = [
    at(0, 0), // version
    at(0, 2),
    at(33, 0), // kind
    at(33, 2), // dialing without buckets
    at(34, 2), // mode
    at(35, 0, 0x10, 0, 0, 0, 0, 0, 1), // first
    at(35, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff),
    at(43, 0, 0), // count
    at(43, 2, 1),
    at(45, 0, 0, 0, 199), // period
    at(45, 0, 9, 0x27, 0xc1),
    at(49, 0, 0, 0, 0), // window
    at(49, 0, 0, 7, 0xd1),
    at(53, 0), // slots
    at(54, 0, 0, 0, 1), // buckets
    at(58, 0), // mixes
    at(58, 1),
    at(58, 3),
    at(58, 9),
    at(91, 0, 0xf, 0x42, 0x41), // mean
    at(95, 0, 1, 0x86, 0xa1), // scale
    at(95, 0, 0, 0, 0),
  ];
  for (const bytes of bad) {
    assertThrows(() => parseSettingsBody(bytes), MalformedError);
  }
});

Deno.test("settings that are cut, longer, or have a bit flipped are refused or are other settings", () => {
  const body = encodeSettings(someFields());
  for (let length = 0; length < body.length; length++) {
    assertThrows(
      () => parseSettingsBody(body.slice(0, length)),
      MalformedError,
    );
  }
  assertThrows(
    () => parseSettingsBody(concat(body, new Uint8Array(1))),
    MalformedError,
  );
  assertThrows(
    () => parseSettingsBody(new Uint8Array(65_536).fill(1)),
    MalformedError,
  );
  let refused = 0;
  for (let bit = 0; bit < body.length * 8; bit++) {
    const flipped = body.slice();
    flipped[bit >> 3]! ^= 1 << (bit & 7);
    try {
      // There is one encoding: what parses is written as it was read.
      assertEquals(encodeSettings(parseSettingsBody(flipped)), flipped);
    } catch (error) {
      assert(error instanceof MalformedError);
      refused++;
    }
  }
  assert(refused > 100);
});

Deno.test("random bytes are no settings", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
    bytes[0] = 1;
    assertThrows(
      () => parseSettingsBody(new Uint8Array(bytes)),
      MalformedError,
    );
  }));
});

Deno.test("the key of a round is the mix's own, and in circuits the one", () => {
  const rounds = someFields();
  assertEquals(keyOf(rounds, 1, 2), rounds.mixes[1]!.onionKeys[2]);
  const circuits = someFields({
    mode: RunMode.CIRCUITS,
    mixes: [somePlace(1)],
  });
  assertEquals(keyOf(circuits, 0, 2), circuits.mixes[0]!.onionKeys[0]);
  for (const index of [-1, 3, 0.5]) {
    assertThrows(() => keyOf(rounds, 0, index), RangeError);
    assertThrows(() => keyOf(circuits, 0, index), RangeError);
  }
  assertThrows(() => keyOf(rounds, 2, 0), RangeError);
});

Deno.test("a document is a body with a signature for every mix", () => {
  const body = encodeSettings(someFields());
  const signatures = [randomBytes(64), randomBytes(64)];
  const document = concat(body, ...signatures);
  const parsed = parseSettingsDocument(document);
  assertEquals(parsed.settings.body, body);
  assertEquals(parsed.signatures, signatures);
  for (const wrong of [document.slice(0, -1), body, concat(document, body)]) {
    assertThrows(() => parseSettingsDocument(wrong), MalformedError);
  }
});
