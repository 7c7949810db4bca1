/** Where a process runs and under which address it is reached. */
export interface Machine {
  /** Its IPv4 address. */
  readonly host: string;
  /** The command that runs the command behind it there; empty for this machine itself. */
  readonly enter: readonly string[];
}

/**
 * This machine, under a loopback address of its own: tests that run at the same time then cannot take
 * each other's ports. Only on Linux is all of 127.0.0.0/8 there.
 */
export function loopback(): Machine {
  if (Deno.build.os !== "linux") return { host: "127.0.0.1", enter: [] };
  const [a = 0, b = 0, c = 0] = crypto.getRandomValues(new Uint8Array(3));
  return { host: `127.${a}.${b}.${1 + c % 254}`, enter: [] };
}
