import type { Bytes, RandomSource } from "../../protocol/mod.ts";
import type { BackoffRange } from "../../net/mod.ts";
import type { IdentityOf } from "../settings/signed_settings.ts";
import type { MixClientEvent } from "./mix_client_event.ts";
import type { OnionLayers } from "./onion_layers.ts";
import type { RoundClock } from "./round_clock.ts";
import type { RoundLink } from "./round_link.ts";
import type { DialSource, ExchangeSource } from "./sources.ts";

/** What a client insists on, whatever is signed. */
export interface MixPolicy {
  /** Fingerprint of the own server's certificate, 32 bytes: nobody else coordinates. */
  readonly coordinator: Bytes;
  /** Fewest mixes that a chain must have. */
  readonly leastMixes: number;
  /** Whether runs of circuits are taken part in; they are unless this is `false`. */
  readonly circuits?: boolean;
}

/** Does some work, now or when it is its turn; resolves with what comes of it. */
export type Turn = <T>(work: () => Promise<T>) => Promise<T>;

/** What a `MixClient` is made of. */
export interface MixClientOptions {
  /** Makes a connection to the entry on which nothing has been said yet. */
  readonly connect: () => Promise<RoundLink>;
  /** Who fills the slots of exchange rounds; without one there is only cover. */
  readonly exchange?: ExchangeSource | undefined;
  /** Who calls and listens; without one dialing rounds get cover, and a filter is fetched for show. */
  readonly dial?: DialSource | undefined;
  /** The certificate of a mix that may stand in a chain. */
  readonly identityOf: IdentityOf;
  /** What is insisted on. */
  readonly policy: MixPolicy;
  /**
   * The filters of dialing rounds that started until then were heard, in milliseconds since 1970 on the
   * coordinator's clock: those after it are fetched, of the last ten minutes first. Without it those of
   * the last 24 hours are, or, if nobody listens, none.
   */
  readonly heardUpTo?: number | undefined;
  /** Told of what happens. It must not throw. */
  readonly onEvent?: (event: MixClientEvent) => void;
  /** The time; that of the machine unless given. */
  readonly clock?: RoundClock;
  /** Randomness; that of the system unless given. */
  readonly random?: RandomSource;
  /** Waits between attempts to connect; those of `Backoff` unless given. */
  readonly reconnecting?: BackoffRange;
  /**
   * Makes the onions of a client without sources this many milliseconds before they are due, 50 unless
   * given: for crowds, who have many to make.
   */
  readonly makeAhead?: number;
  /** Lets onions be made when it is their turn: for crowds, who would otherwise make all of them at once. */
  readonly turn?: Turn;
  /** Whether the replies to covers are opened, to see whether any are missing; they are unless `false`. */
  readonly checksCovers?: boolean;
  /** Stands in for the layers, which cost what a test of many rounds cannot spend. */
  readonly layersForTesting?: OnionLayers;
}
