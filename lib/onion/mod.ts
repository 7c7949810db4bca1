/**
 * Circuits through relays, each of which knows only its neighbours (SPEC.md §12): cells and their
 * layers, links, the relay, the exit, the client that chooses paths and keeps circuits, streams, and
 * the port for browsers and other programs, and a small HTTP client for downloads. Which relays there
 * are, `lib/directory` says. Apart from a bridge for TLS on loopback nothing here listens, and nothing
 * keeps a file.
 *
 * @module
 */
export { DESTROY_REASONS, HOPS_LIMIT } from "./cell/cell.ts";
export { CircuitError } from "./client/circuit_error.ts";
export { OnionClient } from "./client/onion_client.ts";
export { DnsResolver } from "./exit/dns_resolver.ts";
export { DEFAULT_EXIT_LIMITS, Exit } from "./exit/exit.ts";
export { parseHostsFile } from "./exit/hosts_file.ts";
export { HostsResolver } from "./exit/hosts_resolver.ts";
export { formatAuthority, parseAuthority } from "./front/destination.ts";
export { Forward } from "./front/forward.ts";
export { Front } from "./front/front.ts";
export { NoAnswerError } from "./front/http_upstream.ts";
export { httpRefusal } from "./front/refusal.ts";
export { LINKS } from "./link/link_commands.ts";
export { HOPS_MINIMUM } from "./path/choose_path.ts";
export { Guards } from "./path/guards.ts";
export { OnionKeys } from "./relay/onion_keys.ts";
export { Relay } from "./relay/relay.ts";
export { DEFAULT_RELAY_LIMITS } from "./relay/relay_limits.ts";
export { RedirectError } from "./web/redirect_error.ts";
export { WebClient } from "./web/web_client.ts";
export { END_REASONS, StreamError } from "./stream/stream_error.ts";

export { ServiceClient } from "./service/service_client.ts";
export { OnionService } from "./service/onion_service.ts";

export type { DestroyReason } from "./cell/cell.ts";
export type { BuilderOptions, CircuitRules } from "./client/circuit_builder.ts";
export type { CircuitStatus } from "./client/onion_client.ts";
export type { ExitDialer, ExitLimits, ExitOptions } from "./exit/exit.ts";
export type { Resolver } from "./exit/resolver.ts";
export type { LookupLimits } from "./exit/lookup.ts";
export type { Destination } from "./front/destination.ts";
export type { Field } from "./front/fields.ts";
export type { GuardsData } from "./path/guard_record.ts";
export type { Relays } from "./service/circuits.ts";
export type { RelayOptions, RelayStatus } from "./relay/relay.ts";
export type { RelayLimits } from "./relay/relay_limits.ts";
export type {
  OnionServiceOptions,
  ServiceState,
} from "./service/onion_service.ts";
export type { OnionStream, StreamOpener } from "./stream/opener.ts";
export type { EndReason } from "./stream/stream_error.ts";
export type { WebRequest } from "./web/web_request.ts";
export type { WebResponse } from "./web/web_response.ts";
