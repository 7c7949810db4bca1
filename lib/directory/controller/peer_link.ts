import type { NodeKeyring, ServerAddress } from "../../identity/mod.ts";
import { Backoff } from "../../net/mod.ts";
import type { Bytes } from "../../protocol/mod.ts";
import { CommandWriter } from "../../protocol/mod.ts";
import { BODY_LENGTH, DELIBERATE } from "../commands.ts";
import type { DialController } from "../controller_link.ts";
import { ControllerLink } from "../controller_link.ts";
import { pause } from "../pause.ts";

/** What waits for another controller at most; what is older is left out, and said again later. */
const WAITING = 16;

/** What we say to one other controller: over a connection of our own, on which it says nothing. */
export class PeerLink {
  readonly #address: ServerAddress;
  readonly #dial: DialController;
  readonly #keyring: NodeKeyring;
  readonly #failed: (error: unknown) => void;
  readonly #closing = new AbortController();
  readonly #loop: Promise<void>;
  #waiting: Bytes[] = [];
  #wake: () => void = () => {};
  #link: ControllerLink | undefined;

  /** Connects when there is something to say. */
  constructor(
    address: ServerAddress,
    dial: DialController,
    keyring: NodeKeyring,
    failed: (error: unknown) => void,
  ) {
    this.#address = address;
    this.#dial = dial;
    this.#keyring = keyring;
    this.#failed = failed;
    this.#loop = this.#run();
  }

  /** Says something soon, or never if the other one is away. */
  send(message: Bytes): void {
    this.#waiting.push(message);
    if (this.#waiting.length > WAITING) this.#waiting.shift();
    this.#wake();
  }

  /** Ends the connection. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.#wake();
    this.#link?.abort();
    await this.#loop;
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    const backoff = new Backoff({ first: 200, longest: 10_000 });
    while (!signal.aborted) {
      const next = this.#waiting.shift();
      if (next === undefined) {
        await new Promise<void>((resolve) => this.#wake = resolve);
        continue;
      }
      try {
        this.#link ??= await this.#connect();
        const commands = new CommandWriter().set(BODY_LENGTH, next.length)
          .verb(DELIBERATE).done();
        await this.#link.tell(commands, next);
        backoff.reset();
      } catch (error) {
        this.#link?.abort();
        this.#link = undefined;
        if (signal.aborted) break;
        this.#failed(error);
        await pause(backoff.next(), signal);
      }
    }
    this.#link?.abort();
  }

  async #connect(): Promise<ControllerLink> {
    const { signal } = this.#closing;
    const link = await ControllerLink.open(this.#address, this.#dial, signal);
    try {
      await link.prove(this.#keyring);
      return link;
    } catch (error) {
      link.abort();
      throw error;
    }
  }
}
