import type { Bytes } from "../../protocol/mod.ts";
import { equalConstantTime, MalformedError } from "../../protocol/mod.ts";
import type { Certificate } from "../../identity/mod.ts";
import { parseLetter } from "../letter.ts";
import type { Letter } from "../letter.ts";
import { MessageType, PeerMessageError } from "../../peer/mod.ts";
import { PrekeyError } from "../prekey_bundle.ts";
import { forgetOneTimePrekey } from "../prekey_secrets.ts";
import { RatchetError } from "../ratchet_error.ts";
import { openLetter } from "../session.ts";
import type { OpenedLetter } from "../session.ts";
import { SessionError } from "../session_error.ts";
import { acceptSession } from "../session_start.ts";
import type { Contact } from "./contact.ts";
import { CONTACTS } from "./contact.ts";
import type { Correspondent } from "./correspondent.ts";
import { DEVICE, DEVICE_KEY } from "./device.ts";
import type { MailboxEvent } from "./mailbox_event.ts";
import { Reception } from "./reception.ts";
import { sealControl } from "./sealing.ts";
import type { Sealed } from "./sealing.ts";
import { newSessionRecord, sessionKey, SESSIONS } from "./session_record.ts";
import type { Transaction } from "./transaction.ts";

/** Sessions kept with one person; the least recently begun goes first. */
const SESSIONS_KEPT = 16;

/** A letter as the server delivered it. */
export interface ArrivedLetter {
  readonly sequence: bigint;
  readonly letter: Bytes;
}

/** A letter of a session that this device does not hold, or in which too much is missing. */
export interface LostLetter {
  readonly sequence: bigint;
  /** 8 bytes. */
  readonly sessionId: Bytes;
}

/** What came of opening letters; it holds once the transaction is committed. */
export interface Opening {
  /** Letters that the server may forget. */
  readonly acknowledged: readonly bigint[];
  readonly events: readonly MailboxEvent[];
  /** Receipts to be posted. */
  readonly sealed: readonly Sealed[];
  /** The server may forget them once their sender was asked to seal again. */
  readonly lost: readonly LostLetter[];
  /** Letters of another identity than the pinned one, left for the user, or the server, to explain. */
  readonly held: readonly ArrivedLetter[];
}

/**
 * Opens letters of one sender, in the order in which they came.
 *
 * @param certain whether the server was just asked for the sender's certificate: then a letter that
 * neither that one nor the pinned one explains is of nobody, and done with.
 */
export async function openLetters(
  transaction: Transaction,
  self: Correspondent,
  address: string,
  letters: readonly ArrivedLetter[],
  certain: boolean,
): Promise<Opening> {
  const work = new OpeningWork(transaction, self, address, certain);
  return await work.run(letters);
}

type Opened = OpenedLetter & { readonly sessionKey: string };

/** What became of a letter: see `Opening`. */
type Outcome = "done" | "held" | "lost";

class OpeningWork {
  readonly #transaction: Transaction;
  readonly #self: Correspondent;
  readonly #address: string;
  readonly #acknowledged: bigint[] = [];
  readonly #events: MailboxEvent[] = [];
  readonly #lost: LostLetter[] = [];
  readonly #receipts = new Map<string, Bytes>();
  readonly #certain: boolean;
  readonly #held: ArrivedLetter[] = [];

  constructor(
    transaction: Transaction,
    self: Correspondent,
    address: string,
    certain: boolean,
  ) {
    this.#certain = certain;
    this.#transaction = transaction;
    this.#self = self;
    this.#address = address;
  }

