import { parseUsername } from "../../lib/identity/mod.ts";
import { describe, UsageError } from "../errors.ts";

/**
 * Somebody's address as typed: `bob` is `bob` in the same zone as oneself.
 *
 * @param own one's own address.
 * @throws {UsageError} if it is none.
 */
export function personOf(text: string, own: string): string {
  const zone = own.slice(own.indexOf("@") + 1);
  return usernameOf(text, zone);
}

/**
 * The same, of somebody else.
 *
 * @throws {UsageError} also if it is oneself.
 */
export function otherPersonOf(text: string, own: string): string {
  const address = personOf(text, own);
  if (address !== own) return address;
  throw new UsageError("you cannot talk to yourself");
}

/** `name` or `name@zone` in full. @throws {UsageError} if it is neither. */
export function usernameOf(text: string, zone: string): string {
  try {
    return parseUsername(text, zone).address;
  } catch (error) {
    throw new UsageError(describe(error), {
      hint: "an address is NAME or NAME@ZONE, in lower case",
    });
  }
}
