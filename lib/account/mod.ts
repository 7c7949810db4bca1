/**
 * Accounts and sessions: registering, logging in, the session key, signed and checked submissions,
 * on the asking and on the answering side (SPEC.md §5). It does not know what services do with a
 * session, keeps no files, and asks nobody for a passphrase.
 *
 * @module
 */
export { AccountError, refusalOf, SessionKeyError } from "./account_error.ts";
export { inviteHash } from "./registration.ts";
export { about, loginByKey, loginByPassphrase, register } from "./client.ts";
export { changePassphrase, deleteAccount } from "./account_changes.ts";
export { ClientSession } from "./client_session.ts";
export {
  ACCOUNT,
  CERTIFICATE,
  CREATED_AT,
  DATA_LENGTH,
  DONE,
  KO,
  MAX_PACKET,
  OK,
  REASON,
  RETRY_IN,
  USERNAME,
  VERIFICATION_SHA256,
  WHO_AM_I,
  YOU_ARE,
} from "./commands.ts";
export { INVITE_LIMIT } from "./credentials.ts";
export { accountLink } from "./link.ts";
export { AccountServer, IDLE_DEADLINE } from "./server.ts";
export { Throttle } from "./throttle.ts";

export type { Refusal } from "./account_error.ts";
export type { AttemptLimits } from "./attempt_limits.ts";
export type { About, RegisterOptions, Unlocked } from "./client.ts";
export type { PushHandler } from "./client_session.ts";
export type { RegistrationRules } from "./registration.ts";
export type { Guest, GuestService } from "./guest.ts";
export type { AccountServerOptions } from "./server.ts";
export type { ServerSession, Service } from "./server_session.ts";
