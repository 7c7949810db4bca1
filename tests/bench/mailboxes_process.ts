/**
 * Pairs of people with whole mailboxes: sessions end to end, vaults on disk, everything saved before
 * it is sent, told or acknowledged. A letter has come when it was told to whoever would show it; its
 * receipt, when the sender was told that it was delivered. Arguments: the file of the people, of whom
 * these are the second half, what the server said, with its process id, and a directory for the
 * vaults.
 *
 * @module
 */
import { ACCOUNT, ClientSession, loginByKey } from "../../lib/account/mod.ts";
import type { Keyring } from "../../lib/identity/mod.ts";
import { MAILBOX, MailboxClient } from "../../lib/mailbox/mod.ts";
import type { MailboxEvent } from "../../lib/mailbox/mod.ts";
import { importAead, Vocabulary } from "../../lib/protocol/mod.ts";
import { Vault } from "../../lib/store/mod.ts";
import { connectTo, inParallel, parseServer } from "./connecting.ts";
import type { ServerUnderTest } from "./connecting.ts";
import { measurePairs, Pair } from "./pairs.ts";
import { loadPeople } from "./people.ts";
import { answerQuestions } from "./subprocess.ts";
import type { Json } from "./subprocess.ts";

const VOCABULARY = new Vocabulary(ACCOUNT, MAILBOX);
/** As much text as the peer's messages hold, in characters. */
const TEXT = "x".repeat(240);

/** Somebody with a mailbox. */
class Person {
  readonly address: string;
  onEvent: (event: MailboxEvent) => void = () => {};
  readonly #keyring: Keyring;
  readonly #vault: Vault;
  readonly #mailbox: MailboxClient;
  #session!: ClientSession;

  private constructor(keyring: Keyring, vault: Vault, mailbox: MailboxClient) {
    this.address = keyring.certificate.address;
    this.#keyring = keyring;
    this.#vault = vault;
    this.#mailbox = mailbox;
  }

  static async open(keyring: Keyring, directory: string): Promise<Person> {
    const vault = await Vault.open(
      `${directory}/${keyring.certificate.address}.db`,
      await importAead(new Uint8Array(32)),
    );
    const mailbox = await MailboxClient.open({
      vault,
      keyring,
      now: Date.now,
      onEvent: (event) => person.onEvent(event),
    });
    const person = new Person(keyring, vault, mailbox);
    return person;
  }

  async connect(server: ServerUnderTest): Promise<void> {
    const link = await connectTo(server);
    await loginByKey(link, this.#keyring, server.usrKey);
    this.#session = new ClientSession(
      link,
      this.#keyring,
      VOCABULARY,
      this.#mailbox.onPush,
    );
    await this.#mailbox.attach(this.#session, { receive: true });
  }

  send(address: string, text: string): void {
    this.#mailbox.send(address, text);
  }

  async close(): Promise<void> {
    await this.#mailbox.settled();
    await this.#session.close();
    this.#vault.close();
  }
}

if (import.meta.main) {
  await main(Deno.args[0]!, JSON.parse(Deno.args[1]!), Deno.args[2]!);
}

async function main(
  file: string,
  said: Json,
  directory: string,
): Promise<void> {
  const server = await parseServer(said);
  const people = await Promise.all(
    (await loadPeople(file, "second")).map((keyring) =>
      Person.open(keyring, directory)
    ),
  );
  await inParallel(people.length, 8, (i) => people[i]!.connect(server));
  const pairs: Pair[] = [];
  for (let i = 0; i + 1 < people.length; i += 2) {
    pairs.push(makePair(people[i]!, people[i + 1]!));
  }
  await answerQuestions(
    {},
    (question) => measurePairs(pairs, server.pid, question),
  );
  await Promise.all(people.map((person) => person.close()));
}

/** A letter is known by its text. */
function makePair(sender: Person, receiver: Person): Pair {
  let count = 0;
  const pair = new Pair(() => {
    const text = `${count++} ${TEXT}`;
    sender.send(receiver.address, text);
    return text;
  });
  receiver.onEvent = (event) => {
    if (event.kind === "text") pair.delivered(event.entry.text);
  };
  sender.onEvent = (event) => {
    if (event.kind === "state" && event.entry.state === "delivered") {
      pair.receipted(event.entry.text);
    }
  };
  return pair;
}
