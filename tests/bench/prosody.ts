import type { XmppServer } from "./xmpp_client.ts";

/** A prosody that was started for a measurement. */
export interface Prosody extends XmppServer, AsyncDisposable {
  readonly pid: number;
  readonly version: string;
}

/** The version of prosody that is installed here, if one is, together with openssl. */
export async function prosodyVersion(): Promise<string | undefined> {
  const openssl = await output("openssl", ["version"]);
  const about = await output("prosodyctl", ["about"]);
  if (openssl === undefined) return undefined;
  return /Prosody (\S+)/.exec(about ?? "")?.[1];
}

/**
 * Starts prosody with a database of its own in `directory`, on loopback, with TLS from the first
 * byte, and waits until it listens. Nothing of an installed configuration is used.
 */
export async function startProsody(
  directory: string,
  version: string,
): Promise<Prosody> {
  const port = freePort();
  const [key, certificate] = [`${directory}/k.pem`, `${directory}/c.pem`];
  await makeCertificate(key, certificate);
  await Deno.mkdir(`${directory}/data`);
  const settings = `${directory}/prosody.cfg.lua`;
  await Deno.writeTextFile(settings, configuration(directory, port));
  const child = new Deno.Command("prosody", {
    args: ["--config", settings, "-F"],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  await listening(port);
  return {
    port,
    certificate: await Deno.readTextFile(certificate),
    pid: child.pid,
    version,
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await child.status;
    },
  };
}

async function output(
  command: string,
  args: string[],
): Promise<string | undefined> {
  try {
    const { success, stdout } = await new Deno.Command(command, {
      args,
      stdin: "null",
      stderr: "null",
    }).output();
    return success ? new TextDecoder().decode(stdout) : undefined;
  } catch {
    return undefined;
  }
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return (listener.addr as Deno.NetAddr).port;
}

/** No authority of its own: the client's TLS takes no authority for a server. */
async function makeCertificate(
  key: string,
  certificate: string,
): Promise<void> {
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"];
  await new Deno.Command("openssl", {
    args: [
      ...["req", "-x509", ...curve, "-nodes", "-days", "30"],
      ...["-keyout", key, "-out", certificate, "-subj", "/CN=localhost"],
      ...["-addext", "basicConstraints=critical,CA:FALSE"],
      ...["-addext", "subjectAltName=DNS:localhost"],
    ],
    stderr: "null",
  }).output();
  await Deno.chmod(key, 0o600);
}

async function listening(port: number): Promise<void> {
  for (let i = 0; i < 300; i++) {
    try {
      const connection = await Deno.connect({ hostname: "127.0.0.1", port });
      return connection.close();
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  throw new Error("Cannot measure the peer: prosody does not listen");
}

function configuration(directory: string, port: number): string {
  const tls = `{ key = "${directory}/k.pem"; certificate = "${directory}/c.pem";
  protocol = "tlsv1_2+" }`;
  return `run_as_root = true
daemonize = false
pidfile = "${directory}/prosody.pid"
data_path = "${directory}/data"
network_backend = "epoll"
interfaces = { "127.0.0.1" }
modules_enabled = { "roster"; "saslauth"; "tls"; "disco"; "ping"; "register_ibr";
  "carbons"; "pep"; "smacks"; "time"; "version"; "posix" }
modules_disabled = { "s2s" }
allow_registration = true
c2s_ports = { }
s2s_ports = { }
c2s_direct_tls_ports = { ${port} }
authentication = "internal_hashed"
c2s_require_encryption = true
log = { error = "${directory}/prosody.err" }
certificates = "${directory}"
ssl = ${tls}
c2s_direct_tls_ssl = ${tls}
VirtualHost "localhost"
  ssl = ${tls}
`;
}
