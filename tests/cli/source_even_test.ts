import { testScripts } from "../support/cli.ts";
import { sourceProgram } from "../support/program.ts";

// Every other script; the rest is in the file beside this one, so that two processors share them.
testScripts(
  new URL(".", import.meta.url),
  "source",
  sourceProgram,
  (_, place) => place % 2 === 0,
);
