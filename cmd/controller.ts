import { asksForHelp } from "./flags.ts";
import type { Io } from "./io.ts";

/** Help for `sotto controller`. */
export { usage } from "./controller/serve.ts";

/** `sotto controller show` has help of its own. */
export const group = true;

/** `sotto controller`: runs one, unless `args` begin with `show`. */
export async function run(args: string[], io: Io): Promise<number> {
  const [first, ...rest] = args;
  const command = first === "show"
    ? await import("./controller/show.ts")
    : await import("./controller/serve.ts");
  if (asksForHelp(args)) {
    await io.stdout.write(command.usage);
    return 0;
  }
  return await command.run(first === "show" ? rest : args, io);
}
