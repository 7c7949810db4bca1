/** An onion network of one machine: three relays, which every circuit runs over, and one client. */
export interface OnionNetwork extends AsyncDisposable {
  /** Where the client takes SOCKS5. */
  readonly socksPort: number;
  /** Process id of the client. */
  readonly client: number;
  /** Process ids of the relays. */
  readonly relays: readonly number[];
  /**
   * Builds circuits of three hops one after another over links that stand, and ends them when all of them
   * are open at once.
   */
  buildCircuits(count: number): Promise<BuiltCircuits>;
}

/** What came of it. */
export interface BuiltCircuits {
  /** Milliseconds that each took. */
  readonly took: readonly number[];
  /** How many were there at the end. */
  readonly open: number;
}

/** Ports of 127.0.0.1 that are free now, all of them different. */
export function freePorts(count: number): number[] {
  const listeners = Array.from(
    { length: count },
    () => Deno.listen({ hostname: "127.0.0.1", port: 0 }),
  );
  return listeners.map((listener) => {
    const { port } = listener.addr as Deno.NetAddr;
    listener.close();
    return port;
  });
}

/** Looks every 100 ms until `look` finds something. @throws {Error} after `seconds`. */
export async function untilThere<T>(
  what: string,
  seconds: number,
  look: () => Promise<T | undefined>,
): Promise<T> {
  const end = performance.now() + seconds * 1_000;
  while (performance.now() < end) {
    const found = await look();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`Cannot measure: ${what} did not come up`);
}

/** A process of a network. */
export interface NetworkProcess extends AsyncDisposable {
  readonly pid: number;
}

/** Starts a process that runs until it is told to end; what it writes goes to `log`, and errors are shown. */
export async function startProcess(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  log: string,
): Promise<NetworkProcess> {
  await Deno.writeTextFile(log, "");
  const child = new Deno.Command(program, {
    args: [...args],
    env: { ...env },
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const written = (async () => {
    for await (const bytes of child.stdout) {
      await Deno.writeFile(log, bytes, { append: true });
    }
  })();
  return {
    pid: child.pid,
    async [Symbol.asyncDispose]() {
      try {
        child.kill("SIGTERM");
      } catch {
        // It has ended.
      }
      const late = setTimeout(() => child.kill("SIGKILL"), 5_000);
      await child.status;
      clearTimeout(late);
      await written;
    },
  };
}
