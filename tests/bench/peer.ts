import { prosodyVersion } from "./prosody.ts";
import { Subprocess } from "./subprocess.ts";

/**
 * Starts prosody with `people` accounts, if it is installed here (Debian's `prosody`, and `openssl`).
 * Where it is not, the reader is told, and figures from elsewhere stand in for it.
 */
export async function startPeer(
  directory: string,
  people: number,
): Promise<Subprocess | undefined> {
  const version = await prosodyVersion();
  if (version === undefined) {
    // deno-lint-ignore no-console -- seen by whoever runs the benchmark
    console.error("prosody is not installed: its figures are from elsewhere");
    return undefined;
  }
  const folder = `${directory}/prosody`;
  await Deno.mkdir(folder);
  return await Subprocess.start("prosody_process.ts", [
    folder,
    version,
    String(people),
  ]);
}
