import { assert, assertEquals } from "@std/assert";
import {
  ACCOUNT,
  ClientSession,
  loginByKey,
  USERNAME,
  WHO_AM_I,
} from "../../lib/account/mod.ts";
import { CommandWriter, fromUtf8, Vocabulary } from "../../lib/protocol/mod.ts";
import { linkTo, settle } from "./target.ts";
import type { Target } from "./target.ts";

const VOCABULARY = new Vocabulary(ACCOUNT);
const WHO = new CommandWriter().verb(WHO_AM_I).done();
const PAUSE = 20;

/** A client that is logged in while others attack, and asks all the time who it is. */
export class Witness {
  readonly #session: ClientSession;
  readonly #address: string;
  readonly #asking: Promise<void>;
  #stopped = false;
  /** How often it was answered, and the longest wait for an answer in milliseconds. */
  answers = 0;
  longest = 0;

  private constructor(session: ClientSession, address: string) {
    this.#session = session;
    this.#address = address;
    this.#asking = this.#ask();
    this.#asking.catch(() => {/* thrown by stop */});
  }

  static async at(target: Target, address: string): Promise<Witness> {
    const { keyring, usrKey } = await settle(target, address);
    const link = await linkTo(target);
    await loginByKey(link, keyring, usrKey);
    const session = new ClientSession(
      link,
      keyring,
      VOCABULARY,
      () => Promise.resolve(),
    );
    return new Witness(session, address);
  }

  /** Ends it. Throws if a single question was answered wrongly, late or not at all. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#asking;
    await this.#session.close();
    assert(this.answers > 0, "the witness saw nothing");
  }

  async #ask(): Promise<void> {
    while (!this.#stopped) {
      const start = performance.now();
      const answer = await this.#session.request(WHO);
      await this.#session.ping();
      assertEquals(fromUtf8(answer.need(USERNAME)), this.#address);
      this.longest = Math.max(this.longest, performance.now() - start);
      this.answers++;
      await new Promise((resolve) => setTimeout(resolve, PAUSE));
    }
  }
}
