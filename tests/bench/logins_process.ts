/**
 * People who log in, and connections that stay open. Arguments: the file of the people, and what the
 * server said, with its process id. Asked for `logins`, it logs in `count` times, `together` at once,
 * and says how long that took and what it cost; asked to `hold`, it opens as many sessions and keeps
 * them.
 *
 * @module
 */
import { ACCOUNT, ClientSession, loginByKey } from "../../lib/account/mod.ts";
import type { Keyring } from "../../lib/identity/mod.ts";
import { DEVICE_ID, OPEN_MAILBOX } from "../../lib/mailbox/commands.ts";
import { MAILBOX } from "../../lib/mailbox/mod.ts";
import { CommandWriter, Vocabulary } from "../../lib/protocol/mod.ts";
import { connectTo, inParallel, parseServer } from "./connecting.ts";
import type { ServerUnderTest } from "./connecting.ts";
import { logInStretched, startLogin } from "./login_drivers.ts";
import { DEVICE, loadPeople } from "./people.ts";
import { cpuSeconds } from "./process_cost.ts";
import { answerQuestions, numberOf, textOf } from "./subprocess.ts";
import type { Json } from "./subprocess.ts";

const VOCABULARY = new Vocabulary(ACCOUNT, MAILBOX);

type Way = (server: ServerUnderTest, person: Keyring) => Promise<void>;

/** How to log in, by name. */
const WAYS: Readonly<Record<string, Way>> = {
  async key(server, person) {
    const link = await connectTo(server);
    await loginByKey(link, person, server.usrKey);
    await link.close();
  },
  async unopened(server, person) {
    const link = await connectTo(server);
    await startLogin(link, person, server.usrKey);
    link.abort();
  },
  async passphrase(server, person) {
    const link = await connectTo(server);
    await logInStretched(link, server.certificate, person);
    await link.close();
  },
};

if (import.meta.main) await main(Deno.args[0]!, JSON.parse(Deno.args[1]!));

async function main(file: string, said: Json): Promise<void> {
  const people = await loadPeople(file);
  const server = await parseServer(said);
  const held: ClientSession[] = [];
  await answerQuestions({}, async (question) => {
    const count = numberOf(question, "count");
    const together = numberOf(question, "together");
    const person = (number: number) => people[number % people.length]!;
    if (question.ask === "hold") {
      await inParallel(count, together, async (number) => {
        held.push(await hold(server, person(number)));
      });
      return { held: held.length };
    }
    const logIn = WAYS[textOf(question, "way")]!;
    return await measured(
      server,
      () => inParallel(count, together, (i) => logIn(server, person(i))),
    );
  });
  for (const session of held) session.abort();
  await Promise.all(held.map(({ ended }) => ended));
}

async function measured(
  server: ServerUnderTest,
  work: () => Promise<void>,
): Promise<Json> {
  const before = [cpuSeconds(server.pid), cpuSeconds(Deno.pid)] as const;
  const start = performance.now();
  await work();
  return {
    seconds: (performance.now() - start) / 1_000,
    serverCpu: cpuSeconds(server.pid) - before[0],
    ownCpu: cpuSeconds(Deno.pid) - before[1],
  };
}

/** A session with an open mailbox, as a client has it that waits for letters. */
async function hold(
  server: ServerUnderTest,
  person: Keyring,
): Promise<ClientSession> {
  const link = await connectTo(server);
  await loginByKey(link, person, server.usrKey);
  const session = new ClientSession(
    link,
    person,
    VOCABULARY,
    () => Promise.resolve(),
  );
  await session.request(
    new CommandWriter().set(DEVICE_ID, DEVICE).verb(OPEN_MAILBOX).done(),
  );
  return session;
}
