import { RUNTIME_FLAGS } from "../../tools/launcher.ts";
import { isInstalled } from "./files_daemon.ts";

/** Tells the process that it has been started again already. */
const MARK = "SOTTO_BENCH_NAMESPACE";
const ROUTE = "proto kernel scope host src 127.0.0.1 quickack 1";
const SCRIPT = `ip link set lo up &&
ip route replace local 127.0.0.0/8 dev lo table local ${ROUTE} &&
ip route replace local 127.0.0.1 dev lo table local ${ROUTE} &&
exec "$@"`;

/**
 * Runs the calling script again in a network namespace of its own whose loopback acknowledges at once.
 * On the common loopback Tor's small writes wait for delayed acknowledgements (RFC 1122 §4.2.3.2), 40 ms
 * at a time, which says nothing of Tor.
 *
 * @returns the exit code once it has ended; `undefined` if the caller is to go on itself, because it is
 * there already, or cannot (it takes root, unshare and ip).
 */
export async function runInNamespace(
  script: string,
  args: readonly string[],
): Promise<number | undefined> {
  if (Deno.env.has(MARK)) return undefined;
  if (Deno.uid() !== 0 || !await isInstalled("unshare", "-n", "ip", "-V")) {
    // deno-lint-ignore no-console -- seen by whoever runs the benchmark
    console.error(
      "no network of our own (it takes root, unshare and ip): acknowledgements come late",
    );
    return undefined;
  }
  const path = new URL(script).pathname;
  const deno = [Deno.execPath(), "run", "-A", "--no-check", ...RUNTIME_FLAGS];
  const { code } = await new Deno.Command("unshare", {
    args: ["-n", "sh", "-c", SCRIPT, "sh", ...deno, path, ...args],
    stdin: "inherit",
    stdout: "inherit",
    stderr: "inherit",
    env: { [MARK]: "1" },
  }).spawn().status;
  return code;
}
