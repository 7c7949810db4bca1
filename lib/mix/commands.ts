import type { Bytes, CommandTable, Parameter, Verb } from "../protocol/mod.ts";
import { bytes, integer, long, verb } from "../protocol/mod.ts";

/** What is said about rounds, by clients to the entry and by the coordinator to mixes (SPEC.md §13). */

export const ROUND_KIND: Parameter<number> = integer(
  0x0500,
  "ROUND-KIND",
  "1 for exchange, 2 for dialing",
);
export const RUN_MODE: Parameter<number> = integer(
  0x0501,
  "RUN-MODE",
  "0 for a key per round, 1 for circuits",
);
export const FAULT_PLACE: Parameter<number> = integer(
  0x0502,
  "FAULT-PLACE",
  "which mix of the chain failed, 0 for the first",
);
export const RUN_COUNT: Parameter<number> = integer(
  0x1500,
  "RUN-COUNT",
  "how many rounds",
);
export const PERIOD: Parameter<number> = integer(
  0x2500,
  "PERIOD",
  "milliseconds from one round's start to the next",
);
export const BATCH_LENGTH: Parameter<number> = integer(
  0x2501,
  "BATCH-LENGTH",
  "bytes of the body that follows this command",
);
export const NOISE_MEAN: Parameter<number> = integer(
  0x2502,
  "NOISE-MEAN",
  "mean of the noise that a mix adds",
);
export const NOISE_SCALE: Parameter<number> = integer(
  0x2503,
  "NOISE-SCALE",
  "scale of its Laplace distribution",
);
export const LATE_BY: Parameter<number> = integer(
  0x2504,
  "LATE-BY",
  "milliseconds since the round was closed",
);
export const BUCKET: Parameter<number> = integer(
  0x2505,
  "BUCKET",
  "which bucket of a dialing round",
);
export const TOTAL_LENGTH: Parameter<number> = integer(
  0x2506,
  "TOTAL-LENGTH",
  "bytes of a batch in all",
);
export const ROUND_START: Parameter<bigint> = long(
  0x3500,
  "ROUND-START",
  "milliseconds since 1970 at which the round starts",
);
export const CLOCK: Parameter<bigint> = long(
  0x3501,
  "CLOCK",
  "milliseconds since 1970 on the coordinator's clock",
);
export const MIX_PROOF: Parameter<Bytes> = bytes(
  0x6500,
  "MIX-PROOF",
  "the coordinator's Ed25519 over the handshake hash",
);
export const SETTINGS_SIGNATURE: Parameter<Bytes> = bytes(
  0x6501,
  "SETTINGS-SIGNATURE",
  "a mix's Ed25519 over settings",
);
export const COORDINATOR: Parameter<Bytes> = bytes(
  0x9500,
  "COORDINATOR",
  "the node certificate of the coordinator",
);
export const SETTINGS: Parameter<Bytes> = bytes(
  0x9501,
  "SETTINGS",
  "the settings of a run",
);
export const ONION_KEYS: Parameter<Bytes> = bytes(
  0x9502,
  "ONION-KEYS",
  "X25519 keys of a mix for a run, 32 bytes each",
);
export const ONIONS: Parameter<Bytes> = bytes(
  0x9503,
  "ONIONS",
  "onions of one length, one behind the other",
);
export const REPLIES: Parameter<Bytes> = bytes(
  0x9504,
  "REPLIES",
  "replies of one length, one behind the other",
);
export const FILTER: Parameter<Bytes> = bytes(
  0xa500,
  "FILTER",
  "the filter of a bucket",
);

