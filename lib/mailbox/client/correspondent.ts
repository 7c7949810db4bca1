import type { Bytes } from "../../protocol/mod.ts";
import type { Certificate, Keyring } from "../../identity/mod.ts";
import { parseCertificate } from "../../identity/mod.ts";
import type { Vault } from "../../store/mod.ts";
import type { Contact } from "./contact.ts";
import { CONTACTS } from "./contact.ts";
import type { Transaction } from "./transaction.ts";

/** Certificates remembered, to save verifying them again. */
const REMEMBERED = 1_000;

/** Whose mailbox this is, and what the parts of a client share. */
export class Correspondent {
  readonly vault: Vault;
  readonly keyring: Keyring;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly #certificates = new Map<string, Certificate>();

  constructor(vault: Vault, keyring: Keyring, now: () => number) {
    this.vault = vault;
    this.keyring = keyring;
    this.now = now;
  }

  /** The name under which records of `address` are kept. */
  blind(address: string): Promise<string> {
    return this.vault.blind(address);
  }

  /** The contact, as a transaction sees it. */
  async contact(
    transaction: Transaction,
    address: string,
  ): Promise<Contact | undefined> {
    return await transaction.read(CONTACTS, await this.blind(address));
  }

  /** An encoded certificate, parsed and verified, once. */
  async certificate(bytes: Bytes): Promise<Certificate> {
    const name = bytes.toBase64();
    const known = this.#certificates.get(name);
    if (known !== undefined) return known;
    const certificate = await parseCertificate(bytes);
    if (this.#certificates.size >= REMEMBERED) this.#certificates.clear();
    this.#certificates.set(name, certificate);
    return certificate;
  }
}
