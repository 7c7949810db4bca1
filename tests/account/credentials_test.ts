import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import fc from "fast-check";
import { AccountError } from "../../lib/account/mod.ts";
import {
  encodeCredentials,
  INVITE_LIMIT,
  openCredentials,
  parseCredentials,
  sealCredentials,
} from "../../lib/account/credentials.ts";
import {
  concat,
  generateRsa,
  MalformedError,
  randomBytes,
  rsaEncrypt,
} from "../../lib/protocol/mod.ts";
import type { Bytes } from "../../lib/protocol/mod.ts";
import { testNodeKeyring } from "../support/keyrings.ts";

function byteStrings(maxLength: number): fc.Arbitrary<Bytes> {
  return fc.uint8Array({ maxLength }) as fc.Arbitrary<Bytes>;
}

Deno.test("credentials: written by hand, they are auth, the invite's length, the invite", () => {
  const auth = new Uint8Array(32).fill(7);
  const invite = new Uint8Array([1, 2, 3]);
  assertEquals(
    encodeCredentials({ auth, invite }),
    new Uint8Array([...auth, 3, 1, 2, 3]),
  );
});

Deno.test("credentials: every auth and invite come back", () => {
  const auths = fc.uint8Array({ minLength: 32, maxLength: 32 });
  fc.assert(
    fc.property(
      auths as fc.Arbitrary<Bytes>,
      byteStrings(INVITE_LIMIT),
      (auth, invite) => {
        const credentials = { auth, invite };
        assertEquals(
          parseCredentials(encodeCredentials(credentials)),
          credentials,
        );
      },
    ),
  );
});

Deno.test("credentials: cut anywhere, with more behind, or with a long invite they are malformed", () => {
  const whole = encodeCredentials({
    auth: randomBytes(32),
    invite: randomBytes(INVITE_LIMIT),
  });
  for (let length = 0; length < whole.length; length++) {
    assertThrows(
      () => parseCredentials(whole.slice(0, length)),
      MalformedError,
    );
  }
  assertThrows(
    () => parseCredentials(concat(whole, new Uint8Array(1))),
    MalformedError,
  );
  const long = encodeCredentials({
    auth: randomBytes(32),
    invite: randomBytes(INVITE_LIMIT + 1),
  });
  assertThrows(() => parseCredentials(long), MalformedError);
});

Deno.test("S0.4: credentials open with this server's key in this connection only", async () => {
  const node = await testNodeKeyring();
  const hash = randomBytes(32);
  const credentials = { auth: randomBytes(32), invite: randomBytes(8) };
  const sealed = await sealCredentials(node.certificate, hash, credentials);
  assertEquals(await openCredentials(node, sealed, hash), credentials);

  const other = { ...node, rsa: await generateRsa() };
  const flipped = sealed.slice();
  flipped[100]! ^= 1;
  const noCredentials = await rsaEncrypt(
    node.rsa.publicKey,
    randomBytes(31),
    hash,
  );
  const cases = {
    "another connection": () => openCredentials(node, sealed, randomBytes(32)),
    "no connection": () => openCredentials(node, sealed, new Uint8Array(0)),
    "another server": () => openCredentials(other, sealed, hash),
    "altered": () => openCredentials(node, flipped, hash),
    "cut": () => openCredentials(node, sealed.slice(1), hash),
    "empty": () => openCredentials(node, new Uint8Array(0), hash),
    "sealed nonsense": () => openCredentials(node, noCredentials, hash),
  };
  for (const [name, attempt] of Object.entries(cases)) {
    const error = await assertRejects(attempt, AccountError);
    assertEquals(error.reason, "credentials", name);
  }
});
