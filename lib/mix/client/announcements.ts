import type { Bytes } from "../../protocol/mod.ts";
import { equalConstantTime, MalformedError } from "../../protocol/mod.ts";
import { MixError } from "../mix_error.ts";
import type { RunSettings } from "../settings/run_settings.ts";
import { verifySettings } from "../settings/signed_settings.ts";
import type { IdentityOf } from "../settings/signed_settings.ts";
import { unusable } from "./check_settings.ts";

/** Documents that wait to be verified, and that are remembered as known. */
const WAITING_LIMIT = 16;
/** Refused documents after which the entry is not listened to any longer. */
const REFUSED_LIMIT = 32;

/** What is done with settings. */
export interface AnnouncementsOptions {
  /** As for `verifySettings`. */
  readonly identityOf: IdentityOf;
  /** Takes settings whose signatures are good. It throws `MixError` if it will not use them. */
  readonly take: (settings: RunSettings) => void;
  /** Told of settings that will not be used. */
  readonly refused: (error: MixError | MalformedError) => void;
  /** The entry goes too far; the connection is worth nothing. */
  readonly breach: (error: MixError) => void;
}

/**
 * Verifies the settings that the entry announces on one connection, one after the other, in order. What
 * was announced before is not looked at again; who floods is not listened to.
 */
export class Announcements {
  readonly #options: AnnouncementsOptions;
  #waiting: Bytes[] = [];
  #known: Bytes[] = [];
  #refusals = 0;
  #isOpen = false;
  #isBusy = false;
  #hasEnded = false;

  /** What is announced waits until `open`. */
  constructor(options: AnnouncementsOptions) {
    this.#options = options;
  }

  /** The entry has announced a document. */
  add(document: Bytes): void {
    if (this.#hasEnded) return;
    if (this.#waiting.length >= WAITING_LIMIT) return this.#breach();
    this.#waiting.push(document);
    void this.#work();
  }

  /** From now on settings are taken. */
  open(): void {
    this.#isOpen = true;
    void this.#work();
  }

  /** Nothing is taken any more. */
  end(): void {
    this.#hasEnded = true;
    this.#waiting = [];
  }

  async #work(): Promise<void> {
    if (!this.#isOpen || this.#isBusy) return;
    this.#isBusy = true;
    for (let next; (next = this.#waiting[0]) !== undefined;) {
      await this.#verify(next);
      this.#waiting.shift();
    }
    this.#isBusy = false;
  }

  async #verify(document: Bytes): Promise<void> {
    const { identityOf, take, refused } = this.#options;
    // What was announced before is in force, or was replaced by what came after it.
    if (this.#known.some((each) => equalConstantTime(each, document))) return;
    try {
      const settings = await verifySettings(document, identityOf);
      if (this.#hasEnded) return;
      take(settings);
      this.#known = [...this.#known.slice(1 - WAITING_LIMIT), document];
    } catch (error) {
      if (this.#hasEnded) return;
      refused(asRefusal(error));
      if (++this.#refusals >= REFUSED_LIMIT) this.#breach();
    }
  }

  #breach(): void {
    this.end();
    this.#options.breach(
      new MixError(
        "ERR_MIX_REFUSED",
        "Cannot take part in rounds: the entry announces too much",
      ),
    );
  }
}

function asRefusal(error: unknown): MixError | MalformedError {
  return error instanceof MixError || error instanceof MalformedError
    ? error
    : unusable("who the mixes are cannot be found out", { cause: error });
}
