import type { Consensus } from "../../directory/mod.ts";
import type { Bytes, RandomSource } from "../../protocol/mod.ts";
import type { ClientCircuit } from "../client/client_circuit.ts";

/** Builds circuits for services, and for those who want to reach them. */
export interface Circuits {
  /**
   * A circuit that is nobody else's.
   *
   * @param last fingerprint of its last relay, 32 bytes; any relay if not given.
   * @param ended told when it is gone.
   * @param hops as many relays; as many as usual if not given.
   * @throws {StreamError} `no-circuit`.
   */
  circuitTo(
    last: Bytes | undefined,
    ended: () => void,
    signal?: AbortSignal,
    hops?: number,
  ): Promise<ClientCircuit>;
}

/** Knows which relays there are. */
export interface Relays {
  /** Those that there are now. @throws {ConsensusError | DirectoryError} */
  consensus(): Promise<Pick<Consensus, "relays">>;
}

/** What both ends of a service work with. */
export interface Surroundings {
  readonly circuits: Circuits;
  readonly directory: Relays;
  /** Milliseconds since 1970. */
  readonly time: () => number;
  /** Milliseconds of a steady clock. */
  readonly now: () => number;
  /** As `randomBytes`. */
  readonly random: RandomSource;
  /** How long a client waits for the service to come, in milliseconds; 20 s if not given. */
  readonly patience?: number;
}
