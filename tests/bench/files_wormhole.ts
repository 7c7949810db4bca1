import { costOf } from "./files_cost.ts";
import { isInstalled, startDaemon } from "./files_daemon.ts";
import type { Ways } from "./files_way.ts";

/** Debian's name and everybody else's. */
const TWISTD = ["twistd3", "twistd"] as const;

/**
 * magic-wormhole with a mailbox server and a transit relay of its own, through which everything goes;
 * undefined where one of them is not installed (Debian: `magic-wormhole`,
 * `python3-magic-wormhole-mailbox-server`, `magic-wormhole-transit-relay`).
 */
export async function startWormhole(
  directory: string,
): Promise<Ways | undefined> {
  const twistd = await findTwistd();
  if (twistd === undefined || !await isInstalled("wormhole", "--version")) {
    return undefined;
  }
  const env = { HOME: directory, LC_ALL: "C.UTF-8", LANG: "C.UTF-8" };
  const plugin = (name: string, ...args: readonly string[]) =>
    startDaemon(twistd, (port) => [
      ...["-n", "--pidfile=", name, ...args],
      ...["--port", `tcp:${port}:interface=127.0.0.1`],
    ], env);
  const mailbox = await plugin(
    "wormhole-mailbox",
    ...["--channel-db", `${directory}/mailbox.sqlite`],
  );
  const relay = await plugin("transitrelay");
  const common = [
    ...["--relay-url", `ws://127.0.0.1:${mailbox.port}/v1`],
    ...["--transit-helper", `tcp:127.0.0.1:${relay.port}`],
  ];
  let codes = 0;
  const wormhole = (command: string, ...args: readonly string[]) => ({
    program: "wormhole",
    // --no-listen: nobody connects directly.
    args: [...common, command, "--hide-progress", "--no-listen", ...args],
    env,
  });
  const bring = (from: string, to: string) => {
    codes++;
    const code = `${codes}-bench-${codes}`;
    const name = from.slice(from.lastIndexOf("/") + 1);
    return costOf([
      wormhole("send", "--code", code, from),
      wormhole("receive", "--accept-file", "-o", `${to}/${name}`, code),
    ], [mailbox.pid, relay.pid]);
  };
  return {
    ways: { "magic-wormhole": { bring } },
    async [Symbol.asyncDispose]() {
      await relay[Symbol.asyncDispose]();
      await mailbox[Symbol.asyncDispose]();
    },
  };
}

/** The twistd that has both plugins. */
async function findTwistd(): Promise<string | undefined> {
  for (const name of TWISTD) {
    if (
      await isInstalled(name, "wormhole-mailbox", "--help") &&
      await isInstalled(name, "transitrelay", "--help")
    ) return name;
  }
  return undefined;
}
