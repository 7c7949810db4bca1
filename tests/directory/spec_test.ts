import { assertEquals, assertRejects } from "@std/assert";
import { verifyConsensus } from "../../lib/directory/consensus.ts";
import {
  parseDescriptor,
  signDescriptor,
} from "../../lib/directory/descriptor.ts";
import { ConsensusError } from "../../lib/directory/mod.ts";
import type { NodeKeyring } from "../../lib/identity/mod.ts";
import {
  exportDh,
  exportRsa,
  exportSigning,
  randomBytes,
} from "../../lib/protocol/mod.ts";
import type { NaiveKeys } from "../spec/naive_identity.ts";
import { freshNodeKeyring, TEST_TIME } from "../support/keyrings.ts";
import { consensus, descriptor, readConsensus } from "./naive_directory.ts";
import type { NaiveDescriptor } from "./naive_directory.ts";
import {
  consensus as ours,
  controllers,
  fields,
  NOW,
  relays,
  times,
} from "./relays.ts";

async function naiveKeys(keyring: NodeKeyring): Promise<NaiveKeys> {
  return {
    signing: {
      secret: await exportSigning(keyring.signing),
      open: keyring.signing.publicKey,
    },
    agreement: {
      secret: await exportDh(keyring.dh),
      open: keyring.dh.publicKey,
    },
    rsa: {
      secret: await exportRsa(keyring.rsa),
      open: keyring.rsa.publicKey,
    },
  };
}

/** The same in both forms. */
function both(family: readonly Uint8Array<ArrayBuffer>[] = []): {
  naive: NaiveDescriptor;
  fields: ReturnType<typeof fields>;
} {
  const some = fields({
    address: { host: "2001:db8::7", port: 443 },
    roles: 2,
    family,
  });
  return {
    fields: some,
    naive: {
      created: TEST_TIME,
      onionKey: some.onionKey,
      ip: Uint8Array.fromHex("20010db8000000000000000000000007"),
      port: 443,
      bandwidth: some.bandwidth,
      roles: 2,
      published: NOW,
      software: some.version,
      family,
      policy: "reject private:*, accept *:80, accept *:443",
    },
  };
}

Deno.test("SPEC.md §11.1: a descriptor written from the text is ours, byte by byte", async () => {
  const keyring = await freshNodeKeyring();
  const keys = await naiveKeys(keyring);
  const family = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)];
  for (const each of [both(), both(family)]) {
    const naive = descriptor(each.naive, keys);
    assertEquals(naive, (await signDescriptor(each.fields, keyring)).bytes);
    assertEquals((await parseDescriptor(naive)).address, each.fields.address);
  }
});

Deno.test("SPEC.md §11.2: a consensus written from the text is taken, and ours is read from the text", async () => {
  const by = await controllers(3);
  const nodes = await Promise.all([1, 2, 3].map(() => freshNodeKeyring()));
  const written = await Promise.all(
    nodes.map(async (each, i) => ({
      flags: i,
      bytes: descriptor(both().naive, await naiveKeys(each)),
    })),
  );
  const signers = await Promise.all(
    by.keyrings.map(async (each) => ({
      keys: await naiveKeys(each),
      created: TEST_TIME,
    })),
  );
  const header = { ...times(), height: 9, previous: randomBytes(32) };
  const naive = consensus(header, written, signers.slice(1));
  const read = await verifyConsensus(naive.bytes, by.network, NOW);
  assertEquals(read.hash, naive.hash);
  assertEquals(read.height, 9);
  assertEquals(read.relays.length, 3);
  const lacking = consensus(header, written, signers.slice(2));
  await assertRejects(
    () => verifyConsensus(lacking.bytes, by.network, NOW),
    ConsensusError,
  );
  const made = await ours(by, await relays(4));
  const prints = by.keyrings.map((k) => k.certificate.fingerprint.toHex());
  const seen = readConsensus(made.bytes, new Set(prints));
  assertEquals(seen.hash, made.hash);
  assertEquals(seen.signers, 3);
  assertEquals(
    seen.relays,
    made.relays.map(({ descriptor: d, flags }) => ({
      flags,
      print: d.identity.fingerprint.toHex(),
      onionKey: d.onionKey.toHex(),
      port: d.address.port,
    })),
  );
});
