import { CommandError } from "../errors.ts";
import { privateDirectory } from "../paths.ts";

/**
 * Lets commands run in `home` use the runtime that runs here: the single file (tools/launcher.ts) would
 * else unpack itself into each home. Nothing happens where this is not the single file.
 */
export async function shareRuntime(home: string): Promise<void> {
  const runtime = /^(.*\/(runtime-[0-9a-f]+))\/deno$/.exec(Deno.execPath());
  if (runtime === null) return;
  const [, path = "", name = ""] = runtime;
  const cache = await privateDirectory(`${home}/cache`);
  try {
    await Deno.symlink(path, `${cache}/${name}`);
  } catch (cause) {
    if (cause instanceof Deno.errors.AlreadyExists) return;
    throw new CommandError(`Cannot write to ${cache}`, { cause });
  }
}
