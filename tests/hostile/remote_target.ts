import { parseNodeCertificate } from "../../lib/identity/mod.ts";
import { linesOf } from "./lines.ts";
import type { Condition, Target } from "./target.ts";

/** A target in another process, whose memory is its own. */
export async function remoteTarget(): Promise<Target> {
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      "--no-check",
      new URL("server_process.ts", import.meta.url).pathname,
    ],
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
    env: { DENO_NO_UPDATE_CHECK: "1" },
  }).spawn();
  const input = child.stdin.getWriter();
  const lines = linesOf(child.stdout);
  async function hear(): Promise<Record<string, unknown>> {
    const { value, done } = await lines.next();
    if (done) throw new Error("the server has died");
    return JSON.parse(value);
  }
  const { port, certificate } = await hear();
  return {
    port: port as number,
    certificate: await parseNodeCertificate(
      Uint8Array.fromBase64(certificate as string),
    ),
    async condition() {
      await input.write(new TextEncoder().encode("\n"));
      return await hear() as unknown as Condition;
    },
    async [Symbol.asyncDispose]() {
      await input.close();
      await child.status;
      await lines.return();
    },
  };
}
