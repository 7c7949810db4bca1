/** For fingerprints, before they are known. */
const UNKNOWN = "A".repeat(40);

/** The version of Tor that is installed here, if one is. */
export async function torVersion(): Promise<string | undefined> {
  try {
    await run("tor-gencert", ["--help"]).catch((error) => {
      // It is there, and knows no help.
      if (error instanceof Deno.errors.NotFound) throw error;
    });
    const said = await run("tor", ["--version"]);
    return /Tor version (\S+?)\.?\s/.exec(said)?.[1];
  } catch {
    return undefined;
  }
}

/** Makes the keys that sign the consensus; the fingerprint of them. */
export async function makeAuthorityKeys(
  directory: string,
  port: number,
): Promise<string> {
  const keys = `${directory}/auth/keys`;
  await Deno.mkdir(keys, { recursive: true, mode: 0o700 });
  const certificate = `${keys}/authority_certificate`;
  await run("tor-gencert", [
    ...["--create-identity-key", "-m", "12", "-a", `127.0.0.1:${port}`],
    ...["-i", `${keys}/authority_identity_key`],
    ...["-s", `${keys}/authority_signing_key`],
    ...["-c", certificate, "--passphrase-fd", "0"],
  ], "sotto\n");
  const text = await Deno.readTextFile(certificate);
  return /^fingerprint (\S+)$/m.exec(text)![1]!;
}

/** Makes the keys of a relay; the fingerprint of them. */
export async function makeRelayKeys(
  directory: string,
  name: string,
  port: number,
  identity: string,
): Promise<string> {
  const place = `${directory}/${name}`;
  await Deno.mkdir(place, { recursive: true, mode: 0o700 });
  const nothing = `${place}/nothing`;
  await Deno.writeTextFile(nothing, "");
  const said = await run("tor", [
    ...["--list-fingerprint", "--quiet", "-f", nothing],
    ...["--defaults-torrc", nothing, "--DataDirectory", place],
    ...["--ORPort", `127.0.0.1:${port}`, "--Nickname", name],
    ...["--Address", "127.0.0.1", "--AssumeReachable", "1"],
    ...["--TestingTorNetwork", "1", "--DirAuthority"],
    `x orport=1 v3ident=${identity} 127.0.0.1:2 ${UNKNOWN}`,
  ]);
  const [, print] = /^\S+ ([0-9A-F ]+)$/m.exec(said.trim())!;
  return print!.replaceAll(" ", "");
}

async function run(
  program: string,
  args: readonly string[],
  input = "",
): Promise<string> {
  const child = new Deno.Command(program, {
    args: [...args],
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(input)).catch(() => {});
  await writer.close().catch(() => {});
  const { success, stdout } = await child.output();
  if (success) return new TextDecoder().decode(stdout);
  throw new Error(`Cannot measure the peer: ${program} failed`);
}