  async run(letters: readonly ArrivedLetter[]): Promise<Opening> {
    for (const arrived of letters) {
      const { sequence, letter } = arrived;
      const outcome = await this.#take(letter);
      if (outcome === "done") this.#acknowledged.push(sequence);
      else if (outcome === "held") this.#held.push(arrived);
      else {
        const { sessionId } = parseLetter(letter);
        this.#lost.push({ sequence, sessionId });
      }
    }
    const sealed: Sealed[] = [];
    for (const id of this.#receipts.values()) {
      const receipt = {
        type: MessageType.RECEIPT,
        flags: 0,
        payload: new Uint8Array(0),
      };
      sealed.push(
        ...await sealControl(this.#transaction, this.#self, this.#address, id, [
          receipt,
        ]),
      );
    }
    return {
      acknowledged: this.#acknowledged,
      events: this.#events,
      sealed,
      lost: this.#lost,
      held: this.#held,
    };
  }

  async #take(bytes: Bytes): Promise<Outcome> {
    const blinded = await this.#self.blind(this.#address);
    const contact = await this.#transaction.read(CONTACTS, blinded);
    if (contact === undefined) return "held";
    const peer = await this.#self.certificate(contact.certificate);
    try {
      const letter = parseLetter(bytes);
      const key = sessionKey(blinded, letter.sessionId);
      const record = await this.#transaction.read(SESSIONS, key);
      if (record === undefined) {
        return await this.#takeFirst(contact, peer, letter, bytes, key);
      }
      const opened = await openLetter(
        record.session,
        this.#self.keyring,
        peer,
        bytes,
      );
      await this.#receive({ ...opened, sessionKey: key }, letter.sessionId);
      return "done";
    } catch (error) {
      return this.#explain(error);
    }
  }

  /** A letter of a session that is not held: it opens one, or it cannot be read here. */
  async #takeFirst(
    contact: Contact,
    peer: Certificate,
    letter: Letter,
    bytes: Bytes,
    key: string,
  ): Promise<Outcome> {
    if (letter.block === null) return "lost";
    // The certificate id of the one who opened the session leads the block.
    const initiator = letter.block.subarray(0, 32);
    if (!equalConstantTime(initiator, peer.id)) {
      return await this.#ofNobody(contact, initiator);
    }
    const device = await this.#transaction.read(DEVICE, DEVICE_KEY);
    if (device === undefined) return "held";
    const { oneTimeId, ...opened } = await acceptSession(
      this.#self.keyring,
      peer,
      device.prekeys,
      bytes,
    );
    this.#transaction.write(DEVICE, DEVICE_KEY, {
      ...device,
      prekeys: forgetOneTimePrekey(device.prekeys, oneTimeId),
    });
    const blinded = await this.#self.blind(this.#address);
    this.#transaction.write(CONTACTS, blinded, {
      ...contact,
      sessions: await this.#ordered(contact, blinded, letter.sessionId),
    });
    this.#transaction.write(SESSIONS, key, newSessionRecord(opened.session));
    await this.#receive({ ...opened, sessionKey: key }, letter.sessionId);
    return "done";
  }

  /** A letter of the identity that has turned up waits for the user; one that nobody explains does not. */
  async #ofNobody({ changed }: Contact, initiator: Bytes): Promise<Outcome> {
    if (changed !== null) {
      const { id } = await this.#self.certificate(changed);
      if (equalConstantTime(initiator, id)) return "held";
    }
    if (!this.#certain) return "held";
    this.#events.push({
      kind: "unreadable",
      address: this.#address,
      why:
        "Cannot open a letter: it names another certificate than its sender's",
    });
    return "done";
  }

  /**
   * The sessions with a new one. If both sides have begun one at the same time, both go on in the
   * one with the lower id; otherwise whoever begins a new one has lost the one before.
   */
  async #ordered(
    contact: Contact,
    blinded: string,
    id: Bytes,
  ): Promise<readonly Bytes[]> {
    const [current] = contact.sessions;
    const record = current === undefined
      ? undefined
      : await this.#transaction.read(SESSIONS, sessionKey(blinded, current));
    const both = record !== undefined && record.session.opening !== null;
    const stays = both && current!.toHex() < id.toHex();
    const [first, second] = stays ? [current!, id] : [id, undefined];
    const others = contact.sessions.filter((each) => each !== first);
    return [first, ...(second === undefined ? [] : [second]), ...others]
      .slice(0, SESSIONS_KEPT);
  }

  async #receive(opened: Opened, id: Bytes): Promise<void> {
    const reception = new Reception(
      this.#transaction,
      this.#self,
      this.#address,
    );
    this.#events.push(...await reception.take(opened.sessionKey, id, opened));
    if (opened.message.seq > 0) this.#receipts.set(opened.sessionKey, id);
  }

  /** Letters that can never be opened are done with; the user is told. */
  #explain(error: unknown): Outcome {
    if (error instanceof RatchetError && error.code === "ERR_RATCHET_USED") {
      return "done"; // It came before.
    }
    const lost =
      error instanceof PrekeyError && error.code === "ERR_PREKEY_UNKNOWN" ||
      error instanceof RatchetError && error.code === "ERR_RATCHET_TOO_FAR" ||
      error instanceof SessionError && error.code === "ERR_SESSION_END";
    if (lost) return "lost";
    const known = error instanceof MalformedError ||
      error instanceof RatchetError || error instanceof SessionError ||
      error instanceof PeerMessageError || error instanceof PrekeyError;
    if (!known) throw error;
    this.#events.push({
      kind: "unreadable",
      address: this.#address,
      why: error.message,
    });
    return "done";
  }
}
