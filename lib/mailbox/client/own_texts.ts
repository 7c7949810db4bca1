import type { ClientSession } from "../../account/mod.ts";
import type { Correspondent } from "./correspondent.ts";
import { entryKey, HISTORY } from "./history_entry.ts";
import type { MailboxEvent } from "./mailbox_event.ts";

/** Between two looks at the vault, in milliseconds. */
const LOOK_EVERY = 200;

interface OwnText {
  readonly address: string;
  readonly number: number;
}

/**
 * Texts that were written here and are still queued as far as the user has heard. Another process over
 * the same vault may seal and post them, and tells its own user, so that the vault is looked at while
 * there is a connection.
 */
export class OwnTexts {
  readonly #self: Correspondent;
  readonly #onEvent: (event: MailboxEvent) => void;
  readonly #queued = new Map<string, OwnText>();
  #session: ClientSession | undefined;
  #timer: ReturnType<typeof setInterval> | undefined;
  #seen: number | undefined;

  constructor(self: Correspondent, onEvent: (event: MailboxEvent) => void) {
    this.#self = self;
    this.#onEvent = onEvent;
  }

  /** A text was written. */
  add(address: string, number: number): void {
    this.#queued.set(`${address} ${number}`, { address, number });
    // It was saved before: another process may have posted it by now, and that look is past.
    this.#seen = undefined;
    this.#schedule();
  }

  /** Passes an event on to the user, who has heard it then. */
  readonly tell = (event: MailboxEvent): void => {
    if (event.kind === "state" && event.entry.state !== "queued") {
      this.#queued.delete(`${event.address} ${event.entry.number}`);
    }
    this.#onEvent(event);
  };

  /** Looks for as long as this connection lasts. */
  watch(session: ClientSession): void {
    this.#session = session;
    this.#schedule();
    session.ended.then(() => {
      if (this.#session !== session) return;
      this.#session = undefined;
      this.#rest();
    });
  }

  #schedule(): void {
    if (this.#session === undefined || this.#queued.size === 0) return;
    this.#timer ??= setInterval(
      () => this.#look().catch(() => this.#rest()),
      LOOK_EVERY,
    );
  }

  #rest(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  async #look(): Promise<void> {
    if (this.#queued.size === 0) return this.#rest();
    const version = this.#self.vault.dataVersion();
    if (version === this.#seen) return;
    this.#seen = version;
    for (const [name, { address, number }] of [...this.#queued]) {
      const key = entryKey(await this.#self.blind(address), number);
      const record = await this.#self.vault.get(HISTORY.kind, key);
      if (record === undefined) continue;
      const entry = HISTORY.decode(record.body);
      if (entry.state === "queued" || !this.#queued.has(name)) continue;
      this.tell({ kind: "state", address, entry });
    }
  }
}
