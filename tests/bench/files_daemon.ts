/** A server process that was started for a measurement. */
export interface Daemon extends AsyncDisposable {
  readonly pid: number;
  readonly port: number;
}

/**
 * Starts a server that listens on a free port of 127.0.0.1, and waits until it does. What it writes
 * to standard error is shown.
 */
export async function startDaemon(
  program: string,
  argsFor: (port: number) => readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Daemon> {
  const port = freePort();
  const child = new Deno.Command(program, {
    args: [...argsFor(port)],
    env: { ...env },
    stdin: "null",
    stdout: "null",
    stderr: "inherit",
  }).spawn();
  const daemon = {
    pid: child.pid,
    port,
    async [Symbol.asyncDispose]() {
      try {
        child.kill("SIGTERM");
      } catch {
        // It has ended.
      }
      await child.status;
    },
  };
  if (await listens(port)) return daemon;
  await daemon[Symbol.asyncDispose]();
  throw new Error(`Cannot measure: ${program} does not listen`);
}

/** Whether a program is there and starts with these arguments. */
export async function isInstalled(
  program: string,
  ...args: readonly string[]
): Promise<boolean> {
  try {
    const { success } = await new Deno.Command(program, {
      args: [...args],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).output();
    return success;
  } catch {
    return false;
  }
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return (listener.addr as Deno.NetAddr).port;
}

async function listens(port: number): Promise<boolean> {
  for (let i = 0; i < 300; i++) {
    try {
      (await Deno.connect({ hostname: "127.0.0.1", port })).close();
      return true;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  return false;
}
