import { isInstalled, startDaemon } from "./files_daemon.ts";
import { numberOf, Subprocess } from "./subprocess.ts";

/** Where everybody downloads from. */
export interface Site extends AsyncDisposable {
  /** `http://127.0.0.1:PORT/`; behind it go the names of the files. */
  readonly url: string;
}

/** Debian's place for it, which is on the path of root alone. */
const NGINX = "/usr/sbin/nginx";

/** Whether nginx is installed here (Debian: `nginx-light`). */
export function hasNginx(): Promise<boolean> {
  return isInstalled(NGINX, "-v");
}

/** Starts a site in `directory`: nginx, or one of ours where it is not installed. */
export async function startSite(
  directory: string,
  files: Readonly<Record<string, number>>,
): Promise<Site> {
  if (await hasNginx()) return await startNginx(directory, files);
  const args = [JSON.stringify(files)];
  const own = await Subprocess.start("onion_site_process.ts", args);
  return {
    url: `http://127.0.0.1:${numberOf(own.greeting, "port")}/`,
    [Symbol.asyncDispose]: () => own[Symbol.asyncDispose](),
  };
}

async function startNginx(
  directory: string,
  files: Readonly<Record<string, number>>,
): Promise<Site> {
  // Its worker is another user, who must be able to read here.
  for (const each of [directory, `${directory}/www`]) {
    await Deno.mkdir(each, { recursive: true });
    await Deno.chmod(each, 0o755);
  }
  for (const [name, length] of Object.entries(files)) {
    await writeRandom(`${directory}/www/${name}`, length);
  }
  const settings = `${directory}/nginx.conf`;
  const daemon = await startDaemon(NGINX, (port) => {
    Deno.writeTextFileSync(settings, configuration(directory, port));
    return ["-p", directory, "-c", settings];
  });
  return {
    url: `http://127.0.0.1:${daemon.port}/`,
    [Symbol.asyncDispose]: () => daemon[Symbol.asyncDispose](),
  };
}

async function writeRandom(path: string, length: number): Promise<void> {
  using file = await Deno.open(path, { write: true, create: true });
  const block = new Uint8Array(65_536);
  for (let left = length; left > 0;) {
    crypto.getRandomValues(block);
    left -= await file.write(block.subarray(0, left));
  }
}

function configuration(directory: string, port: number): string {
  const user = Deno.uid() === 0 ? "user root;" : "";
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((each) => `${each}_temp_path ${directory}/${each};`).join("\n  ");
  return `daemon off;
master_process off;
${user}
pid ${directory}/nginx.pid;
error_log ${directory}/nginx.err;
worker_rlimit_nofile 16384;
events { worker_connections 8192; }
http {
  ${temporary}
  access_log off;
  sendfile on;
  tcp_nopush on;
  tcp_nodelay on;
  server { listen 127.0.0.1:${port} backlog=4096; root ${directory}/www; }
}
`;
}
