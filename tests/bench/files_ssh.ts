import { costOf } from "./files_cost.ts";
import { isInstalled, startDaemon } from "./files_daemon.ts";
import type { Way, Ways } from "./files_way.ts";

/** sshd insists on being started by its whole path. */
const SSHD = "/usr/sbin/sshd";

/**
 * scp, and rsync if it is installed, to an sshd of their own on loopback with keys made for it;
 * undefined where there is no sshd (Debian: `openssh-server`, `openssh-client`, `rsync`).
 */
export async function startSsh(directory: string): Promise<Ways | undefined> {
  if (!await isFile(SSHD) || !await isInstalled("ssh", "-V")) return undefined;
  for (const name of ["client", "host"]) await makeKey(`${directory}/${name}`);
  await makeSeparationDirectory();
  const server = `${directory}/sshd_config`;
  await Deno.writeTextFile(server, serverConfiguration(directory));
  const sshd = await startDaemon(SSHD, (port) => [
    ...["-D", "-e", "-f", server],
    ...["-o", `ListenAddress=127.0.0.1:${port}`],
  ]);
  const client = `${directory}/ssh_config`;
  const user = await userName();
  await Deno.writeTextFile(
    client,
    clientConfiguration(directory, sshd.port, user),
  );
  const way = (program: string, ...args: readonly string[]): Way => ({
    bring: (from, to) =>
      costOf([{ program, args: [...args, from, `peer:${to}/`] }], [sshd.pid]),
  });
  const scp = ["-q", "-r", "-p", "-F", client];
  const rsync = ["-a", "-W", "-e", `ssh -F ${client}`];
  return {
    ways: {
      "scp": way("scp", ...scp),
      "scp with AES-GCM": way("scp", ...scp, "-c", "aes128-gcm@openssh.com"),
      ...await isInstalled("rsync", "--version")
        ? { "rsync over ssh": way("rsync", ...rsync) }
        : {},
    },
    [Symbol.asyncDispose]: () => sshd[Symbol.asyncDispose](),
  };
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch {
    return false;
  }
}

async function makeKey(path: string): Promise<void> {
  await new Deno.Command("ssh-keygen", {
    args: ["-q", "-t", "ed25519", "-N", "", "-f", path],
    stdin: "null",
  }).output();
}

/** Debian's service makes this at its start; sshd as root does not start without. */
async function makeSeparationDirectory(): Promise<void> {
  if (Deno.uid() === 0) await Deno.mkdir("/run/sshd", { recursive: true });
}

async function userName(): Promise<string> {
  const { stdout } = await new Deno.Command("id", { args: ["-un"] }).output();
  return new TextDecoder().decode(stdout).trim();
}

function serverConfiguration(directory: string): string {
  return `HostKey ${directory}/host
PidFile none
AuthorizedKeysFile ${directory}/client.pub
StrictModes no
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
PermitRootLogin prohibit-password
LogLevel ERROR
Subsystem sftp internal-sftp
`;
}

function clientConfiguration(
  directory: string,
  port: number,
  user: string,
): string {
  return `Host peer
  HostName 127.0.0.1
  Port ${port}
  User ${user}
  IdentityFile ${directory}/client
  IdentitiesOnly yes
  BatchMode yes
  StrictHostKeyChecking no
  UserKnownHostsFile /dev/null
  LogLevel ERROR
`;
}
