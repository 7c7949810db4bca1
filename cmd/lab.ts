import { asksForHelp } from "./flags.ts";
import type { Io } from "./io.ts";

/** Help for `sotto lab`. */
export { usage } from "./lab/serve.ts";

/** What runs as a member of a lab has help of its own. */
export const group = true;

/** `sotto lab`: raises one; as a member of one, `args` go on with the command that it is to be. */
export async function run(args: string[], io: Io): Promise<number> {
  const [first, ...rest] = args;
  if (first === "member") {
    const { runMember } = await import("./lab/member.ts");
    return await runMember(rest, io);
  }
  const serve = await import("./lab/serve.ts");
  if (asksForHelp(args)) {
    await io.stdout.write(serve.usage);
    return 0;
  }
  return await serve.run(args, io);
}
