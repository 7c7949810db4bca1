import { assertEquals } from "@std/assert";
import { CERTIFICATE } from "../../lib/account/mod.ts";
import {
  ONE_TIME_PREKEYS,
  PREKEY_BUNDLE,
  PREKEYS_LEFT,
} from "../../lib/mailbox/commands.ts";
import {
  BUNDLE_BYTES,
  encodeOneTimePrekeys,
  parseOneTimePrekeys,
  signBundle,
} from "../../lib/mailbox/prekey_bundle.ts";
import type { OneTimePrekey } from "../../lib/mailbox/prekey_bundle.ts";
import {
  createPrekeys,
  publishBundle,
} from "../../lib/mailbox/prekey_secrets.ts";
import { generateDh, randomBytes } from "../../lib/protocol/mod.ts";
import type { Bytes, Message } from "../../lib/protocol/mod.ts";
import { freshKeyring } from "../support/keyrings.ts";
import { mailboxServer, RawMailbox, refusal } from "./raw_mailbox.ts";

/** One-time prekeys with the numbers from `first` on. */
async function oneTimePrekeys(
  first: number,
  count: number,
): Promise<OneTimePrekey[]> {
  const { publicKey } = await generateDh(true);
  return Array.from(
    { length: count },
    (_, i) => ({ id: first + i, publicKey }),
  );
}

/** The number of the one-time prekey in PREKEYS, if there is one. */
function oneTimeId(prekeys: Message): number | undefined {
  const encoded = prekeys.get(ONE_TIME_PREKEYS);
  return encoded === undefined
    ? undefined
    : parseOneTimePrekeys(encoded, 1)[0]!.id;
}

Deno.test("S3.4: prekeys are handed out as they were published, each one-time prekey once", async () => {
  await using server = await mailboxServer();
  await using bob = await RawMailbox.enrol(server, "bob@test");
  await using alice = await RawMailbox.enrol(server, "alice@test");
  const device = randomBytes(16);
  assertEquals(await bob.move(device, await oneTimePrekeys(5, 2)), 2);
  const bundle = await bob.bundle();
  assertEquals(await bob.publish(device, bundle), 2);
  const published = await oneTimePrekeys(7, 1);
  assertEquals(
    await bob.publish(device, bundle, encodeOneTimePrekeys(published)),
    3,
  );
  const taken: (number | undefined)[] = [];
  for (let i = 0; i < 4; i++) {
    const prekeys = await alice.fetch("bob@test");
    assertEquals(prekeys.need(PREKEY_BUNDLE), bundle);
    assertEquals(
      prekeys.need(CERTIFICATE),
      bob.member.keyring.certificate.bytes,
    );
    const encoded = prekeys.get(ONE_TIME_PREKEYS);
    if (i === 2) assertEquals(encoded, encodeOneTimePrekeys(published));
    taken.push(oneTimeId(prekeys));
  }
  assertEquals(taken, [5, 6, 7, undefined]);
  assertEquals((await bob.open(device)).need(PREKEYS_LEFT), 0);
  // What was handed out does not come back; what is new is handed out.
  const again = encodeOneTimePrekeys(await oneTimePrekeys(6, 3));
  assertEquals(await bob.publish(device, bundle, again), 1);
  assertEquals(oneTimeId(await alice.fetch("bob@test")), 8);
  assertEquals(server.failures, []);
});

Deno.test("S3.4: no two people get the same one-time prekey, however they hurry", async () => {
  await using server = await mailboxServer();
  await using bob = await RawMailbox.enrol(server, "bob@test");
  await using alice = await RawMailbox.enrol(server, "alice@test");
  await using carol = await RawMailbox.enrol(server, "carol@test");
  await bob.move(randomBytes(16), await oneTimePrekeys(1, 60));
  const fetches = Array.from(
    { length: 70 },
    (_, i) => (i % 2 === 0 ? alice : carol).fetch("bob@test"),
  );
  const ids = (await Promise.all(fetches)).map(oneTimeId);
  const handedOut = ids.filter((id) => id !== undefined);
  assertEquals(
    handedOut.toSorted((a, b) => a - b),
    Array.from({ length: 60 }, (_, i) => i + 1),
  );
});

