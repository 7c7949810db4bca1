import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import type { NodeKeyring } from "../../../lib/identity/mod.ts";
import { MixError } from "../../../lib/mix/mix_error.ts";
import { encodeSettings } from "../../../lib/mix/settings/run_settings.ts";
import {
  joinSettings,
  signSettings,
  verifySettings,
} from "../../../lib/mix/settings/signed_settings.ts";
import type { IdentityOf } from "../../../lib/mix/settings/signed_settings.ts";
import {
  concat,
  MalformedError,
  sign,
  utf8,
} from "../../../lib/protocol/mod.ts";
import type { Bytes } from "../../../lib/protocol/mod.ts";
import { freshNodeKeyring } from "../../support/keyrings.ts";
import { someFields, somePlace } from "./settings_fixture.ts";

async function chainOfTwo(): Promise<
  { mixes: NodeKeyring[]; body: Bytes; identityOf: IdentityOf }
> {
  const mixes = [await freshNodeKeyring(), await freshNodeKeyring()];
  const places = mixes.map(({ certificate }) =>
    somePlace(3, certificate.fingerprint)
  );
  return {
    mixes,
    body: encodeSettings(someFields({ mixes: places })),
    identityOf: (fingerprint) =>
      mixes.map(({ certificate }) => certificate).find((certificate) =>
        certificate.fingerprint.toHex() === fingerprint.toHex()
      ),
  };
}

async function refused(
  document: Bytes,
  identityOf: IdentityOf,
): Promise<void> {
  const error = await assertRejects(
    () => verifySettings(document, identityOf),
    MixError,
  );
  assertEquals(error.code, "ERR_MIX_SETTINGS");
}

Deno.test("S3.5: settings that every mix has signed are verified", async () => {
  const { mixes, body, identityOf } = await chainOfTwo();
  const document = joinSettings(
    body,
    await Promise.all(mixes.map((mix) => signSettings(body, mix))),
  );
  const settings = await verifySettings(document, identityOf);
  assertEquals(settings.body, body);
  assertEquals(
    await sign(
      mixes[0]!.signing.privateKey,
      concat(utf8("sotto mix settings v1\0"), body),
    ),
    document.slice(body.length, body.length + 64),
  );
});

Deno.test("S3.5: settings that a mix has not signed are refused", async () => {
  const { mixes: [first, second], body, identityOf } = await chainOfTwo();
  const [one, two] = await Promise.all([
    signSettings(body, first!),
    signSettings(body, second!),
  ]);
  const bare = await sign(first!.signing.privateKey, body);
  for (
    const signatures of [[one, one], [two, one], [two, two], [bare, two]]
  ) await refused(joinSettings(body, signatures), identityOf);
  await refused(
    joinSettings(body, [one, new Uint8Array(64)]),
    identityOf,
  );
  for (const signatures of [[], [one], [one, two, two]]) {
    assertThrows(() => joinSettings(body, signatures), MalformedError);
  }
});

Deno.test("S3.5: settings with any bit flipped are refused", async () => {
  const { mixes, body, identityOf } = await chainOfTwo();
  const document = joinSettings(
    body,
    await Promise.all(mixes.map((mix) => signSettings(body, mix))),
  );
  for (let at = 0; at < document.length; at++) {
    const flipped = document.slice();
    flipped[at]! ^= 1 << (at % 8);
    const error = await assertRejects(() =>
      verifySettings(flipped, identityOf)
    );
    const isRefusal = error instanceof MalformedError ||
      error instanceof MixError && error.code === "ERR_MIX_SETTINGS";
    assertEquals(isRefusal, true, `${at}: ${error}`);
  }
});

Deno.test("settings with a mix that nobody knows, or with one twice, are refused", async () => {
  const { mixes, body, identityOf } = await chainOfTwo();
  const signatures = await Promise.all(
    mixes.map((mix) => signSettings(body, mix)),
  );
  const document = joinSettings(body, signatures);
  await refused(document, () => undefined);
  await refused(
    document,
    (fingerprint) =>
      fingerprint.toHex() === mixes[0]!.certificate.fingerprint.toHex()
        ? mixes[0]!.certificate
        : undefined,
  );
  // An answer for somebody else is no answer.
  await refused(document, () => mixes[0]!.certificate);
  const others = encodeSettings(someFields({ mixes: [somePlace(3)] }));
  await refused(
    joinSettings(others, [await signSettings(others, mixes[0]!)]),
    () => mixes[0]!.certificate,
  );
  const twice = encodeSettings(
    someFields({
      mixes: [0, 0].map((mix) =>
        somePlace(3, mixes[mix]!.certificate.fingerprint)
      ),
    }),
  );
  const signature = await signSettings(twice, mixes[0]!);
  await refused(joinSettings(twice, [signature, signature]), identityOf);
});
