import { parseAddress } from "../../lib/identity/mod.ts";
import { describe, UsageError } from "../errors.ts";

/**
 * The address of an account as an operand.
 *
 * @throws {UsageError} if it is not `name@zone`.
 */
export function addressOf(text: string): string {
  try {
    return parseAddress(text).address;
  } catch (error) {
    throw new UsageError(describe(error), {
      hint: "an address is NAME@ZONE, such as alice@example.org",
    });
  }
}
