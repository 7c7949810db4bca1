/**
 * The stage on which onion networks are measured, in a network namespace of its own where that can be:
 * a site, sotto's network, the peer's, and curl. Argument: what to raise, as JSON. Asked to `download`,
 * `request` or `build` through one of them (`through`: `sotto` or `tor`; `raw` is one process that carries
 * connections on), it says what that took.
 *
 * @module
 */
import { download, request } from "./onion_curl.ts";
import { runInNamespace } from "./onion_namespace.ts";
import type { OnionNetwork } from "./onion_network.ts";
import { startSite } from "./onion_site.ts";
import { startSotto } from "./onion_sotto.ts";
import { cpuSeconds } from "./process_cost.ts";
import { answerQuestions, numberOf, Subprocess, textOf } from "./subprocess.ts";
import type { Json } from "./subprocess.ts";
import { startTor } from "./tor_network.ts";

/** What is raised. */
export interface Stage {
  readonly directory: string;
  /** Whether the peer is there. */
  readonly tor: boolean;
  /** Lengths of the files of the site. */
  readonly files: Readonly<Record<string, number>>;
}

/** A way to the site. */
interface Way {
  readonly url: string;
  readonly network?: OnionNetwork;
}

if (import.meta.main) {
  const code = await runInNamespace(import.meta.url, Deno.args);
  if (code === undefined) await main(JSON.parse(Deno.args[0]!));
  else Deno.exitCode = code;
}

async function main({ directory, tor, files }: Stage): Promise<void> {
  const place = async (name: string) => {
    await Deno.mkdir(`${directory}/${name}`);
    return `${directory}/${name}`;
  };
  await using raised = new AsyncDisposableStack();
  const { url } = raised.use(await startSite(await place("site"), files));
  const raw = raised.use(
    await Subprocess.start("onion_raw_process.ts", [new URL(url).port]),
  );
  const sotto = raised.use(await startSotto(await place("sotto")));
  const ways: Record<string, Way> = {
    raw: { url: `http://127.0.0.1:${numberOf(raw.greeting, "port")}/` },
    sotto: { url, network: sotto },
  };
  if (tor) {
    const network = raised.use(await startTor(await place("tor")));
    ways.tor = { url, network };
  }
  const { client, relays } = sotto;
  await answerQuestions({ client, relays }, async (question) => {
    if (question.ask === "seal") return await raw.ask(question);
    if (question.ask === "path") return { path: await sotto.path() };
    const way = ways[textOf(question, "through")]!;
    const before = cpuOf(way);
    const answer = await measure(way, files, question);
    const after = cpuOf(way);
    return {
      ...answer,
      clientCpu: after.client - before.client,
      relaysCpu: after.relays - before.relays,
      peak: Math.max(0, ...way.network?.relays.map(peakBytes) ?? []),
    };
  });
}

async function measure(
  { url, network }: Way,
  files: Stage["files"],
  question: Json,
): Promise<Json> {
  const fetching = (file: string) => ({
    url: url + file,
    socksPort: network?.socksPort,
  });
  switch (question.ask) {
    case "download": {
      const [file, together] = [
        textOf(question, "file"),
        numberOf(question, "together"),
      ];
      const logins = question.logins === true;
      const length = files[file]!;
      return {
        bytes: together * length,
        seconds: await download(fetching(file), length, together, logins),
      };
    }
    case "request": {
      const [count, together] = [
        numberOf(question, "count"),
        numberOf(question, "together"),
      ];
      return { ...await request(fetching("small"), count, together) };
    }
    case "build":
      return { ...await network!.buildCircuits(numberOf(question, "count")) };
    default:
      throw new TypeError(`Cannot measure: ${question.ask}`);
  }
}

/** Processor time that client and relays have used, in seconds. */
function cpuOf({ network }: Way): { client: number; relays: number } {
  if (network === undefined) return { client: 0, relays: 0 };
  const relays = network.relays.reduce((sum, pid) => sum + cpuSeconds(pid), 0);
  return { client: cpuSeconds(network.client), relays };
}

/** The most resident memory that a process has had, in bytes. */
function peakBytes(pid: number): number {
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  return Number(/^VmHWM:\s+(\d+) kB/m.exec(status)![1]) * 1_024;
}
