/**
 * The peer's people: the same work as `letters_process.ts` and `logins_process.ts` do, through
 * prosody, which this process starts. Arguments: an empty directory, the version, how many people.
 *
 * @module
 */
import { inParallel } from "./connecting.ts";
import { measurePairs, Pair } from "./pairs.ts";
import { cpuSeconds } from "./process_cost.ts";
import { startProsody } from "./prosody.ts";
import type { Prosody } from "./prosody.ts";
import { answerQuestions, numberOf } from "./subprocess.ts";
import type { Json } from "./subprocess.ts";
import { XmppClient } from "./xmpp_client.ts";

/** As `chat.mjs` of the peers' measurements has it, in characters. */
const BODY = "x".repeat(256);

if (import.meta.main) {
  await main(Deno.args[0]!, Deno.args[1]!, Number(Deno.args[2]));
}

async function main(
  directory: string,
  version: string,
  people: number,
): Promise<void> {
  await using prosody = await startProsody(directory, version);
  const users = Array.from({ length: people }, (_, i) => `u${i}`);
  // Registers everybody, and lets everybody stretch the password, which a client does once.
  await inParallel(people, 16, async (i) => {
    await new XmppClient(prosody, users[i]!, "new").register();
    await logInAndOut(prosody, users[i]!);
  });
  const clients: XmppClient[] = [];
  const pairs: Pair[] = [];
  await answerQuestions({}, async (question) => {
    if (question.ask === "logins") {
      return await logins(prosody, users, question);
    }
    if (clients.length === 0) {
      clients.push(
        ...users.map((user) => new XmppClient(prosody, user, "pair")),
      );
      await inParallel(people, 16, (i) => clients[i]!.logIn());
      for (let i = 0; i + 1 < people; i += 2) {
        pairs.push(makePair(clients[i]!, clients[i + 1]!));
      }
    }
    return await measurePairs(pairs, prosody.pid, question);
  });
  for (const client of clients) client.close();
}

async function logins(
  prosody: Prosody,
  users: readonly string[],
  question: Json,
): Promise<Json> {
  const before = cpuSeconds(prosody.pid);
  const start = performance.now();
  await inParallel(
    numberOf(question, "count"),
    numberOf(question, "together"),
    (i) => logInAndOut(prosody, users[i % users.length]!),
  );
  return {
    seconds: (performance.now() - start) / 1_000,
    serverCpu: cpuSeconds(prosody.pid) - before,
  };
}

async function logInAndOut(prosody: Prosody, user: string): Promise<void> {
  const client = new XmppClient(prosody, user, "login");
  await client.logIn();
  client.close();
}

function makePair(sender: XmppClient, receiver: XmppClient): Pair {
  let count = 0;
  const pair = new Pair(() => {
    const id = `m${count++}`;
    sender.send(receiver.address, id, BODY);
    return id;
  });
  receiver.onMessage = (from, id) => {
    pair.delivered(id);
    receiver.sendReceipt(from, id);
  };
  sender.onReceipt = (id) => pair.receipted(id);
  return pair;
}
