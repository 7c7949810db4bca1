import { MalformedError } from "../protocol/mod.ts";

/** Longest name in characters, which are ASCII and so also bytes. */
export const NAME_LIMIT = 32;
/** Longest zone in characters. */
export const ZONE_LIMIT = 64;
/** Longest address in characters: name, "@", zone. */
export const ADDRESS_LIMIT: number = NAME_LIMIT + 1 + ZONE_LIMIT;

const NAME = /^[a-z0-9][a-z0-9._-]*$/;
const ZONE = /^[a-z0-9][a-z0-9.-]*$/;

/** Who an account belongs to. Two accounts are the same exactly if their `address` is. */
export interface Username {
  /** 1 to 32 of a-z, 0-9, ".", "_" and "-", the first a letter or digit. */
  readonly name: string;
  /** 1 to 64 of a-z, 0-9, "." and "-", the first a letter or digit. */
  readonly zone: string;
  /** `name@zone`, the one canonical form. */
  readonly address: string;
}

/**
 * Reads `name` or `name@zone`; where no zone is named it is `defaultZone`. Capitals are refused, not
 * folded: two spellings of one address would be two byte strings wherever it is signed or hashed.
 *
 * @throws {MalformedError} if `text` is neither, or the zone that applies is none.
 */
export function parseUsername(text: string, defaultZone: string): Username {
  const at = text.indexOf("@");
  const name = at < 0 ? text : text.slice(0, at);
  const zone = at < 0 ? defaultZone : text.slice(at + 1);
  if (name.length > NAME_LIMIT || !NAME.test(name)) {
    throw new MalformedError(
      `Cannot read a username: the name must be 1 to ${NAME_LIMIT} of a-z 0-9 . _ - and begin with a letter or digit`,
    );
  }
  if (zone.length > ZONE_LIMIT || !ZONE.test(zone)) {
    throw new MalformedError(
      `Cannot read a username: the zone must be 1 to ${ZONE_LIMIT} of a-z 0-9 . - and begin with a letter or digit`,
    );
  }
  return { name, zone, address: `${name}@${zone}` };
}

/**
 * Reads the canonical `name@zone`, in which nothing is left out.
 *
 * @throws {MalformedError} as `parseUsername`, and if no zone is named.
 */
export function parseAddress(text: string): Username {
  return parseUsername(text, "");
}
