/**
 * Sockets: dialling, listening within limits, waiting before the next attempt, keeping to a
 * rate. It carries bytes and does not look at them. And IP addresses: read, written, and whether they
 * are for everybody.
 *
 * @module
 */
export { addressGroup } from "./address_group.ts";
export { Backoff } from "./backoff.ts";
export { dial, DialError } from "./dial.ts";
export { formatIpAddress, parseIpAddress } from "./ip_address.ts";
export { formatIpPrefix, parseIpPrefix, prefixHolds } from "./ip_prefix.ts";
export { DEFAULT_LISTENER_LIMITS, listen } from "./listener.ts";
export { Pace } from "./pace.ts";
export {
  ADDRESS_BLOCKS,
  addressKind,
  carriedIpv4,
  isPublicAddress,
} from "./special_address.ts";
export { TokenBuckets } from "./token_bucket.ts";

export type { BackoffRange } from "./backoff.ts";
export type { DialOptions } from "./dial.ts";
export type { IpAddress } from "./ip_address.ts";
export type { IpPrefix } from "./ip_prefix.ts";
export type { Incoming, Listener, ListenerLimits } from "./listener.ts";
export type { PaceClock } from "./pace.ts";
export type { AddressKind } from "./special_address.ts";
export type { BucketRate } from "./token_bucket.ts";
