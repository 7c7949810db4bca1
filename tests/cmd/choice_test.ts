import { assertEquals, assertThrows } from "@std/assert";
import { parseChoice } from "../../cmd/choice.ts";
import { UsageError } from "../../cmd/errors.ts";

Deno.test("choice: one of the words, or a hint that names them", () => {
  assertEquals(parseChoice("--log-level", "warn", ["info", "warn"]), "warn");
  for (const value of ["", "WARN", "war", "warn "]) {
    const error = assertThrows(
      () => parseChoice("--log-level", value, ["info", "warn"]),
      UsageError,
    );
    assertEquals(error.hint, "one of info, warn");
  }
});
