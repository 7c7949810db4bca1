import { assert, assertEquals, assertRejects } from "@std/assert";
import { AccountError, loginByKey } from "../../lib/account/mod.ts";
import {
  COUNTER,
  KO,
  OK,
  REASON,
  RETRY_IN,
} from "../../lib/account/commands.ts";
import { writeData } from "../../lib/account/submission.ts";
import { CommandWriter, sha256, utf8 } from "../../lib/protocol/mod.ts";
import type { CommandChannel, Message } from "../../lib/protocol/mod.ts";
import { echo, EchoService, NUMBER } from "./echo_service.ts";
import { enrol, quickServer, sessionOn } from "./people.ts";
import { nextSubmit, sendOk, untilGone, withScript } from "./session_script.ts";
import { tap } from "./tapped_link.ts";

Deno.test("client session: many requests at once share few submissions, and each gets its own answer", async () => {
  const echoes = new EchoService();
  await using server = await quickServer(echoes.installed);
  const { keyring, usrKey } = await enrol(server, "alice@test");
  const { link } = await tap(server);
  await loginByKey(link, keyring, usrKey);
  const session = sessionOn(link, keyring);
  // The later a request was made, the sooner it is answered by its service.
  echoes.delay = (message) =>
    new Promise((resolve) =>
      setTimeout(resolve, 20 - message.need(NUMBER) / 50)
    );
  const numbers = Array.from({ length: 1_000 }, (_, i) => i);
  const answers = await Promise.all(
    numbers.map((number) => session.request(echo(number))),
  );
  assertEquals(answers.map((answer) => answer.need(NUMBER)), numbers);
  const submissions = link.count("SUBMIT");
  assert(submissions <= 15, `${submissions} submissions`);
  assertEquals(echoes.numbers, numbers, "begun in the order they were made in");
  await session.close();
});

Deno.test("client session: alone, a request is a submission of its own and leaves at once", async () => {
  const echoes = new EchoService();
  await using server = await quickServer(echoes.installed);
  const { keyring, usrKey } = await enrol(server, "alice@test");
  const { link } = await tap(server);
  await loginByKey(link, keyring, usrKey);
  const session = sessionOn(link, keyring);
  for (let i = 0; i < 5; i++) await session.request(echo(i));
  assertEquals(link.count("SUBMIT"), 5);
  await session.close();
});

Deno.test("client session: at most eight submissions are under way, whatever is asked", async () => {
  let seen = 0;
  const eight = Array.from({ length: 8 }, () => Promise.withResolvers<void>());
  await withScript(async (link) => {
    const submits: Message[] = [];
    for (const { resolve } of eight) {
      submits.push(await nextSubmit(link));
      seen++;
      resolve();
    }
    // Nothing more comes before one is answered.
    const ninth = nextSubmit(link).then((submit) => {
      seen++;
      return submit;
    });
    await new Promise((resolve) => setTimeout(resolve, 30));
    assertEquals(seen, 8);
    for (const submit of submits) await sendOk(link, submit);
    await sendOk(link, await ninth);
    await untilGone(link);
  }, async (session) => {
    const answers: Promise<Message>[] = [];
    for (let i = 0; i < 20; i++) {
      answers.push(session.request(echo(i)));
      // What is asked together goes together: these go one by one.
      await eight[i]?.promise;
    }
    const numbers = (await Promise.all(answers)).map((a) => a.need(NUMBER));
    assertEquals(numbers, Array.from({ length: 20 }, (_, i) => i));
    assertEquals(seen, 9);
  });
});

Deno.test("client session: answers belong to their submission, in whatever order they come", async () => {
  await withScript(async (link) => {
    const first = await nextSubmit(link);
    const second = await nextSubmit(link);
    // Answers to nothing that was asked are passed over.
    const strange = new CommandWriter().set(COUNTER, 77n);
    writeData(strange, echo(9), await sha256(echo(9)));
    await link.send(strange.verb(OK).done());
    await link.send(
      new CommandWriter().set(COUNTER, 78n).set(REASON, utf8("internal"))
        .verb(KO).done(),
    );
    await sendOk(link, second);
    await sendOk(link, second);
    await sendOk(link, first);
    await untilGone(link);
  }, async (session) => {
    const first = session.request(echo(1));
    await new Promise((resolve) => setTimeout(resolve, 5));
    const answers = await Promise.all([first, session.request(echo(2))]);
    assertEquals(answers.map((answer) => answer.get(NUMBER)), [1, 2]);
  });
});

