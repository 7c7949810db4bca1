import { testScripts } from "../support/cli.ts";
import { sourceProgram } from "../support/program.ts";

testScripts(
  new URL(".", import.meta.url),
  "source",
  sourceProgram,
  (_, place) => place % 2 === 1,
);
