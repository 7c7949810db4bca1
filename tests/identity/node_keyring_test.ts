import { assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import {
  encodeNodeKeyring,
  generateNodeKeyring,
  parseNodeKeyring,
} from "../../lib/identity/mod.ts";
import type { Bytes } from "../../lib/protocol/mod.ts";
import {
  concat,
  MalformedError,
  sign,
  utf8,
  verify,
} from "../../lib/protocol/mod.ts";
import { freshNodeKeyring, testNodeKeyring } from "../support/keyrings.ts";

Deno.test("S1.1: a node's keyring survives encoding", async () => {
  const keyring = await generateNodeKeyring(1_700_000_000);
  const bytes = await encodeNodeKeyring(keyring);
  const parsed = await parseNodeKeyring(bytes);
  assertEquals(parsed.certificate, keyring.certificate);
  assertEquals(parsed.storageSecret, keyring.storageSecret);
  const message = utf8("message");
  const signature = await sign(parsed.signing.privateKey, message);
  assertEquals(
    await verify(keyring.certificate.signingKey, signature, message),
    true,
  );
  assertEquals(await encodeNodeKeyring(parsed), bytes);
});

Deno.test("node keyring: every node has its own storage secret of 32 bytes", async () => {
  const one = await testNodeKeyring();
  const other = await freshNodeKeyring();
  assertEquals(one.storageSecret.length, 32);
  assertNotEquals(one.storageSecret, other.storageSecret);
});

Deno.test("node keyring: cut, lengthened or with another's keys it is refused", async () => {
  const bytes = await encodeNodeKeyring(await testNodeKeyring());
  for (let length = 0; length < bytes.length; length++) {
    await refused(bytes.slice(0, length));
  }
  await refused(concat(bytes, new Uint8Array(1)));
  const other = await encodeNodeKeyring(await freshNodeKeyring());
  await refused(concat(other.slice(0, 560), bytes.slice(560)));
});

async function refused(bytes: Bytes): Promise<void> {
  await assertRejects(() => parseNodeKeyring(bytes), MalformedError);
}
