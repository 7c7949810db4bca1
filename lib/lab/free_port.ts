/** Below the ports that systems give to outgoing connections, which would take them by accident. */
const FIRST = 10_000;
const COUNT = 22_000;
const ATTEMPTS = 100;

/** A TCP port of `host` on which nobody listens now. */
export function freePort(host: string): number {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const port = FIRST + Math.floor(Math.random() * COUNT);
    try {
      Deno.listen({ hostname: host, port }).close();
      return port;
    } catch (error) {
      // An address of another network namespace cannot be tried from here.
      if (error instanceof Deno.errors.AddrNotAvailable) return port;
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    }
  }
  throw new RangeError(`Cannot find a free port: ${ATTEMPTS} were taken`);
}
