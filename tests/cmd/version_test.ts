import { assertEquals } from "@std/assert";
import settings from "../../deno.json" with { type: "json" };
import { VERSION } from "../../cmd/version.ts";

Deno.test("version: the program and deno.json agree", () => {
  assertEquals(VERSION, settings.version);
});
