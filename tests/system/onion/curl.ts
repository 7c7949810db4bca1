import type { Background } from "../../support/background.ts";
import type { Machine } from "./machine.ts";
import { missingProgram } from "./test_unless.ts";
import { startOn } from "./node_process.ts";

/** How curl ended. */
export interface CurlEnding {
  /** 0, or one of the numbers in its manual. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs curl on a machine to its end, at most 2 minutes. */
export async function curl(
  machine: Machine,
  args: readonly string[],
): Promise<CurlEnding> {
  const { code, stdout, stderr } = await startCurl(machine, args).ending();
  const text = new TextDecoder();
  return { code, stdout: text.decode(stdout), stderr: text.decode(stderr) };
}

/** The same, left running. */
export function startCurl(
  machine: Machine,
  args: readonly string[],
): Background {
  const common = ["--silent", "--show-error", "--max-time", "120"];
  return startOn(machine, ["curl", ...common, ...args]);
}

/** Why there can be no test with curl here, or undefined. */
export const curlMissing: string | undefined = await missingProgram("curl");
