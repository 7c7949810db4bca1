/**
 * Who the relays are: descriptors that relays sign, the consensus that controllers agree on and sign,
 * and the chain of all of them (SPEC.md §11). Clients and relays keep a verified copy; controllers
 * register relays, look whether they can be reached, and make the next consensus together. It does
 * not choose relays and builds no circuits.
 *
 * @module
 */
export { checkProof, proofOf } from "./channel_proof.ts";
export { checkSuccession } from "./chain.ts";
export { DIRECTORY } from "./commands.ts";
export {
  joinConsensus,
  parseConsensus,
  signConsensus,
  verifyConsensus,
} from "./consensus.ts";
export { makeBody } from "./consensus_body.ts";
export { ConsensusError } from "./consensus_error.ts";
export { consensusFile } from "./consensus_file.ts";
export { NO_CONSENSUS } from "./consensus_header.ts";
export { Controller } from "./controller/controller.ts";
export { ControllerServer } from "./controller/controller_server.ts";
export {
  ControllerState,
  ControllerStateError,
} from "./controller/controller_state.ts";
export { DEFAULT_CONTROLLER_LIMITS } from "./controller/server_limits.ts";
export { parseDescriptor, signDescriptor } from "./descriptor.ts";
export { Directory } from "./directory.ts";
export { DirectoryError } from "./directory_error.ts";
export { ExitPolicy } from "./exit_policy.ts";
export { majorityOf, NetworkError, networkOf } from "./network.ts";
export { Registration } from "./registration.ts";
export { formatRelayAddress, relayAddress } from "./relay_address.ts";
export {
  FLAG_EXIT,
  FLAG_GUARD,
  FLAG_MIDDLE_ONLY,
  FLAG_MIX,
  ROLE_MIDDLE_ONLY,
  ROLE_MIX,
} from "./relay_flags.ts";

export type { Candidate, Offence } from "./agreement/output.ts";
export type { Accepted, Standing } from "./agreement/standing.ts";
export type { UncheckedVote, VoteEntry, VoteFields } from "./agreement/vote.ts";
export type { Consensus, ConsensusSignature } from "./consensus.ts";
export type {
  ConsensusBody,
  ConsensusRelay,
  KnownDescriptors,
} from "./consensus_body.ts";
export type { ConsensusErrorCode } from "./consensus_error.ts";
export type { ConsensusHeader, ConsensusTimes } from "./consensus_header.ts";
export type {
  ControllerEvent,
  ControllerOptions,
} from "./controller/controller.ts";
export type { DeskOptions } from "./controller/desk.ts";
export type { DialRelay } from "./controller/probe.ts";
export type {
  Registry,
  RegistryRules,
  RelayRefusal,
} from "./controller/registry.ts";
export type { ControllerLimits } from "./controller/server_limits.ts";
export type { DialController } from "./controller_link.ts";
export type { DescriptorFields, RelayDescriptor } from "./descriptor.ts";
export type { ConsensusCache, DirectoryOptions } from "./directory.ts";
export type { DirectoryErrorCode } from "./directory_error.ts";
export type { Network } from "./network.ts";
export type { RegistrationOptions, RegistrationState } from "./registration.ts";
export type { RelayAddress } from "./relay_address.ts";
