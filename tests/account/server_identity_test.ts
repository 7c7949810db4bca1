import { assert, assertEquals, assertRejects } from "@std/assert";
import { accountLink, loginByKey, register } from "../../lib/account/mod.ts";
import { CERTIFICATE, WHO_AM_I } from "../../lib/account/commands.ts";
import {
  formatCertificate,
  formatFingerprint,
  formatServerAddress,
  KnownServers,
  parseCertificateText,
  parseNodeCertificate,
  parseServerAddress,
} from "../../lib/identity/mod.ts";
import type { NodeCertificate, NodeKeyring } from "../../lib/identity/mod.ts";
import {
  answer,
  Caller,
  ChannelError,
  CommandWriter,
  MalformedError,
} from "../../lib/protocol/mod.ts";
import { listen } from "../../lib/net/mod.ts";
import { freshNodeKeyring, testKeyring } from "../support/keyrings.ts";
import { ROOMY } from "../support/server.ts";
import { quickServer, sessionOn } from "./people.ts";
import { tap } from "./tapped_link.ts";

/** Somebody in the middle: says that its keys are `shown`, and holds those of `own`. */
async function withImpostor(
  shown: NodeCertificate,
  own: NodeKeyring,
  visit: (dial: () => Promise<Caller>) => Promise<void>,
): Promise<void> {
  const listener = listen(
    { hostname: "127.0.0.1", port: 0 },
    ROOMY,
    async (incoming) => {
      await answer(incoming, { static: own.dh, certificate: shown.bytes });
    },
    () => {},
  );
  const streams: Deno.TcpConn[] = [];
  try {
    await visit(async () => {
      const stream = await Deno.connect({
        hostname: "127.0.0.1",
        port: listener.port,
      });
      streams.push(stream);
      return new Caller(stream);
    });
  } finally {
    for (const stream of streams) stream.close();
    await listener.close();
  }
}

Deno.test("S1.1: both sides swap certificates by files, and ask nobody else", async () => {
  await using server = await quickServer();
  const keyring = await testKeyring("alice@test");
  // What each hands to the other, by mail or on paper.
  const serverFile = `From: the operator\n\n${
    formatCertificate({ kind: "node", certificate: server.node.certificate })
  }\nRegards\n`;
  const aliceFile = formatCertificate({
    kind: "account",
    certificate: keyring.certificate,
  });

  const swapped = await parseCertificateText(serverFile);
  assert(swapped.kind === "node");
  const node = swapped.certificate;
  const caller = new Caller(await server.dial());
  const link = accountLink(await caller.connect(node.dhKey));
  const usrKey = await register(link, node, keyring, {});
  await loginByKey(link, keyring, usrKey);
  const session = sessionOn(link, keyring);
  const answer = await session.request(
    new CommandWriter().verb(WHO_AM_I).done(),
  );
  const known = await parseCertificateText(aliceFile);
  assert(known.kind === "account");
  assertEquals(answer.need(CERTIFICATE), known.certificate.bytes);
  const account = await server.store.accounts.byAddress("alice@test");
  assertEquals(account?.certificate, known.certificate.bytes);
  await session.close();
});

Deno.test("S0.2 S1.1: fetched over the wire, the server's certificate is verified, pinned and recognised", async () => {
  await using server = await quickServer();
  const { fingerprint } = server.node.certificate;
  const { hostname, port } = server.listener;
  let known = KnownServers.parse("");
  for (const verdict of ["new", "match", "match"] as const) {
    const caller = new Caller(await server.dial());
    const node = await parseNodeCertificate(await caller.publicKey());
    assertEquals(node.fingerprint, fingerprint);
    assertEquals(known.check(hostname, port, node.fingerprint), verdict);
    known = KnownServers.parse(
      known.with(hostname, port, node.fingerprint).format(),
    );
    const link = accountLink(await caller.connect(node.dhKey));
    await link.close();
  }
  assertEquals(known.size, 1);
  // The same fingerprint as people read it, and as it stands in an address.
  const address = formatServerAddress({ host: hostname, port, fingerprint });
  assertEquals(parseServerAddress(address).fingerprint, fingerprint);
  assert(formatFingerprint(fingerprint).length >= 52);
});

Deno.test("S3.1: whoever holds another key than the one expected does not get past HELLO", async () => {
  const real = await freshNodeKeyring();
  const own = await freshNodeKeyring();
  // Also where it shows the real certificate, which is public.
  for (const shown of [own.certificate, real.certificate]) {
    await withImpostor(shown, own, async (dial) => {
      const caller = await dial();
      const error = await assertRejects(
        () => caller.connect(real.certificate.dhKey),
        ChannelError,
      );
      assertEquals(error.code, "ERR_CHANNEL_CUT");
    });
  }
});

Deno.test("S3.1: an answer that was not made with the server's key fails the handshake", async () => {
  await using server = await quickServer();
  const { dhKey } = server.node.certificate;
  // The server's own answer to somebody else, and one that was made up.
  const { link, stream } = await tap(server);
  await link.close();
  const replayed = stream.seen;
  const madeUp = replayed.slice();
  crypto.getRandomValues(madeUp.subarray(4, madeUp.length - 2));
  for (const answer of [replayed, madeUp]) {
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const serving = (async () => {
      using connection = await listener.accept();
      await connection.read(new Uint8Array(8_192));
      await connection.write(answer);
      await connection.read(new Uint8Array(1));
    })();
    const { port } = listener.addr as Deno.NetAddr;
    const connection = await Deno.connect({ hostname: "127.0.0.1", port });
    const error = await assertRejects(
      () => new Caller(connection).connect(dhKey),
      ChannelError,
    );
    assertEquals(error.code, "ERR_HANDSHAKE_FAILED");
    connection.close();
    await serving;
    listener.close();
  }
});

Deno.test("S0.2 S3.1: a server that shows another certificate than before is noticed", async () => {
  const real = await freshNodeKeyring();
  const own = await freshNodeKeyring();
  await withImpostor(own.certificate, own, async (dial) => {
    const known = KnownServers.parse("")
      .with("chat.example", 7688, real.certificate.fingerprint);
    const node = await parseNodeCertificate(await (await dial()).publicKey());
    assertEquals(known.check("chat.example", 7688, node.fingerprint), {
      changed: real.certificate.fingerprint,
    });
  });
});

Deno.test("S3.1: the real certificate with one key exchanged does not hold", async () => {
  const real = (await freshNodeKeyring()).certificate;
  const own = await freshNodeKeyring();
  const keys = {
    dhKey: real.dhKey,
    rsaKey: real.rsaKey,
    signingKey: real.signingKey,
  };
  for (const [name, key] of Object.entries(keys)) {
    const forged = real.bytes.slice();
    const at = indexOf(forged, key);
    assert(at > 0, name);
    forged[at + key.length - 1]! ^= 1;
    await withImpostor({ ...real, bytes: forged }, own, async (dial) => {
      const shown = await (await dial()).publicKey();
      await assertRejects(() => parseNodeCertificate(shown), MalformedError);
    });
  }
});

function indexOf(bytes: Uint8Array, part: Uint8Array): number {
  return bytes.toHex().indexOf(part.toHex()) / 2;
}
