import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import fc from "fast-check";
import {
  encodePem,
  exportPrivateKey,
  importPrivateKeys,
  importPublicKeys,
  KEY_USES,
  parsePem,
  privateKeyFor,
} from "../../../lib/identity/mod.ts";
import { MalformedError } from "../../../lib/protocol/mod.ts";
import { testKeyring } from "../../support/keyrings.ts";

const BLOCK = encodePem({ label: "A KEY", bytes: new Uint8Array(50).fill(1) });

Deno.test("PEM: lines of 64 between two lines with the label", () => {
  assertEquals(
    BLOCK.split("\n").map((line) => line.length),
    [21, 64, 4, 19, 0],
  );
});

Deno.test("PEM: whatever is put in comes out, one block or several", () => {
  const block = fc.record({
    label: fc.constantFrom("PUBLIC KEY", "PRIVATE KEY", "A"),
    bytes: fc.uint8Array({ maxLength: 200 }).map((each) =>
      new Uint8Array(each)
    ),
  });
  fc.assert(
    fc.property(fc.array(block, { minLength: 1, maxLength: 4 }), (blocks) => {
      const text = blocks.map(encodePem).join("text between\n");
      assertEquals(parsePem(text), blocks);
      assertEquals(parsePem(text.replaceAll("\n", "\r\n")), blocks);
    }),
  );
});

Deno.test("PEM: what is none", () => {
  const wrong = [
    "",
    "text",
    BLOCK.replace("END A KEY", "END B KEY"),
    BLOCK.replace(/-----END.*\n/, ""),
    BLOCK.replace("-----BEGIN", "----BEGIN"),
    BLOCK.replace("BEGIN A KEY", "BEGIN a key"),
    BLOCK.replace("AQEB", "AQ!B"),
    BLOCK.replace("AQEB", "AQE"),
    BLOCK.replace("\nAQEB", "\nProc-Type: 4,ENCRYPTED\n\nAQEB"),
    BLOCK.replace("\nAQEB", "\nAQ==\nAQEB"),
    BLOCK.replace(/-----END.*\n/, BLOCK),
    BLOCK + "\n".repeat(65_536),
  ];
  for (const text of wrong) {
    assertThrows(() => parsePem(text), MalformedError, "", text.slice(0, 99));
  }
});

Deno.test("PEM: a private key is not read as a public one, nor the reverse", async () => {
  const keyring = await testKeyring("alice@zone");
  const text = await exportPrivateKey(privateKeyFor(keyring, "signing"), "pem");
  assertThrows(
    () => importPublicKeys(text, "pem"),
    MalformedError,
    "PRIVATE KEY",
  );
  const relabelled = text.replaceAll("PRIVATE", "PUBLIC");
  assertThrows(() => importPublicKeys(relabelled, "pem"), MalformedError);
  await assertRejects(
    () => importPrivateKeys(relabelled, "pem"),
    MalformedError,
  );
});

Deno.test("PEM: a private key cut at any byte or lengthened is refused", async () => {
  const keyring = await testKeyring("alice@zone");
  for (const use of KEY_USES) {
    const text = await exportPrivateKey(privateKeyFor(keyring, use), "pem");
    const { bytes: der } = parsePem(text)[0]!;
    const step = use === "encryption" ? 13 : 1;
    for (let length = 0; length < der.length; length += step) {
      await refused(der.slice(0, length));
    }
    await refused(new Uint8Array([...der, 0]));
  }
});

Deno.test("PEM: an RSA key whose numbers do not fit together is refused", async () => {
  const keyring = await testKeyring("alice@zone");
  const text = await exportPrivateKey(
    privateKeyFor(keyring, "encryption"),
    "pem",
  );
  const { bytes: der } = parsePem(text)[0]!;
  for (const place of [60, 300, 430, 500, 820, 900, 1100]) {
    const changed = der.slice();
    changed[place]! ^= 2;
    await refused(changed);
  }
});

async function refused(der: Uint8Array<ArrayBuffer>): Promise<void> {
  const text = encodePem({ label: "PRIVATE KEY", bytes: der });
  await assertRejects(() => importPrivateKeys(text, "pem"), MalformedError);
}
