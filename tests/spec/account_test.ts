import { assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  encodeCredentials,
  parseCredentials,
} from "../../lib/account/credentials.ts";
import { registrationBytes } from "../../lib/account/registration.ts";
import {
  readData,
  signedBytes,
  writeData,
} from "../../lib/account/submission.ts";
import { ACCOUNT } from "../../lib/account/mod.ts";
import { PUSH } from "../../lib/account/commands.ts";
import { parseBundle, signBundle } from "../../lib/mailbox/prekey_bundle.ts";
import {
  CommandWriter,
  Decoder,
  exportSigning,
  rsaDecrypt,
  sha256,
  utf8,
  Vocabulary,
} from "../../lib/protocol/mod.ts";
import type { Bytes } from "../../lib/protocol/mod.ts";
import { freshKeyring } from "../support/keyrings.ts";
import { testRsaPair } from "../support/rsa_pair.ts";
import * as naive from "./naive_account.ts";
import { ascii, join } from "./naive_primitives.ts";
import { decode, encode } from "./naive_risp.ts";
import { specTable } from "./naive_tables.ts";

const TABLE = specTable("account");
const LIMITS = { message: 266_240, skipped: 1_048_576 };

const bytes = (length: number, maxLength = length): fc.Arbitrary<Bytes> =>
  fc.uint8Array({ minLength: length, maxLength })
    .map((each) => new Uint8Array(each));

Deno.test("S1.4 S0.7: what is signed of a submission is the same in the text and here", () => {
  fc.assert(
    fc.property(
      bytes(32),
      fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
      fc.stringMatching(/^[a-z0-9@.]{1,97}$/),
      bytes(0, 300),
      (hash, counter, username, plaintext) =>
        assertEquals(
          naive.submissionBytes(hash, counter, username, plaintext),
          signedBytes(hash, counter, utf8(username), plaintext),
        ),
    ),
  );
});

Deno.test("S0.4: what is signed at registration, and CREDENTIALS, are the same in the text and here", async () => {
  const { publicKey, privateKey } = await testRsaPair();
  await fc.assert(
    fc.asyncProperty(
      bytes(32),
      bytes(32),
      bytes(32),
      fc.stringMatching(/^[a-z0-9-]{0,64}$/),
      async (hash, id, auth, invite) => {
        assertEquals(
          naive.registrationBytes(hash, id),
          registrationBytes(hash, id),
        );
        const sealed = naive.credentials(publicKey, hash, auth, invite);
        const opened = await rsaDecrypt(privateKey, sealed, hash);
        assertEquals(parseCredentials(opened), { auth, invite: ascii(invite) });
        assertEquals(opened, encodeCredentials({ auth, invite: utf8(invite) }));
      },
    ),
    { numRuns: 20 },
  );
});

Deno.test("S2.6: the text's DATA pieces arrive here, and ours there, whatever their size and order", async () => {
  const vocabulary = new Vocabulary(ACCOUNT);
  await fc.assert(
    fc.asyncProperty(
      bytes(0, 3_000),
      fc.integer({ min: 30, max: 4_000 }),
      async (plaintext, piece) => {
        const decoder = new Decoder(vocabulary, {
          messageBytes: LIMITS.message,
          skippedBytes: LIMITS.skipped,
        });
        decoder.push(encode(TABLE, ...naive.data(plaintext, piece), "PUSH"));
        assertEquals(await readData(decoder.next()!), plaintext);

        const hash = await sha256(plaintext);
        const writer = writeData(new CommandWriter(), plaintext, hash);
        const { messages, end } = decode(
          writer.verb(PUSH).done(),
          TABLE,
          LIMITS,
        );
        assertEquals(end, "whole");
        const { values } = messages[0]!;
        const pieces = (values.get("DATA") ?? []) as Bytes[];
        assertEquals(join(...pieces), plaintext);
        assertEquals(values.get("DATA-LENGTH"), [plaintext.length]);
        assertEquals(values.get("VERIFICATION-SHA256"), [hash]);
      },
    ),
  );
});

Deno.test("S3.4: prekey bundles of the text and ours are the same bytes", async () => {
  const own = await freshKeyring("alice@test");
  const seed = await exportSigning(own.signing);
  const id = fc.integer({ min: 1, max: 0xffffffff });
  await fc.assert(
    fc.asyncProperty(
      id,
      id,
      fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
      bytes(32),
      bytes(1_184),
      async (signedId, kemId, createdAt, spk, pqk) => {
        const certificateId = own.certificate.id;
        const bundle = naive.bundle(seed, certificateId, createdAt, {
          signedId,
          spk,
          kemId,
          pqk,
        });
        const ours = {
          certificateId,
          createdAt,
          signedId,
          signedKey: spk,
          kemId,
          kemKey: pqk,
        };
        assertEquals(bundle, await signBundle(own, ours));
        assertEquals(await parseBundle(bundle, own.certificate), ours);
      },
    ),
    { numRuns: 30 },
  );
});