Deno.test("a device that takes over replaces every prekey there was", async () => {
  await using server = await mailboxServer();
  await using bob = await RawMailbox.enrol(server, "bob@test");
  await using alice = await RawMailbox.enrol(server, "alice@test");
  await bob.move(randomBytes(16), await oneTimePrekeys(100, 5));
  // The numbers of the new one begin anew.
  assertEquals(await bob.move(randomBytes(16), await oneTimePrekeys(1, 2)), 2);
  assertEquals(oneTimeId(await alice.fetch("bob@test")), 1);
  assertEquals(oneTimeId(await alice.fetch("bob@test")), 2);
  assertEquals(oneTimeId(await alice.fetch("bob@test")), undefined);
});

Deno.test("people who are not there, or have no device yet", async () => {
  await using server = await mailboxServer();
  await using bob = await RawMailbox.enrol(server, "bob@test");
  await using alice = await RawMailbox.enrol(server, "alice@test");
  for (const name of ["nobody@test", "", "bob", "bob@elsewhere"]) {
    assertEquals(await refusal(alice.find(name)), "unknown-person", name);
    assertEquals(await refusal(alice.fetch(name)), "unknown-person", name);
  }
  const { certificate } = bob.member.keyring;
  assertEquals(
    (await alice.find("bob@test")).need(CERTIFICATE),
    certificate.bytes,
  );
  const prekeys = await alice.fetch("bob@test");
  assertEquals(prekeys.need(CERTIFICATE), certificate.bytes);
  assertEquals(prekeys.get(PREKEY_BUNDLE), undefined);
  assertEquals(prekeys.get(ONE_TIME_PREKEYS), undefined);
});

Deno.test("a bundle that does not hold is refused, and what was published stays", async () => {
  await using server = await mailboxServer();
  await using bob = await RawMailbox.enrol(server, "bob@test");
  await using alice = await RawMailbox.enrol(server, "alice@test");
  const device = randomBytes(16);
  await bob.move(device);
  const bundle = await bob.bundle();
  await bob.publish(device, bundle);
  const stranger = await freshKeyring("bob@test");
  const lying: [string, Bytes][] = [
    ["another's", await alice.bundle()],
    [
      "of the same name with other keys",
      await publishBundle(stranger, await createPrekeys(1)),
    ],
    ["for the right certificate, signed by another", await signedBy(stranger)],
    ["empty", new Uint8Array(0)],
    ["cut short", bundle.slice(0, -1)],
    ["with a byte more", new Uint8Array([...bundle, 0])],
  ];
  for (let at = 0; at < BUNDLE_BYTES; at += 61) {
    const flipped = bundle.slice();
    flipped[at]! ^= 1;
    lying.push([`with bit ${at * 8} turned`, flipped]);
  }
  for (const [what, bytes] of lying) {
    assertEquals(await refusal(bob.publish(device, bytes)), "malformed", what);
  }
  assertEquals(
    (await alice.fetch("bob@test")).need(PREKEY_BUNDLE),
    bundle,
  );
  assertEquals(server.failures, []);

  /** Bob's certificate id and good keys under somebody else's signature. */
  async function signedBy(signer: typeof stranger): Promise<Bytes> {
    const { dhPublic, kemId, signedId, createdAt } = (await createPrekeys(1))
      .signed[0]!;
    return await signBundle(signer, {
      certificateId: bob.member.keyring.certificate.id,
      createdAt,
      signedId,
      signedKey: dhPublic,
      kemId,
      kemKey: bundle.slice(81, 81 + 1_184),
    });
  }
});

Deno.test("one-time prekeys come whole, with a number, at most 200 at once and 1,000 in all", async () => {
  await using server = await mailboxServer();
  await using bob = await RawMailbox.enrol(server, "bob@test");
  const device = randomBytes(16);
  await bob.move(device);
  const bundle = await bob.bundle();
  const publish = async (first: number, count: number) =>
    await bob.publish(
      device,
      bundle,
      encodeOneTimePrekeys(await oneTimePrekeys(first, count)),
    );
  assertEquals(await refusal(publish(0, 1)), "malformed");
  assertEquals(await refusal(publish(1, 201)), "malformed");
  const cut = encodeOneTimePrekeys(await oneTimePrekeys(1, 2)).slice(0, -1);
  assertEquals(await refusal(bob.publish(device, bundle, cut)), "malformed");
  for (let hundreds = 2; hundreds <= 10; hundreds += 2) {
    assertEquals(
      await publish(hundreds * 100 - 199, 200),
      hundreds * 100,
    );
  }
  assertEquals(await refusal(publish(1_001, 1)), "malformed");
  assertEquals(await publish(1_001, 0), 1_000);
  assertEquals(await bob.move(device, await oneTimePrekeys(1, 200)), 200);
});