export const JOIN: Verb = verb(
  0x7500,
  "JOIN",
  "settings are wanted from now on",
);
export const JOINED: Verb = verb(
  0x7501,
  "JOINED",
  "they come, and this is the time",
);
export const ANNOUNCE: Verb = verb(
  0x7502,
  "ANNOUNCE",
  "settings of a run to come",
);
export const PROBE: Verb = verb(0x7503, "PROBE", "what time is it");
export const PROBED: Verb = verb(0x7504, "PROBED", "this is the time");
export const SUBMIT_ONIONS: Verb = verb(
  0x7505,
  "SUBMIT-ONIONS",
  "onions for a round",
);
export const ROUND_DONE: Verb = verb(
  0x7506,
  "ROUND-DONE",
  "the round is over, and these are the replies",
);
export const ROUND_LATE: Verb = verb(
  0x7507,
  "ROUND-LATE",
  "the onions came when the round was closed",
);
export const ROUND_FAILED: Verb = verb(
  0x7508,
  "ROUND-FAILED",
  "the round came to nothing",
);
export const FETCH_FILTER: Verb = verb(
  0x7509,
  "FETCH-FILTER",
  "the filter of a bucket is wanted, of the first dialing round after ROUND-START",
);
export const FETCHED_FILTER: Verb = verb(
  0x750a,
  "FETCHED-FILTER",
  "this is it; without ROUND-START there is none",
);

export const MIX: Verb = verb(0x7510, "MIX", "rounds are to be mixed");
export const MIXING: Verb = verb(0x7511, "MIXING", "they will be");
export const PREPARE_RUN: Verb = verb(
  0x7512,
  "PREPARE-RUN",
  "keys for a run are wanted",
);
export const RUN_PREPARED: Verb = verb(
  0x7513,
  "RUN-PREPARED",
  "these are they",
);
export const SIGN_SETTINGS: Verb = verb(
  0x7514,
  "SIGN-SETTINGS",
  "the settings of a run, to be signed",
);
export const SETTINGS_SIGNED: Verb = verb(
  0x7515,
  "SETTINGS-SIGNED",
  "the signature",
);
export const ADD_ONIONS: Verb = verb(
  0x7516,
  "ADD-ONIONS",
  "onions of a round follow as a body",
);
export const CLOSE_ROUND: Verb = verb(
  0x7517,
  "CLOSE-ROUND",
  "no more onions come",
);
export const GIVE_REPLIES: Verb = verb(
  0x7518,
  "GIVE-REPLIES",
  "a part of the next mix's replies follows as a body",
);
export const BATCH_PART: Verb = verb(
  0x7519,
  "BATCH-PART",
  "a part of what was asked for follows as a body",
);
export const ABORT_ROUND: Verb = verb(
  0x751a,
  "ABORT-ROUND",
  "the round is given up",
);
export const MIX_REFUSED: Verb = verb(
  0x751b,
  "MIX-REFUSED",
  "what was asked for is not done",
);

/** What clients and the entry say to each other. */
export const ROUNDS: CommandTable = {
  service: "mix",
  parameters: [
    ROUND_KIND,
    FAULT_PLACE,
    LATE_BY,
    BUCKET,
    ROUND_START,
    CLOCK,
    SETTINGS,
    ONIONS,
    REPLIES,
    FILTER,
  ],
  verbs: [
    JOIN,
    JOINED,
    ANNOUNCE,
    PROBE,
    PROBED,
    SUBMIT_ONIONS,
    ROUND_DONE,
    ROUND_LATE,
    ROUND_FAILED,
    FETCH_FILTER,
    FETCHED_FILTER,
  ],
};

/** What the coordinator and the mixes of a chain say to each other. */
export const MIXING_ROUNDS: CommandTable = {
  service: "mix chain",
  parameters: [
    ROUND_KIND,
    RUN_MODE,
    RUN_COUNT,
    PERIOD,
    BATCH_LENGTH,
    NOISE_MEAN,
    NOISE_SCALE,
    TOTAL_LENGTH,
    ROUND_START,
    CLOCK,
    MIX_PROOF,
    SETTINGS_SIGNATURE,
    COORDINATOR,
    SETTINGS,
    ONION_KEYS,
  ],
  verbs: [
    MIX,
    MIXING,
    PREPARE_RUN,
    RUN_PREPARED,
    SIGN_SETTINGS,
    SETTINGS_SIGNED,
    ADD_ONIONS,
    CLOSE_ROUND,
    GIVE_REPLIES,
    BATCH_PART,
    ABORT_ROUND,
    MIX_REFUSED,
  ],
};
