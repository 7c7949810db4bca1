import { assert, assertEquals } from "@std/assert";
import { loginByKey } from "../../lib/account/mod.ts";
import {
  COUNTER,
  DATA_LENGTH,
  REASON,
  VERIFICATION_SHA256,
} from "../../lib/account/commands.ts";
import { fromUtf8 } from "../../lib/protocol/mod.ts";
import type { CommandChannel, Message } from "../../lib/protocol/mod.ts";
import { echo, EchoService, NUMBER } from "./echo_service.ts";
import { enrol, quickServer, sessionOn } from "./people.ts";
import { sendOk, sendPush, untilGone, withScript } from "./session_script.ts";
import { tap } from "./tapped_link.ts";

Deno.test("client session: pushes are taken in order, one that is not whole comes again with all behind it", async () => {
  const answers: string[] = [];
  const say = async (link: CommandChannel) => {
    const message = (await link.next())!;
    const reason = message.get(REASON);
    answers.push(
      `${message.verb.name} ${message.need(COUNTER)} ${
        reason === undefined ? "" : fromUtf8(reason)
      }`.trim(),
    );
  };
  const done = Promise.withResolvers<void>();
  const taken: number[] = [];
  await withScript(
    async (link) => {
      await sendPush(link, 0n, echo(0));
      await sendPush(link, 1n, echo(1), new Uint8Array(32));
      await sendPush(link, 2n, echo(2));
      await say(link);
      await say(link);
      for (const counter of [1n, 2n, 2n, 0n, 5n]) {
        await sendPush(link, counter, echo(Number(counter)));
      }
      await sendPush(link, 3n, echo(3));
      await say(link);
      done.resolve();
      await untilGone(link);
    },
    () => done.promise,
    (messages) => {
      taken.push(...messages.map((message) => message.need(NUMBER)));
      return Promise.resolve();
    },
  );
  assertEquals(taken, [0, 1, 2, 3]);
  // OK is cumulative and waits a moment; KO does not wait.
  assertEquals(answers, ["KO 1 checksum", "OK 0", "OK 3"]);
});

Deno.test("client session: an OK travels with a submission where there is one", async () => {
  const order: string[] = [];
  const pushed = Promise.withResolvers<void>();
  await withScript(async (link) => {
    await sendPush(link, 0n, echo(0));
    const first = (await link.next())!;
    const second = (await link.next())!;
    order.push(first.verb.name, second.verb.name);
    await sendOk(link, second);
    await untilGone(link);
  }, async (session) => {
    await pushed.promise;
    await session.request(echo(1));
  }, () => {
    setTimeout(pushed.resolve, 1);
    return Promise.resolve();
  });
  assertEquals(order, ["OK", "SUBMIT"]);
});

Deno.test("client session: a push that the handler fails on holds up neither OK nor the next push", async () => {
  const done = Promise.withResolvers<void>();
  const taken: number[] = [];
  const confirmed: bigint[] = [];
  await withScript(
    async (link) => {
      for (const counter of [0n, 1n]) {
        await sendPush(link, counter, echo(Number(counter)));
      }
      while (confirmed.at(-1) !== 1n) {
        confirmed.push((await link.next())!.need(COUNTER));
      }
      done.resolve();
      await untilGone(link);
    },
    () => done.promise,
    (messages) => {
      taken.push(messages[0]!.need(NUMBER));
      return Promise.reject(new Error("no room on this disk"));
    },
  );
  assertEquals(taken, [0, 1]);
});

Deno.test("S0.8: a real server sends a push again that did not arrive whole, in order", async () => {
  const echoes = new EchoService();
  await using server = await quickServer(echoes.installed);
  const { keyring, usrKey } = await enrol(server, "alice@test");
  const { link } = await tap(server);
  await loginByKey(link, keyring, usrKey);
  let spoilt = 0;
  link.incoming = (message) => {
    const isFirst = message.verb.name === "PUSH" &&
      message.need(COUNTER) === 2n && spoilt++ === 0;
    return isFirst ? withWrongHash(message) : message;
  };
  const taken: number[] = [];
  const session = sessionOn(link, keyring, (messages) => {
    taken.push(...messages.map((message) => message.need(NUMBER)));
    return Promise.resolve();
  });
  await session.request(echo(1));
  const [serverSide] = echoes.sessions;
  await Promise.all(
    [10, 11, 12, 13, 14].map((number) => serverSide!.push(echo(number))),
  );
  assertEquals(taken, [10, 11, 12, 13, 14]);
  assertEquals(spoilt, 2);
  assertEquals(link.count("KO"), 1);
  await session.close();
  assertEquals(server.failures, []);
});

function withWrongHash(message: Message): Message {
  const copy = Object.create(message) as Message;
  copy.need = (parameter) =>
    parameter.id === VERIFICATION_SHA256.id
      ? new Uint8Array(32) as never
      : message.need(parameter);
  copy.get = (parameter) => message.get(parameter);
  copy.all = (parameter) => message.all(parameter);
  assert(message.need(DATA_LENGTH) > 0);
  return copy;
}
