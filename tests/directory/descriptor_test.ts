import { assert, assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import { compareBytes } from "../../lib/directory/byte_order.ts";
import {
  DESCRIPTOR_LIMIT,
  parseDescriptor,
  signDescriptor,
} from "../../lib/directory/descriptor.ts";
import { ExitPolicy } from "../../lib/directory/exit_policy.ts";
import { MalformedError, randomBytes } from "../../lib/protocol/mod.ts";
import { freshNodeKeyring, testNodeKeyring } from "../support/keyrings.ts";
import { fields, relay } from "./relays.ts";

Deno.test("S4.1: a descriptor says who, where and with which keys, and reads back the same", async () => {
  const keyring = await testNodeKeyring();
  const family = [randomBytes(32), randomBytes(32)].sort(compareBytes);
  for (
    const some of [
      {},
      { address: { host: "2001:db8::1", port: 1 }, roles: 3, version: "" },
      { family, policy: ExitPolicy.REJECT_ALL, bandwidth: 0 },
      { bandwidth: Number.MAX_SAFE_INTEGER, publishedAt: 0 },
    ]
  ) {
    const signed = await signDescriptor(fields(some), keyring);
    const read = await parseDescriptor(signed.bytes);
    assertEquals(read.policy.toString(), signed.policy.toString());
    assertEquals({ ...read, policy: 0 }, { ...signed, policy: 0 });
    assertEquals(read.identity.fingerprint, keyring.certificate.fingerprint);
  }
});

Deno.test("a descriptor is refused at every length but its own, and with every bit flipped", async () => {
  const { bytes } = await relay({ policy: ExitPolicy.REJECT_ALL, version: "" });
  for (let length = 0; length < bytes.length; length++) {
    await assertRejects(
      () => parseDescriptor(bytes.subarray(0, length)),
      MalformedError,
    );
  }
  await assertRejects(
    () => parseDescriptor(new Uint8Array([...bytes, 0])),
    MalformedError,
  );
  for (let at = 0; at < bytes.length; at++) {
    const altered = bytes.slice();
    altered[at]! ^= 1 << at % 8;
    await assertRejects(() => parseDescriptor(altered), MalformedError);
  }
});

Deno.test("a swapped onion key is noticed: nobody but the relay can name one", async () => {
  const mine = await relay();
  const other = await relay();
  const swapped = mine.bytes.slice();
  swapped.set(other.onionKey, 1 + 559);
  await assertRejects(() => parseDescriptor(swapped), MalformedError);
  const grafted = mine.bytes.slice();
  grafted.set(other.bytes.subarray(1, 560), 1);
  await assertRejects(() => parseDescriptor(grafted), MalformedError);
});

Deno.test("any bytes are a descriptor or a MalformedError", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uint8Array({ maxLength: DESCRIPTOR_LIMIT + 10 }),
      async (bytes) => {
        if (bytes.length > 0) bytes[0] = 1;
        await assertRejects(() => parseDescriptor(bytes), MalformedError);
      },
    ),
  );
});

Deno.test("what is no descriptor is not signed", async () => {
  const keyring = await freshNodeKeyring();
  const [low, high] = [randomBytes(32), randomBytes(32)].sort(compareBytes);
  for (
    const some of [
      { onionKey: new Uint8Array(31) },
      { roles: 4 },
      { version: "with blank" },
      { version: "x".repeat(33) },
      { bandwidth: -1 },
      { bandwidth: 0.5 },
      { publishedAt: NaN },
      { family: [high!, low!] },
      { family: [low!, low!] },
      { family: [new Uint8Array(31)] },
      {
        family: Array.from(
          { length: 33 },
          (_, i) => new Uint8Array(32).fill(i),
        ),
      },
    ]
  ) {
    await assertRejects(
      () => signDescriptor(fields(some), keyring),
      RangeError,
      undefined,
      Object.keys(some)[0],
    );
  }
  for (const host of ["relay.example", "::ffff:192.0.2.1", "01.2.3.4", ""]) {
    await assertRejects(
      () => signDescriptor(fields({ address: { host, port: 1 } }), keyring),
      MalformedError,
    );
  }
});

Deno.test("the longest descriptor is within its limit", async () => {
  const family = Array.from(
    { length: 32 },
    (_, i) => new Uint8Array(32).fill(i),
  );
  const rules = Array.from(
    { length: 64 },
    (_, i) => `accept 192.0.2.${i}:${60_000 + i}`,
  ).join(", ");
  const { bytes } = await relay({
    family,
    policy: ExitPolicy.parse(rules.slice(0, 2_048).replace(/, [^,]*$/, "")),
    version: "v".repeat(32),
    address: { host: "2001:db8:1:2:3:4:5:6", port: 65_535 },
  });
  assert(bytes.length < DESCRIPTOR_LIMIT, `${bytes.length}`);
  assertEquals((await parseDescriptor(bytes)).family, family);
});
