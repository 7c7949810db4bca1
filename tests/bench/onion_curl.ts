/** What of a site, and through which SOCKS5 proxy; without one it is fetched directly. */
export interface Fetching {
  readonly url: string;
  readonly socksPort: number | undefined;
}

/** How long each of many requests took, in milliseconds. */
export interface Latencies {
  /** Seconds for all of them. */
  readonly seconds: number;
  /** From the start until the proxy has said that the stream is open. */
  readonly connect: readonly number[];
  /** From the start until the first byte of the answer. */
  readonly first: readonly number[];
}

/**
 * Downloads with several curls at once; the seconds it took.
 *
 * @param bytes length of the file, which is checked.
 * @param logins whether each of them has a user name of its own, and thereby a circuit.
 */
export async function download(
  { url, socksPort }: Fetching,
  bytes: number,
  together: number,
  logins: boolean,
): Promise<number> {
  const start = performance.now();
  const lengths = await Promise.all(
    Array.from({ length: together }, (_, i) =>
      curl([
        ...proxy(socksPort),
        ...logins ? ["--proxy-user", `bench${i}:x`] : [],
        ...["--output", "/dev/null", "--write-out", "%{size_download}", url],
      ])),
  );
  const seconds = (performance.now() - start) / 1_000;
  if (lengths.every((each) => Number(each) === bytes)) return seconds;
  throw new Error(`Cannot measure: ${lengths} bytes came, and not ${bytes}`);
}

/** Sends requests, each over a connection of its own, `together` at a time. */
export async function request(
  { url, socksPort }: Fetching,
  count: number,
  together: number,
): Promise<Latencies> {
  const parallel = together === 1 ? [] : [
    ...["--parallel", "--parallel-immediate"],
    ...["--parallel-max", String(together)],
  ];
  const start = performance.now();
  const said = await curl([
    ...proxy(socksPort),
    ...parallel,
    ...["--header", "Connection: close", "--output", "/dev/null"],
    ...["--write-out", "%{time_pretransfer} %{time_starttransfer}\\n"],
    `${url}?[1-${count}]`,
  ]);
  const seconds = (performance.now() - start) / 1_000;
  const times = said.trim().split("\n").map((line) =>
    line.split(" ").map((each) => Number(each) * 1_000)
  );
  if (times.length !== count) {
    throw new Error(`Cannot measure: ${times.length} answers of ${count}`);
  }
  return {
    seconds,
    connect: times.map(([connect]) => connect!),
    first: times.map(([, first]) => first!),
  };
}

function proxy(port: number | undefined): string[] {
  return port === undefined
    ? ["--noproxy", "*"]
    : ["--socks5-hostname", `127.0.0.1:${port}`];
}

async function curl(args: readonly string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command("curl", {
    args: ["--silent", "--show-error", "--fail", ...args],
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  if (success) return decoder.decode(stdout);
  throw new Error(`Cannot measure: ${decoder.decode(stderr).slice(-500)}`);
}
