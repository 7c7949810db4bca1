/**
 * The shared protocol module: bytes, cryptography, commands, handshakes and channels. Every service
 * and every role speaks through it. It does not open sockets, keep files or read clocks.
 *
 * @module
 */
export {
  concat,
  equalConstantTime,
  fromUtf8,
  u32,
  u64,
  utf8,
} from "./bytes/bytes.ts";
export { MalformedError } from "./bytes/malformed_error.ts";
export { Reader } from "./bytes/reader.ts";
export { Writer } from "./bytes/writer.ts";
export { CryptoError } from "./crypto/subtle.ts";
export { randomBytes } from "./crypto/random.ts";
export { randomBelow } from "./crypto/random_below.ts";
export {
  AEAD_KEY_BYTES,
  AEAD_NONCE_BYTES,
  AEAD_TAG_BYTES,
  importAead,
  open,
  seal,
} from "./crypto/aead.ts";
export {
  importLayerKey,
  openLayer,
  sealLayer,
} from "./crypto/chacha20_poly1305.ts";
export { LayerCipher } from "./crypto/layer_cipher.ts";
export { ephemeralDh } from "./crypto/ephemeral_dh.ts";
export {
  HASH_BYTES,
  hkdfExpandSha512,
  hkdfSha256,
  hmacSha256,
  oneStepKdf,
  sha256,
} from "./crypto/hash.ts";
export {
  dh,
  exportDh,
  generateDh,
  importDh,
  X25519_BYTES,
} from "./crypto/x25519.ts";
export {
  decapsulate,
  encapsulate,
  exportKem,
  generateKem,
  importKem,
  KEM_CIPHERTEXT_BYTES,
  KEM_PUBLIC_BYTES,
  KEM_SECRET_BYTES,
  KEM_SEED_BYTES,
} from "./crypto/ml_kem.ts";
export {
  ED25519_BYTES,
  exportSigning,
  generateSigning,
  importSigning,
  importVerifying,
  sign,
  SIGNATURE_BYTES,
  verify,
} from "./crypto/ed25519.ts";
export {
  exportRsa,
  generateRsa,
  importRsa,
  RSA_CIPHERTEXT_BYTES,
  RSA_PLAINTEXT_LIMIT,
  RSA_SPKI_BYTES,
  rsaDecrypt,
  rsaEncrypt,
} from "./crypto/rsa_oaep.ts";
export { exportJwk, importRsaJwk } from "./crypto/jwk.ts";
export { argon2id } from "./crypto/argon2id.ts";

export { bytes, integer, long, verb } from "./risp/command.ts";
export { CommandWriter } from "./risp/command_writer.ts";
export { Decoder } from "./risp/decoder.ts";
export { Message } from "./risp/message.ts";
export { Vocabulary } from "./risp/vocabulary.ts";
export { HandshakeState } from "./noise/handshake_state.ts";
export { writeAll } from "./channel/byte_stream.ts";
export { Channel, receiveAll } from "./channel/channel.ts";
export { CommandChannel } from "./channel/command_channel.ts";
export { ChannelError } from "./channel/errors.ts";
export { GREETING, HELO, OLEH, RETRY_AFTER } from "./channel/greeting.ts";
export {
  answer,
  Caller,
  HANDSHAKE_NAME,
  refuse,
  RefusedError,
} from "./channel/handshake.ts";
export { TrafficKey } from "./channel/traffic_key.ts";
export { RECORD_LIMIT, RECORD_LIMIT_MINIMUM } from "./channel/record.ts";

export type { Bytes } from "./bytes/bytes.ts";
export type { RandomSource } from "./crypto/random_below.ts";
export type { DhKeyPair } from "./crypto/x25519.ts";
export type { Encapsulated, KemKeyPair } from "./crypto/ml_kem.ts";
export type { SigningKeyPair } from "./crypto/ed25519.ts";
export type { RsaKeyPair } from "./crypto/rsa_oaep.ts";
export type { Argon2Cost } from "./crypto/argon2id.ts";
export type {
  AnyParameter,
  Kind,
  Parameter,
  Shape,
  Verb,
} from "./risp/command.ts";
export type { DecoderLimits } from "./risp/decoder.ts";
export type { Value } from "./risp/message.ts";
export type { CommandTable } from "./risp/vocabulary.ts";
export type {
  HandshakeKeys,
  HandshakeResult,
} from "./noise/handshake_state.ts";
export type { Role } from "./noise/pattern.ts";
export type { ByteStream } from "./channel/byte_stream.ts";
export type { ChannelKeys, MixedKeys } from "./channel/channel.ts";
export type { ChannelErrorCode } from "./channel/errors.ts";
export type { RecordKey } from "./channel/traffic_key.ts";
export type { NodeKeys } from "./channel/handshake.ts";
