import { assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import {
  LIFETIME_LIMIT,
  parseServiceDescriptor,
  POINTS_LIMIT,
  signServiceDescriptor,
} from "../../../lib/onion/service/service_descriptor.ts";
import type { ServiceFields } from "../../../lib/onion/service/service_descriptor.ts";
import {
  openDescriptor,
  sealDescriptor,
  SEALED_LIMIT,
} from "../../../lib/onion/service/sealed_descriptor.ts";
import { BLOB_BYTES } from "../../../lib/onion/service/service_message.ts";
import {
  concat,
  CryptoError,
  MalformedError,
  randomBytes,
  sign,
  utf8,
} from "../../../lib/protocol/mod.ts";
import {
  freshNodeKeyring,
  TEST_TIME,
  testNodeKeyring,
} from "../../support/keyrings.ts";

const NOW = TEST_TIME;

function fieldsWith(count = 3): ServiceFields {
  return {
    points: Array.from({ length: count }, () => ({
      relay: randomBytes(32),
      authKey: randomBytes(32),
      sealKey: randomBytes(32),
    })),
    publishedAt: NOW,
    lifetime: 10_800,
  };
}

Deno.test("service descriptor: what a service signs is read by whoever knows its address", async () => {
  const keyring = await testNodeKeyring();
  const { fingerprint } = keyring.certificate;
  for (let count = 1; count <= POINTS_LIMIT; count++) {
    const fields = fieldsWith(count);
    const bytes = await signServiceDescriptor(fields, keyring);
    const read = await parseServiceDescriptor(bytes, fingerprint, NOW);
    const { identity, ...rest } = read;
    assertEquals(rest, fields);
    assertEquals(identity, keyring.certificate);
    const padded = concat(bytes, new Uint8Array(40));
    assertEquals(await parseServiceDescriptor(padded, fingerprint, NOW), read);
  }
});

Deno.test("service descriptor: none is signed that nobody would read", async () => {
  const keyring = await testNodeKeyring();
  for (
    const fields of [
      fieldsWith(0),
      fieldsWith(POINTS_LIMIT + 1),
      { ...fieldsWith(), lifetime: LIFETIME_LIMIT + 1 },
    ]
  ) {
    await assertRejects(
      () => signServiceDescriptor(fields, keyring),
      RangeError,
    );
  }
});

Deno.test("S4: a service descriptor that was cut, altered or added to is refused", async () => {
  const keyring = await testNodeKeyring();
  const { fingerprint } = keyring.certificate;
  const bytes = await signServiceDescriptor(fieldsWith(1), keyring);
  const refused = async (altered: Uint8Array<ArrayBuffer>, what: string) =>
    await assertRejects(
      () => parseServiceDescriptor(altered, fingerprint, NOW),
      MalformedError,
      undefined,
      what,
    );
  for (let length = 0; length < bytes.length; length++) {
    await refused(bytes.slice(0, length), `cut to ${length}`);
  }
  for (let at = 0; at < bytes.length; at++) {
    const altered = bytes.slice();
    altered[at]! ^= 1 << at % 8;
    await refused(altered, `altered at ${at}`);
  }
  await refused(concat(bytes, Uint8Array.of(0, 1)), "added to");
});

Deno.test("S4: a service descriptor of another service, or signed by another, is refused", async () => {
  const [mine, other] = [await testNodeKeyring(), await freshNodeKeyring()];
  const { fingerprint } = mine.certificate;
  const foreign = await signServiceDescriptor(fieldsWith(), other);
  await assertRejects(
    () => parseServiceDescriptor(foreign, fingerprint, NOW),
    MalformedError,
    "another service's",
  );
  // The certificate of the one, the signature of the other.
  const bytes = await signServiceDescriptor(fieldsWith(), mine);
  const body = bytes.slice(0, -64);
  const label = utf8("sotto service descriptor v1\0");
  const signatures = [
    await sign(other.signing.privateKey, concat(label, body)),
    await sign(mine.signing.privateKey, body),
    await sign(
      mine.signing.privateKey,
      concat(utf8("sotto relay descriptor v1\0"), body),
    ),
  ];
  for (const signature of signatures) {
    await assertRejects(
      () => parseServiceDescriptor(concat(body, signature), fingerprint, NOW),
      MalformedError,
      "the signature does not match",
    );
  }
});

Deno.test("service descriptor: it is good for its time, and not before", async () => {
  const keyring = await testNodeKeyring();
  const { fingerprint } = keyring.certificate;
  const bytes = await signServiceDescriptor(fieldsWith(), keyring);
  const table: [number, string | undefined][] = [
    [NOW - 3_601, "from the future"],
    [NOW - 3_600, undefined],
    [NOW, undefined],
    [NOW + 10_800, undefined],
    [NOW + 10_801, "expired"],
  ];
  for (const [now, seen] of table) {
    const reading = () => parseServiceDescriptor(bytes, fingerprint, now);
    if (seen === undefined) await reading();
    else await assertRejects(reading, MalformedError, seen);
  }
});

Deno.test("service descriptor: no service can have itself believed for longer than a day", async () => {
  const keyring = await testNodeKeyring();
  const { fingerprint, bytes: certificate } = keyring.certificate;
  const label = utf8("sotto service descriptor v1\0");
  for (
    const [lifetime, count, seen] of [
      [LIFETIME_LIMIT, 1, undefined],
      [LIFETIME_LIMIT + 1, 1, "good too long"],
      [0xffffffff, 1, "good too long"],
      [1, 0, "0 points"],
      [1, POINTS_LIMIT + 1, "7 points"],
    ] as const
  ) {
    const header = new Uint8Array(1 + 559 + 13);
    header[0] = 1;
    header.set(certificate, 1);
    const view = new DataView(header.buffer);
    view.setBigUint64(560, BigInt(NOW));
    view.setUint32(568, lifetime);
    view.setUint8(572, count);
    const body = concat(header, new Uint8Array(96 * count));
    const signature = await sign(
      keyring.signing.privateKey,
      concat(label, body),
    );
    const reading = () =>
      parseServiceDescriptor(concat(body, signature), fingerprint, NOW);
    if (seen === undefined) await reading();
    else await assertRejects(reading, MalformedError, seen);
  }
});

Deno.test("sealed descriptor: all are of one length, and come out with zeros behind", async () => {
  const [print, index] = [randomBytes(32), randomBytes(32)];
  for (const length of [0, 1, SEALED_LIMIT - 1, SEALED_LIMIT]) {
    const descriptor = randomBytes(length);
    const blob = await sealDescriptor(descriptor, print, index);
    assertEquals(blob.length, BLOB_BYTES);
    const opened = await openDescriptor(blob, print, index);
    assertEquals(opened.slice(0, length), descriptor);
    assertEquals(opened.slice(length), new Uint8Array(SEALED_LIMIT - length));
  }
  await assertRejects(
    () => sealDescriptor(new Uint8Array(SEALED_LIMIT + 1), print, index),
    RangeError,
  );
});

Deno.test("sealed descriptor: the largest descriptor fits", async () => {
  const keyring = await testNodeKeyring();
  const bytes = await signServiceDescriptor(fieldsWith(POINTS_LIMIT), keyring);
  await sealDescriptor(bytes, randomBytes(32), randomBytes(32));
});

Deno.test("S4: who keeps a descriptor and does not know the address can neither read nor alter it", async () => {
  const [print, index] = [randomBytes(32), randomBytes(32)];
  const descriptor = utf8("where I am");
  const blob = await sealDescriptor(descriptor, print, index);
  assertNotEquals(await sealDescriptor(descriptor, print, index), blob);
  const refused = (altered: Uint8Array<ArrayBuffer>) =>
    assertRejects(() => openDescriptor(altered, print, index), CryptoError);
  for (let at = 0; at < blob.length; at++) {
    const altered = blob.slice();
    altered[at]! ^= 1 << at % 8;
    await refused(altered);
  }
  await assertRejects(
    () => openDescriptor(blob, randomBytes(32), index),
    CryptoError,
  );
  await assertRejects(
    () => openDescriptor(blob, print, randomBytes(32)),
    CryptoError,
  );
  for (const length of [0, 11, 27, 28, BLOB_BYTES - 1]) {
    await assertRejects(
      () => openDescriptor(blob.slice(0, length), print, index),
      MalformedError,
    );
  }
});