Deno.test("S0.8: what does not arrive whole is sent again under a new counter, three times at most", async () => {
  const counters: bigint[] = [];
  const refuse = async (link: CommandChannel) => {
    const counter = (await nextSubmit(link)).need(COUNTER);
    counters.push(counter);
    await link.send(
      new CommandWriter().set(COUNTER, counter).set(REASON, utf8("checksum"))
        .verb(KO).done(),
    );
  };
  await withScript(async (link) => {
    await refuse(link);
    await sendOk(link, await nextSubmit(link));
    for (let i = 0; i < 3; i++) await refuse(link);
    await sendOk(link, await nextSubmit(link));
    await untilGone(link);
  }, async (session) => {
    assertEquals((await session.request(echo(1))).get(NUMBER), 1);
    const error = await assertRejects(
      () => session.request(echo(2)),
      AccountError,
    );
    assertEquals(error.reason, "checksum");
    assertEquals((await session.request(echo(3))).get(NUMBER), 3);
    assertEquals(counters, [0n, 2n, 3n, 4n]);
  });
});

Deno.test("S0.8: answers that do not arrive whole are asked for again, three times at most", async () => {
  await withScript(async (link) => {
    for (let i = 0; i < 3; i++) {
      const submit = await nextSubmit(link);
      const writer = new CommandWriter().set(COUNTER, submit.need(COUNTER));
      writeData(writer, echo(1), new Uint8Array(32));
      await link.send(writer.verb(OK).done());
    }
    await untilGone(link);
  }, async (session) => {
    const error = await assertRejects(
      () => session.request(echo(1)),
      AccountError,
    );
    assertEquals(error.reason, "checksum");
  });
});

Deno.test("client session: any other KO is the answer of all who shared the submission", async () => {
  let isRefusing = true;
  await withScript(async (link) => {
    while (isRefusing) {
      const submit = await nextSubmit(link);
      await link.send(
        new CommandWriter().set(COUNTER, submit.need(COUNTER))
          .set(REASON, utf8("something new")).set(RETRY_IN, 9).verb(KO).done(),
      );
      isRefusing = submit.need(COUNTER) < 2n;
    }
    await sendOk(link, await nextSubmit(link));
    await untilGone(link);
  }, async (session) => {
    for (let i = 0; i < 3; i++) {
      const error = await assertRejects(
        () => session.request(echo(i)),
        AccountError,
      );
      assertEquals([error.reason, error.retryIn], ["internal", 9]);
    }
    assertEquals((await session.request(echo(4))).get(NUMBER), 4);
  });
});

Deno.test("client session: answers that fill a submission fit, longer ones are refused and the session goes on", async () => {
  const echoes = new EchoService();
  await using server = await quickServer(echoes.installed);
  const { keyring, usrKey } = await enrol(server, "alice@test");
  const link = await server.connect();
  await loginByKey(link, keyring, usrKey);
  const session = sessionOn(link, keyring);
  const ask = () =>
    Promise.allSettled(
      Array.from({ length: 201 }, (_, i) => session.request(echo(i))),
    );
  // The answer to FETCH-PREKEYS, the longest of any service's, is shorter than this.
  echoes.padding = new Uint8Array(2_600);
  assert((await ask()).every(({ status }) => status === "fulfilled"));
  echoes.padding = new Uint8Array(3_000);
  const reasons = new Set(
    (await ask()).map((each) =>
      each.status === "rejected" && (each.reason as AccountError).reason
    ),
  );
  assertEquals(reasons, new Set([false, "too-large"]));
  assertEquals((await session.request(echo(7))).get(NUMBER), 7);
  await session.close();
  assertEquals(server.failures, []);
});
