/**
 * A server that runs rounds: entry, coordinator and the first mix of a chain in one process. Arguments:
 * a directory for its database, and what the other mixes said, as a list. It says its certificate. Asked to
 * `open` with the options of the rounds it listens and says its port; then it answers with its status.
 *
 * @module
 */
import { mixEngines } from "../../cmd/mix_engines.ts";
import { AccountServer } from "../../lib/account/mod.ts";
import { MixService } from "../../lib/mix/coordinator/mix_service.ts";
import { SYSTEM_TIMERS } from "../../lib/mix/mix_timers.ts";
import { MixNode } from "../../lib/mix/node/mix_node.ts";
import type { RoundPlan } from "../../lib/mix/coordinator/schedule.ts";
import type { NoiseLevel } from "../../lib/mix/noise/noise_level.ts";
import type { RunMode } from "../../lib/mix/round.ts";
import { listen } from "../../lib/net/mod.ts";
import type { Listener } from "../../lib/net/mod.ts";
import { SqliteServerStore } from "../../lib/store/mod.ts";
import { freshNodeKeyring } from "../support/keyrings.ts";
import { linkAll, parseNodes } from "./mix_links.ts";
import { answerQuestions } from "./subprocess.ts";

/** How the rounds are run; as in `MixServiceOptions`. */
export interface RoundsQuestion {
  readonly ask: "open";
  readonly mode: RunMode;
  readonly noise: NoiseLevel;
  readonly exchange: Partial<RoundPlan>;
  readonly dialing: Partial<RoundPlan>;
  /** From the first client to the first round, in milliseconds. */
  readonly lead: number;
}

const LIMITS = {
  connections: 100_000,
  perAddress: 100_000,
  rate: { perSecond: 100_000, burst: 100_000 },
};

if (import.meta.main) await main(Deno.args[0]!, JSON.parse(Deno.args[1]!));

async function main(directory: string, others: unknown): Promise<void> {
  const keyring = await freshNodeKeyring();
  const { certificate } = keyring;
  const links = await linkAll(await parseNodes(others), keyring);
  const store = await SqliteServerStore.open(`${directory}/server.db`);
  let close = () => Promise.resolve();
  let service: MixService | undefined;
  const open = (rounds: RoundsQuestion): Listener => {
    const node = new MixNode({
      keyring,
      coordinator: certificate.fingerprint,
      noise: () => rounds.noise,
      engines: mixEngines(),
      timers: SYSTEM_TIMERS,
    });
    const mixes = new MixService({
      ...rounds,
      identity: certificate,
      chain: () => Promise.resolve([node, ...links]),
      clients: LIMITS.connections,
      failed: complain,
    });
    const accounts = new AccountServer({
      store,
      node: keyring,
      rules: { zones: ["bench"], mode: "open" },
      services: [],
      guests: [mixes],
      tables: [],
      now: Date.now,
      failed: complain,
    });
    const listener = listen(
      { hostname: "127.0.0.1", port: 0 },
      LIMITS,
      (incoming) => accounts.accept(incoming),
      () => {/* clients of a benchmark leave without a word */},
    );
    service = mixes;
    close = async () => {
      await mixes.stop();
      await node.stop();
      await listener.close();
      await accounts.close();
    };
    return listener;
  };
  await answerQuestions(
    { certificate: certificate.bytes.toBase64() },
    (question) => {
      const asked = question as unknown as RoundsQuestion | { ask: "status" };
      if (asked.ask === "open") {
        return Promise.resolve({ port: open(asked).port });
      }
      return Promise.resolve({ ...service?.status });
    },
  );
  await close();
  await Promise.all(links.map((link) => link.end()));
  await store.close();
}

function complain(error: unknown): void {
  // deno-lint-ignore no-console -- seen by whoever runs the benchmark
  console.error("entry:", error);
}
