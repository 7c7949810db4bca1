import { median } from "./benchmark.ts";
import type { Benchmark, Prepared } from "./benchmark.ts";
import { startServer } from "./under_test.ts";

const MAIN = new URL("../../main.ts", import.meta.url).pathname;

/** How much longer than an empty file a command may take to start and end, in milliseconds. */
const AIM = 40;

/** Time from the start of a command to its end, against `deno run` of an empty file. */
export const STARTUP: Benchmark = {
  name: "startup",
  async prepare({ quick, directory }): Promise<Prepared> {
    const { server } = await startServer(directory, 2);
    const empty = `${directory}/empty.ts`;
    await Deno.writeTextFile(empty, "");
    const at = `127.0.0.1:${server.greeting.port}`;
    const times = quick ? 5 : 15;
    return {
      async run() {
        const bare = await timed(times, [empty]);
        const version = await timed(times, [MAIN, "--version"]);
        const ping = await timed(times, [MAIN, "client", "ping", at]);
        const beyond = (name: string, time: number) => ({
          name: `${name}, beyond an empty file`,
          value: time - bare,
          unit: "ms",
          aim: { most: AIM },
        });
        return [
          { name: "an empty file", value: bare, unit: "ms" },
          beyond("sotto --version", version),
          beyond("sotto client ping", ping),
        ];
      },
      close: () => server[Symbol.asyncDispose](),
    };
  },
};

async function timed(times: number, args: readonly string[]): Promise<number> {
  const taken: number[] = [];
  for (let i = 0; i < times; i++) {
    const start = performance.now();
    await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", ...args],
      stdout: "null",
      stderr: "null",
      env: { DENO_NO_UPDATE_CHECK: "1" },
    }).output();
    taken.push(performance.now() - start);
  }
  return median(taken);
}
