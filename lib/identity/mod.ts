/**
 * Who somebody is: the names, keys and certificates of accounts and of nodes, and how both are kept
 * and compared. Apart from reading and writing private key files it does no I/O; it knows nothing of
 * connections, and does not decide whom to trust: it says what changed, the caller refuses.
 *
 * @module
 */
export {
  ADDRESS_LIMIT,
  NAME_LIMIT,
  parseAddress,
  parseUsername,
  ZONE_LIMIT,
} from "./username.ts";
export { checkRsaKey, PUBLIC_KEYS_BYTES } from "./public_keys.ts";
export { generateKeyPairs, pairKeys, publicKeysOf } from "./key_pairs.ts";
export { parseCertificate, signCertificate } from "./certificate.ts";
export {
  assembleKeyring,
  encodeKeyring,
  generateKeyring,
  parseKeyring,
} from "./keyring.ts";
export {
  NODE_CERTIFICATE_BYTES,
  parseNodeCertificate,
  signNodeCertificate,
} from "./node_certificate.ts";
export {
  assembleNodeKeyring,
  encodeNodeKeyring,
  generateNodeKeyring,
  parseNodeKeyring,
} from "./node_keyring.ts";
export {
  checkCost,
  DEFAULT_COST,
  ExcessiveCostError,
  MAXIMUM_COST,
  MINIMUM_COST,
  WeakCostError,
} from "./cost.ts";
export {
  AUTH_BYTES,
  SALT_BYTES,
  stretch,
  unwrapKeyring,
  wrapKeyring,
  WRAPPED_LIMIT,
  WrongPassphraseError,
} from "./wrapping.ts";
export {
  describeKeyFile,
  formatSecret,
  generateSecret,
  KEY_FILE_SECRET_BYTES,
  openKeyFile,
  parseSecret,
  ProtectionMismatchError,
  sealKeyFile,
} from "./key_file.ts";
export {
  createPrivateFile,
  readPrivateFile,
  UnsafeFileError,
  writePrivateFile,
} from "./private_file.ts";
export { formatFingerprint, parseFingerprint } from "./fingerprint.ts";
export {
  DEFAULT_PORT,
  formatServerAddress,
  isOnion,
  onionAddress,
  parseServerAddress,
} from "./server_address.ts";
export { KnownServers, ServerKeyChangedError } from "./known_servers.ts";
export { formatCertificate, parseCertificateText } from "./certificate_text.ts";
export { formatSafetyNumber, safetyNumber } from "./safety_number.ts";
export { WORDS } from "./words.ts";
export {
  KEY_USES,
  privateKeyFor,
  publicKeyFor,
} from "./interchange/exchanged_key.ts";
export { encodePem, parsePem } from "./interchange/pem.ts";
export {
  encodePrivateJwk,
  encodePublicJwk,
  jwkThumbprint,
  parseJwkText,
  parsePrivateJwk,
  parsePublicJwk,
} from "./interchange/jwk.ts";
export {
  exportPrivateKey,
  exportPublicKey,
  importPrivateKeys,
  importPublicKeys,
} from "./interchange/interchange.ts";

export type { Username } from "./username.ts";
export type { PublicKeys } from "./public_keys.ts";
export type { KeyPairs, PrivateKeyBytes } from "./key_pairs.ts";
export type { SignedKeys } from "./signed_keys.ts";
export type { Certificate } from "./certificate.ts";
export type { Keyring } from "./keyring.ts";
export type { NodeCertificate } from "./node_certificate.ts";
export type { NodeKeyring } from "./node_keyring.ts";
export type { Stretched, WrapBinding } from "./wrapping.ts";
export type { KeyFileDescription, Protection } from "./key_file.ts";
export type { ServerAddress } from "./server_address.ts";
export type { PinVerdict } from "./known_servers.ts";
export type { SafetyNumber } from "./safety_number.ts";
export type {
  ExchangedPrivateKey,
  ExchangedPublicKey,
  KeyUse,
} from "./interchange/exchanged_key.ts";
export type { AnyCertificate } from "./certificate_text.ts";
export type { PemBlock } from "./interchange/pem.ts";
export type { Jwk } from "./interchange/jwk.ts";
export type { KeyFormat } from "./interchange/interchange.ts";
