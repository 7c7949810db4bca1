import type { Io } from "./io.ts";
import { runMember } from "./lab/member.ts";

export const usage = "";
export const group = true;

export async function run(args: string[], io: Io): Promise<number> {
  return await runMember(args.slice(1), io);
}
