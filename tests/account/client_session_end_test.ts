import { assert, assertEquals, assertRejects } from "@std/assert";
import { loginByKey } from "../../lib/account/mod.ts";
import {
  ChannelError,
  concat,
  HELO,
  MalformedError,
} from "../../lib/protocol/mod.ts";
import { testKeyring } from "../support/keyrings.ts";
import { echo, EchoService } from "./echo_service.ts";
import { enrol, quickServer, sessionOn } from "./people.ts";
import { nextSubmit, sendOk, untilGone, withScript } from "./session_script.ts";
import { tap } from "./tapped_link.ts";

Deno.test("client session: more or fewer answers than requests end it, and nobody waits on", async () => {
  for (
    const answers of [new Uint8Array(0), concat(echo(1), echo(2), echo(3))]
  ) {
    await withScript(async (link) => {
      await sendOk(link, await nextSubmit(link), answers);
      await untilGone(link);
    }, async (session) => {
      const outcomes = await Promise.allSettled(
        [session.request(echo(1)), session.request(echo(2))],
      );
      for (const each of outcomes) {
        assert(each.status === "rejected");
        assert(each.reason instanceof MalformedError);
      }
      assert(await session.ended instanceof MalformedError);
    });
  }
});

Deno.test("client session: when the connection is lost, everybody who waits is told, and whoever comes later", async () => {
  await withScript(async (link) => {
    await sendOk(link, await nextSubmit(link));
    // Takes what comes up to the ping, and is gone.
    while ((await link.next())!.verb !== HELO);
  }, async (session) => {
    await session.request(echo(0));
    const waiting: Promise<unknown>[] = [];
    for (let i = 0; i < 30; i++) {
      waiting.push(session.request(echo(i)));
      if (i < 4) await new Promise((resolve) => setTimeout(resolve, 3));
    }
    waiting.push(session.ping(), session.ping());
    const outcomes = await Promise.allSettled(waiting);
    for (const each of outcomes) {
      assert(each.status === "rejected");
      assertEquals((each.reason as ChannelError).code, "ERR_CHANNEL_CUT");
    }
    const error = await session.ended;
    assertEquals((error as ChannelError).code, "ERR_CHANNEL_CUT");
    await assertRejects(() => session.request(echo(1)), ChannelError);
    await assertRejects(() => session.ping(), ChannelError);
    await session.close();
  });
});

Deno.test("client session: after a CLOSE, requests without an answer are told so", async () => {
  const echoes = new EchoService();
  await using server = await quickServer(echoes.installed);
  const { keyring, usrKey } = await enrol(server, "alice@test");
  const { link } = await tap(server);
  await loginByKey(link, keyring, usrKey);
  const session = sessionOn(link, keyring);
  await session.request(echo(1));
  const release = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  echoes.delay = () => {
    begun.resolve();
    return release.promise;
  };
  const hanging = assertRejects(() => session.request(echo(2)), ChannelError);
  await begun.promise;
  await session.close();
  assertEquals((await hanging).code, "ERR_CHANNEL_CLOSED");
  assertEquals(await session.ended, undefined);
  release.resolve();
  await echoes.untilGone(1);
  assertEquals(server.failures, []);
});

Deno.test("client session: several pings at once are all answered", async () => {
  await using server = await quickServer();
  const { keyring, usrKey } = await enrol(server, "alice@test");
  const link = await server.connect();
  await loginByKey(link, keyring, usrKey);
  const session = sessionOn(link, keyring);
  await Promise.all([session.ping(), session.ping(), session.ping()]);
  await session.close();
});

Deno.test("client session: a keyring that cannot sign fails the request, not the program", async () => {
  const keyring = await testKeyring("alice@test");
  const { publicKey } = keyring.signing;
  const signing = { publicKey, privateKey: keyring.dh.privateKey };
  await withScript(
    untilGone,
    async (session) => {
      await assertRejects(() => session.request(echo(1)), Error, "key");
      await assertRejects(() => session.request(echo(2)), Error, "key");
    },
    undefined,
    { ...keyring, signing },
  );
});
