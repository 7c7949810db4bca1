/**
 * Rounds in which people write to each other without anybody learning who writes to whom (SPEC.md §13):
 * the coordinator with its entry for clients, mixes and what connects them, the client, conversations
 * and calls in rounds, and what rounds cost in privacy. Nothing here listens, keeps a file or knows of
 * accounts: connections are handed in, and what is said in rounds is forgotten with them.
 *
 * @module
 */
export { MixClient } from "./client/mix_client.ts";
export { SYSTEM_ROUND_CLOCK } from "./client/round_clock.ts";
export { MIXING_ROUNDS, ROUNDS } from "./commands.ts";
export { MixService } from "./coordinator/mix_service.ts";
export { DIALING_PLAN, EXCHANGE_PLAN } from "./coordinator/schedule.ts";
export { SYSTEM_TIMERS } from "./mix_timers.ts";
export { LocalEngine, ThreadEngine } from "./layer/mod.ts";
export { LineError } from "./line/line_error.ts";
export { PrivateLine } from "./line/private_line.ts";
export { MixError } from "./mix_error.ts";
export { MixHost } from "./node/mix_host.ts";
export { DEFAULT_MIX_LIMITS } from "./node/mix_limits.ts";
export { MixLink } from "./node/mix_link.ts";
export { MixNode } from "./node/mix_node.ts";
export { NOISE_LEVELS } from "./noise/noise_level.ts";
export {
  lossAfter,
  lossPerRound,
  noiseOfChain,
  PrivacyBudget,
} from "./privacy/budget.ts";
export { isWorthless, lossInWords } from "./privacy/loss_in_words.ts";
export { RoundKind, RunMode } from "./round.ts";
export { CHAIN_LIMIT } from "./settings/settings_rules.ts";

export type {
  ChainView,
  ClockView,
  MixClientEvent,
  MixClientStatus,
  RoundCounts,
  RoundEnd,
  RoundResult,
} from "./client/mix_client_event.ts";
export type {
  MixClientOptions,
  MixPolicy,
  Turn,
} from "./client/mix_client_options.ts";
export type { OnionCircuit, OnionLayers } from "./client/onion_layers.ts";
export type { RoundClock } from "./client/round_clock.ts";
export type { RoundLink } from "./client/round_link.ts";
export type {
  DialSource,
  Exchange,
  ExchangeSource,
  Loss,
} from "./client/sources.ts";
export type {
  ConversationEvent,
  HangUpReason,
  RoundOutcome,
  TextState,
} from "./conversation/conversation_event.ts";
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
export type {
  EngineOpened,
  EngineRound,
  EngineRun,
  LayerEngine,
  RoundKeys,
  WrappedOnion,
} from "./layer/mod.ts";
export type { MixTimers } from "./mix_timers.ts";
export type { LineErrorCode } from "./line/line_error.ts";
export type { Call, LineEvent, TalkEnd } from "./line/line_event.ts";
export type {
  ConversationView,
  PrivateLineOptions,
} from "./line/private_line.ts";
export type { TalkStage } from "./line/talk.ts";
export type { MixErrorCode } from "./mix_error.ts";
export type { MixOffer, MixPeer } from "./mix_peer.ts";
export type { MixHostOptions } from "./node/mix_host.ts";
export type { MixLimits } from "./node/mix_limits.ts";
export type { MixLinkOptions } from "./node/mix_link.ts";
export type { MixNodeOptions, MixNodeStatus } from "./node/mix_node.ts";
export type { NoiseLevel } from "./noise/noise_level.ts";
export type { PrivacyLoss } from "./privacy/budget.ts";
export type { RoundId, Run } from "./round.ts";
export type { RoundLengths } from "./node/signed_run.ts";
export type { RunSettings } from "./settings/run_settings.ts";
export type { MixPlace, SettingsFields } from "./settings/settings_fields.ts";
export type { IdentityOf } from "./settings/signed_settings.ts";
export type { RoundSizes } from "./sizes.ts";
