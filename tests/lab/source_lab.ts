import { launchProgram, raiseLab } from "../../lib/lab/mod.ts";
import type { Lab, LabOptions, Launch } from "../../lib/lab/mod.ts";
import { sourceProgram } from "../support/program.ts";

/** Starts the source as members of a lab. */
export async function sourceLaunch(
  prefix?: (name: string) => readonly string[],
): Promise<Launch> {
  return launchProgram(await sourceProgram(), prefix);
}

/** Raises a lab whose members run the source. */
export async function sourceLab(
  options: Omit<LabOptions, "launch"> = {},
): Promise<Lab> {
  return await raiseLab({ launch: await sourceLaunch(), ...options });
}
