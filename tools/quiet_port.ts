/**
 * A free port on loopback, below those that the system gives to outgoing connections: nobody takes it
 * by accident while a server that listened there is away for a moment.
 */
export function quietPort(): number {
  for (;;) {
    const port = 10_000 + Math.floor(Math.random() * 20_000);
    try {
      Deno.listen({ hostname: "127.0.0.1", port }).close();
      return port;
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    }
  }
}
