/**
 * The runtime that `deno compile` puts a program behind, if this machine has it: the file that
 * `DENORT_BIN` names, or the archive that an earlier `deno compile` left in Deno's cache. Looked up in
 * the order in which Deno does, but never fetched.
 *
 * @returns Where it is, or undefined.
 */
export async function findDenort(
  named: string | undefined,
  denoDir: string,
): Promise<string | undefined> {
  if (named) return named;
  const { deno } = Deno.version;
  const archive =
    `${denoDir}/dl/release/v${deno}/denort-${Deno.build.target}.zip`;
  const found = await Deno.stat(archive).catch(() => undefined);
  return found?.isFile ? archive : undefined;
}
