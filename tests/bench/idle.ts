import type { Benchmark, Prepared } from "./benchmark.ts";
import { sleep } from "./connecting.ts";
import { residentBytes } from "./process_cost.ts";
import { Subprocess } from "./subprocess.ts";
import { startServer } from "./under_test.ts";

/** The most that an idle connection may cost, in KiB. */
const AIM = 64;

/** Resident memory of a server process for each connection that is logged in and does nothing. */
export const IDLE: Benchmark = {
  name: "idle",
  prepare({ quick, directory }): Promise<Prepared> {
    const count = quick ? 1_000 : 5_000;
    let run = 0;
    return Promise.resolve({
      async run() {
        const folder = `${directory}/${run++}`;
        await Deno.mkdir(folder);
        const { server, people, said } = await startServer(folder, 64);
        await using _ = server;
        const before = residentBytes(server.pid);
        await using clients = await Subprocess.start("logins_process.ts", [
          people,
          JSON.stringify(said),
        ]);
        await clients.ask({ ask: "hold", count, together: 32 });
        await sleep(3_000);
        const each = (residentBytes(server.pid) - before) / count / 1_024;
        return [{
          name: `server memory per idle session, ${count} held`,
          value: each,
          unit: "KiB",
          aim: { most: AIM },
        }];
      },
      close: () => Promise.resolve(),
    });
  },
};
