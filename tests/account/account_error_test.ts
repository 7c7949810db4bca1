import { assert, assertEquals, assertMatch } from "@std/assert";
import { AccountError, SessionKeyError } from "../../lib/account/mod.ts";
import type { Refusal } from "../../lib/account/mod.ts";
import { refusalOf } from "../../lib/account/account_error.ts";

const REASONS: readonly Refusal[] = [
  "credentials",
  "throttled",
  "name-taken",
  "name-invalid",
  "zone-unknown",
  "invite-needed",
  "invite-invalid",
  "certificate-invalid",
  "checksum",
  "signature",
  "too-large",
  "malformed",
  "unknown-command",
  "unknown-person",
  "mailbox-full",
  "moved",
  "internal",
];

Deno.test("account error: every reason has its own words", () => {
  const texts = REASONS.map((reason) => new AccountError("log in", reason));
  assertEquals(new Set(texts.map(({ message }) => message)).size, 17);
  for (const error of texts) {
    assertMatch(error.message, /^Cannot log in: [a-z].*[^.]$/);
    assertEquals([error.code, error.retryIn], ["ERR_ACCOUNT", 0]);
  }
});

Deno.test("account error: words from the wire become reasons, strange ones become internal", () => {
  for (const reason of REASONS) assertEquals(refusalOf(reason), reason);
  for (const word of ["", "toString", "__proto__", "CREDENTIALS", "\u0000"]) {
    assertEquals(refusalOf(word), "internal");
  }
});

Deno.test("session key error: keeps its cause, has a stable code", () => {
  const cause = new Error("below");
  const error = new SessionKeyError({ cause });
  assertEquals(error.code, "ERR_SESSION_KEY");
  assertEquals(error.cause, cause);
  assert(!error.message.includes("below"));
});
