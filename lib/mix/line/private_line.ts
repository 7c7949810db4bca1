import type { Certificate, Keyring } from "../../identity/mod.ts";
import type { Bytes, RandomSource } from "../../protocol/mod.ts";
import type {
  DialSource,
  Exchange,
  ExchangeSource,
} from "../client/sources.ts";
import type { RoundId } from "../round.ts";
import type { Call, LineEvent } from "./line_event.ts";

/** What a private line works with. */
export interface PrivateLineOptions {
  /** One's own certificate and the private keys that sign and agree. */
  readonly keyring: Pick<Keyring, "certificate" | "dh" | "signing">;
  /** Whoever may call: people whose certificates are trusted. Asked after every dialing round. */
  readonly contacts: () => Promise<readonly Certificate[]>;
  /** Milliseconds since 1970, on the coordinator's clock as far as it is known. */
  readonly now: () => number;
  /** Told of what happens, in order; must not throw. */
  readonly onEvent: (event: LineEvent) => void;
  /** So many conversations at once, as many as a round has slots; 3 unless told. */
  readonly slots?: number;
  /** `randomBytes` of the protocol unless told. */
  readonly random?: RandomSource;
}

/** How a conversation stands. */
export interface ConversationView {
  /** With whom. */
  readonly address: string;
  /** Their certificate. */
  readonly certificate: Certificate;
  /** Called, not answered yet; accepted, nothing heard yet; talking. */
  readonly stage: "calling" | "answering" | "talking";
  /** 0 until keys are agreed on, 1 then, from 2 on safe from quantum computers. */
  readonly generation: number;
  /** Start of the last round in which the other person was there. */
  readonly heardIn: number | undefined;
  /** So many of one's own texts are not acknowledged yet. */
  readonly undelivered: number;
}

/** The conversations and calls of one person over the rounds. */
export class PrivateLine implements ExchangeSource, DialSource {
  /** Id of one's own certificate, 32 bytes. */
  readonly certificateId: Bytes;

  constructor(options: PrivateLineOptions) {
    this.certificateId = options.keyring.certificate.id;
  }

  /** The conversations that are held or wanted, in the order in which they began. */
  get conversations(): readonly ConversationView[] {
    return [];
  }

  /** The calls that wait to be accepted, the oldest first. */
  get ringing(): readonly Call[] {
    return [];
  }

  /**
   * Calls somebody: dials in the next dialing round, and again every 60 s for at most 10 min. If they are
   * calling already, this accepts.
   *
   * @throws {LineError} `ERR_LINE_BUSY`, `ERR_LINE_TAKEN`.
   */
  call(_certificate: Certificate): void {
  }

  /**
   * Answers a call that rings.
   *
   * @throws {LineError} `ERR_LINE_BUSY`, `ERR_LINE_NOBODY`.
   */
  accept(_address: string): void {
  }

  /**
   * Tells somebody whose call rings that one does not want to talk.
   *
   * @throws {LineError} `ERR_LINE_NOBODY`.
   */
  refuse(_address: string): void {
  }

  /**
   * Says something in a conversation that was answered.
   *
   * @returns the text's id, 16 hex digits.
   * @throws {LineError} `ERR_LINE_NOBODY`.
   * @throws {RangeError} if it is longer than 64 KiB of UTF-8.
   */
  say(_address: string, _text: string): string {
    return "";
  }

  /**
   * Ends a conversation once what was said is acknowledged, or after 30 rounds; or gives up calling.
   *
   * @throws {LineError} `ERR_LINE_NOBODY`.
   */
  hangUp(_address: string): void {
  }

  /** See `ExchangeSource`. */
  outgoing(_round: RoundId, _slots: number): Promise<readonly Exchange[]> {
    return Promise.resolve([]);
  }

  /** See `DialSource`. */
  dial(_round: RoundId): ReturnType<DialSource["dial"]> {
    return Promise.resolve(undefined);
  }

  /** See `DialSource`. */
  heard(
    _round: RoundId,
    _filter: { has(token: Bytes): boolean },
  ): Promise<void> {
    return Promise.resolve();
  }
}
