/**
 * Pairs of people who write to each other as cheaply as the protocol allows: real sessions with real
 * signatures, but letters made ahead, and receipts that are letters of the same size. What a
 * `MailboxClient` costs is not in it. Arguments: the file of the people, of whom these are the first
 * half, and what the server said, with its process id.
 *
 * @module
 */
import { ACCOUNT, ClientSession, loginByKey } from "../../lib/account/mod.ts";
import type { Keyring } from "../../lib/identity/mod.ts";
import {
  ACKNOWLEDGE,
  DELIVER,
  DEVICE_ID,
  LETTER,
  LETTER_ID,
  OPEN_MAILBOX,
  PERSON,
  POST,
  SEQUENCE,
  SEQUENCES,
} from "../../lib/mailbox/commands.ts";
import { FOLLOWING_LETTER_BYTES, MAILBOX } from "../../lib/mailbox/mod.ts";
import type { Bytes, Message } from "../../lib/protocol/mod.ts";
import {
  CommandWriter,
  randomBytes,
  utf8,
  Vocabulary,
  Writer,
} from "../../lib/protocol/mod.ts";
import { connectTo, inParallel, parseServer } from "./connecting.ts";
import type { ServerUnderTest } from "./connecting.ts";
import { measurePairs, Pair } from "./pairs.ts";
import { DEVICE, loadPeople } from "./people.ts";
import { answerQuestions } from "./subprocess.ts";
import type { Json } from "./subprocess.ts";

const VOCABULARY = new Vocabulary(ACCOUNT, MAILBOX);
const BODY = randomBytes(FOLLOWING_LETTER_BYTES);

/** One side of a pair: posts letters, and acknowledges what comes. */
class Side {
  readonly #keyring: Keyring;
  readonly #peer: Bytes;
  /** Told the id of every letter that comes. */
  onLetter: (id: Bytes) => void = () => {};
  #session!: ClientSession;

  constructor(keyring: Keyring, peer: Keyring) {
    this.#keyring = keyring;
    this.#peer = utf8(peer.certificate.address);
  }

  async connect(server: ServerUnderTest): Promise<void> {
    const link = await connectTo(server);
    await loginByKey(link, this.#keyring, server.usrKey);
    this.#session = new ClientSession(
      link,
      this.#keyring,
      VOCABULARY,
      (messages) => this.#take(messages),
    );
    await this.#session.request(
      new CommandWriter().set(DEVICE_ID, DEVICE).verb(OPEN_MAILBOX).done(),
    );
  }

  post(id: Bytes): void {
    this.#request(
      new CommandWriter(640).set(PERSON, this.#peer).set(LETTER_ID, id)
        .set(LETTER, BODY).verb(POST),
    );
  }

  close(): Promise<void> {
    return this.#session.close();
  }

  #take(messages: readonly Message[]): Promise<void> {
    const letters = messages.filter(({ verb }) => verb === DELIVER);
    const sequences = new Writer(letters.length * 8);
    for (const letter of letters) sequences.u64(letter.need(SEQUENCE));
    this.#request(
      new CommandWriter(64).set(SEQUENCES, sequences.done()).verb(ACKNOWLEDGE),
    );
    for (const letter of letters) this.onLetter(letter.need(LETTER_ID));
    return Promise.resolve();
  }

  #request(command: CommandWriter): void {
    this.#session.request(command.done()).catch(() => {
      // Missing receipts show what went wrong before the end.
    });
  }
}

if (import.meta.main) await main(Deno.args[0]!, JSON.parse(Deno.args[1]!));

async function main(file: string, said: Json): Promise<void> {
  const people = await loadPeople(file, "first");
  const server = await parseServer(said);
  const sides = people.map((person, i) => new Side(person, people[i ^ 1]!));
  await inParallel(sides.length, 8, (i) => sides[i]!.connect(server));
  const pairs: Pair[] = [];
  for (let i = 0; i + 1 < sides.length; i += 2) {
    pairs.push(makePair(sides[i]!, sides[i + 1]!));
  }
  await answerQuestions(
    {},
    (question) => measurePairs(pairs, server.pid, question),
  );
  await Promise.all(sides.map((side) => side.close()));
}

/** A receipt is a letter back with the id of the one that it is for. */
function makePair(sender: Side, receiver: Side): Pair {
  const pair = new Pair(() => {
    const id = randomBytes(16);
    sender.post(id);
    return id.toHex();
  });
  receiver.onLetter = (id) => {
    pair.delivered(id.toHex());
    receiver.post(id);
  };
  sender.onLetter = (id) => pair.receipted(id.toHex());
  return pair;
}
