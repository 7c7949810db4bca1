import type { Message, Verb } from "../../protocol/mod.ts";
import { CommandWriter, randomBytes, Reader } from "../../protocol/mod.ts";
import type { ClientSession } from "../../account/mod.ts";
import {
  DEVICE_ID,
  MOVE_MAILBOX,
  ONE_TIME_PREKEYS,
  OPEN_MAILBOX,
  PREKEY_BUNDLE,
  PREKEYS_LEFT,
  PUBLISH_PREKEYS,
} from "../commands.ts";
import { encodeOneTimePrekeys } from "../prekey_bundle.ts";
import type { OneTimePrekey } from "../prekey_bundle.ts";
import {
  addOneTimePrekeys,
  createPrekeys,
  publishBundle,
  rotatePrekeys,
} from "../prekey_secrets.ts";
import type { Correspondent } from "./correspondent.ts";
import { DEVICE, DEVICE_KEY } from "./device.ts";
import type { Device } from "./device.ts";
import { transact } from "./transaction.ts";

/** One-time prekeys at the server: filled up to so many when fewer than half are left. */
const PREKEYS_FULL = 100;
const PREKEYS_LOW = PREKEYS_FULL / 2;

/** A number from 1 to 2^31: behind it is room for as many prekeys as one will ever make. */
function randomId(): number {
  return 1 + (new Reader(randomBytes(4)).u32() >>> 1);
}

/** Keeps others supplied with prekeys for this device. */
export class PrekeySupply {
  readonly #self: Correspondent;

  constructor(self: Correspondent) {
    this.#self = self;
  }

  /** Makes the device's record if there is none. */
  async prepare(): Promise<void> {
    await transact(this.#self.vault, async (transaction) => {
      if (await transaction.read(DEVICE, DEVICE_KEY) !== undefined) return;
      transaction.write(DEVICE, DEVICE_KEY, {
        id: randomBytes(16),
        announced: false,
        prekeys: await createPrekeys(this.#seconds(), randomId()),
      });
    });
  }

  /** From now on the account is used on this device, whatever was used before. */
  async takeOver(): Promise<void> {
    await transact(this.#self.vault, async (transaction) => {
      const device = await this.#device(transaction);
      transaction.write(DEVICE, DEVICE_KEY, { ...device, announced: false });
    });
  }

  /** Tells the server, once, that this device holds the sessions. */
  async announce(session: ClientSession): Promise<void> {
    const device = await transact(this.#self.vault, (t) => this.#device(t));
    if (device.announced) return;
    await this.#publish(session, MOVE_MAILBOX, PREKEYS_FULL);
    await transact(this.#self.vault, async (transaction) => {
      const now = await this.#device(transaction);
      transaction.write(DEVICE, DEVICE_KEY, { ...now, announced: true });
    });
  }

  /** Opens the mailbox; the server's OPENED. */
  async open(session: ClientSession): Promise<Message> {
    const { id } = await transact(this.#self.vault, (t) => this.#device(t));
    return await session.request(
      new CommandWriter().set(DEVICE_ID, id).verb(OPEN_MAILBOX).done(),
    );
  }

  /** Publishes what is missing after OPENED has said what is left, and rotates what is old. */
  async replenish(session: ClientSession, opened: Message): Promise<void> {
    const left = opened.get(PREKEYS_LEFT) ?? 0;
    const before = await transact(this.#self.vault, (t) => this.#device(t));
    const rotated = await rotatePrekeys(before.prekeys, this.#seconds());
    if (left >= PREKEYS_LOW && rotated === before.prekeys) return;
    const count = left >= PREKEYS_LOW ? 0 : PREKEYS_FULL - left;
    await this.#publish(session, PUBLISH_PREKEYS, count);
  }

  /** The private halves are saved before the public ones leave. */
  async #publish(
    session: ClientSession,
    verb: Verb,
    count: number,
  ): Promise<void> {
    const { device, added } = await this.#make(count);
    const bundle = await publishBundle(this.#self.keyring, device.prekeys);
    await session.request(
      new CommandWriter(8_192).set(DEVICE_ID, device.id)
        .set(PREKEY_BUNDLE, bundle)
        .set(ONE_TIME_PREKEYS, encodeOneTimePrekeys(added))
        .verb(verb).done(),
    );
  }

  #make(
    count: number,
  ): Promise<{ device: Device; added: readonly OneTimePrekey[] }> {
    return transact(this.#self.vault, async (transaction) => {
      const before = await this.#device(transaction);
      const rotated = await rotatePrekeys(before.prekeys, this.#seconds());
      const { secrets, added } = await addOneTimePrekeys(rotated, count);
      const device = { ...before, prekeys: secrets };
      transaction.write(DEVICE, DEVICE_KEY, device);
      return { device, added };
    });
  }

  async #device(
    transaction: {
      read: (kind: typeof DEVICE, key: string) => Promise<Device | undefined>;
    },
  ): Promise<Device> {
    const device = await transaction.read(DEVICE, DEVICE_KEY);
    if (device === undefined) {
      throw new RangeError("Cannot use prekeys: they were not prepared");
    }
    return device;
  }

  #seconds(): number {
    return Math.floor(this.#self.now() / 1_000);
  }
}
