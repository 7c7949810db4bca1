/**
 * Rounds in which people write to each other without anybody learning who writes to whom (SPEC.md §13):
 * a coordinator with its entry for clients, mixes and their chain, and the client. Nothing here listens,
 * keeps a file or knows of accounts: connections are handed in, and what is said in rounds is forgotten
 * with them.
 *
 * @module
 */
export { ROUNDS } from "./commands.ts";
export { MixError } from "./mix_error.ts";
export { NOISE_LEVELS } from "./noise/noise_level.ts";
export { RoundKind, RunMode } from "./round.ts";
export { MixService } from "./coordinator/mix_service.ts";
export { DIALING_PLAN, EXCHANGE_PLAN } from "./coordinator/schedule.ts";
export { SYSTEM_TIMERS } from "./coordinator/timers.ts";

export type { MixErrorCode } from "./mix_error.ts";
export type { MixOffer, MixPeer } from "./mix_peer.ts";
export type { NoiseLevel } from "./noise/noise_level.ts";
export type { RoundId, Run } from "./round.ts";
export type {
  CoordinatorOptions,
  CoordinatorStatus,
} from "./coordinator/coordinator.ts";
export type {
  MixGuest,
  MixServiceOptions,
  MixStatus,
} from "./coordinator/mix_service.ts";
export type { LastRound, RoundStatus } from "./coordinator/round_tally.ts";
export type { RoundPlan } from "./coordinator/schedule.ts";
export type { ClientLink } from "./coordinator/seat.ts";
export type { MixTimers } from "./coordinator/timers.ts";
