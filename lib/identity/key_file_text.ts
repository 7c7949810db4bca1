import type { Argon2Cost, Bytes } from "../protocol/mod.ts";
import {
  AEAD_NONCE_BYTES,
  AEAD_TAG_BYTES,
  MalformedError,
} from "../protocol/mod.ts";
import { SALT_BYTES } from "./wrapping.ts";

/** The parts of a key file, as they stand in its text. */
export interface KeyFile {
  /** What is inside: 1 to 32 of a-z and "-". */
  readonly kind: string;
  /** How the key is made that opens it. */
  readonly method: KeyFileMethod;
  /** 12 bytes. */
  readonly nonce: Bytes;
  /** AES-256-GCM ciphertext and tag. */
  readonly sealed: Bytes;
}

/** By Argon2id from a passphrase, or by HKDF from a secret; the salt is 16 bytes. */
export type KeyFileMethod =
  | {
    readonly name: "argon2id";
    readonly salt: Bytes;
    readonly cost: Argon2Cost;
  }
  | { readonly name: "secret"; readonly salt: Bytes };

const FORMAT = "sotto key file";
const VERSION = 1;
const KIND = /^[a-z][a-z-]{0,31}$/;
/** Longest text that is read, in characters. */
const TEXT_LIMIT = 1_048_576;

/**
 * A key file as JSON, one field a line.
 *
 * @throws {MalformedError} if the kind is none.
 */
export function formatKeyFile(file: KeyFile): string {
  checkKind(file.kind);
  const { method } = file;
  return JSON.stringify(
    {
      format: FORMAT,
      version: VERSION,
      kind: file.kind,
      method: method.name,
      ...(method.name === "argon2id" ? method.cost : {}),
      salt: method.salt.toBase64(),
      nonce: file.nonce.toBase64(),
      sealed: file.sealed.toBase64(),
    },
    null,
    2,
  ) + "\n";
}

/**
 * Inverse of `formatKeyFile`.
 *
 * @throws {MalformedError} if `text` is not exactly such a file: nothing missing, nothing unknown.
 */
export function parseKeyFile(text: string): KeyFile {
  const fields = parseObject(text);
  if (fields.take("format") !== FORMAT) throw malformed("it is none");
  if (fields.take("version") !== VERSION) throw malformed("unknown version");
  const kind = fields.take("kind");
  checkKind(kind);
  const name = fields.take("method");
  let method: KeyFileMethod;
  if (name === "argon2id") {
    const memoryKiB = count(fields.take("memoryKiB"));
    const passes = count(fields.take("passes"));
    const salt = base64(fields.take("salt"), SALT_BYTES);
    method = { name, salt, cost: { memoryKiB, passes } };
  } else if (name === "secret") {
    method = { name, salt: base64(fields.take("salt"), SALT_BYTES) };
  } else {
    throw malformed("unknown method");
  }
  const nonce = base64(fields.take("nonce"), AEAD_NONCE_BYTES);
  const sealed = base64(fields.take("sealed"));
  if (sealed.length < AEAD_TAG_BYTES) throw malformed("it is cut short");
  fields.end();
  return { kind, method, nonce, sealed };
}

/** The fields of a JSON object, each taken once. */
interface Fields {
  take(name: string): unknown;
  end(): void;
}

function parseObject(text: string): Fields {
  if (text.length > TEXT_LIMIT) throw malformed("it is too long");
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw malformed("it is not JSON");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw malformed("it is not a JSON object");
  }
  const fields = new Map<string, unknown>(Object.entries(value));
  return {
    take(name: string): unknown {
      if (!fields.has(name)) throw malformed(`no field "${name}"`);
      const field = fields.get(name);
      fields.delete(name);
      return field;
    },
    end(): void {
      if (fields.size > 0) throw malformed("unknown fields");
    },
  };
}

function checkKind(kind: unknown): asserts kind is string {
  if (typeof kind !== "string" || !KIND.test(kind)) {
    throw malformed("its kind is none");
  }
}

/** An integer that fits the 32 bits in which it is bound. */
function count(value: unknown): number {
  if (
    typeof value !== "number" || !Number.isInteger(value) || value < 0 ||
    value > 0xffffffff
  ) {
    throw malformed("a count is none");
  }
  return value;
}

function base64(value: unknown, length?: number): Bytes {
  if (typeof value !== "string") throw malformed("a field is not base64");
  let bytes: Bytes;
  try {
    bytes = Uint8Array.fromBase64(value, { lastChunkHandling: "strict" });
  } catch (cause) {
    throw malformed("a field is not base64", cause);
  }
  if (length !== undefined && bytes.length !== length) {
    throw malformed(`a field of ${bytes.length} bytes, not ${length}`);
  }
  return bytes;
}

function malformed(seen: string, cause?: unknown): MalformedError {
  return new MalformedError(`Cannot read a key file: ${seen}`, { cause });
}
