/**
 * A coordinator without an entry, which has rounds pass through a chain. Argument: what the mixes said and
 * their process ids, as a list; if it is empty the chain is three mixes in this process. Asked for
 * `rounds`, of so many `onions`, in a `mode`, it has a run signed, makes the onions, and says how the rounds
 * went and what each mix used for one, those of the set-up apart; asked for the `noise` of a level, what
 * each mix used to make it for a run.
 *
 * @module
 */
import { mixEngines } from "../../cmd/mix_engines.ts";
import { SYSTEM_TIMERS } from "../../lib/mix/mix_timers.ts";
import type { MixPeer } from "../../lib/mix/mix_peer.ts";
import { MixNode } from "../../lib/mix/node/mix_node.ts";
import { NOISE_LEVELS } from "../../lib/mix/noise/noise_level.ts";
import { RunMode } from "../../lib/mix/round.ts";
import { freshNodeKeyring } from "../support/keyrings.ts";
import { sleep } from "./connecting.ts";
import { linkAll, parseNodes } from "./mix_links.ts";
import { MadeRun } from "./mix_made_run.ts";
import type { Passed } from "./mix_made_run.ts";
import { cpuSeconds } from "./process_cost.ts";
import { answerQuestions, numberOf } from "./subprocess.ts";
import type { Json } from "./subprocess.ts";

const LOCAL_MIXES = 3;
/** A process that uses less than this in a second has nothing to do, in seconds. */
const IDLE = 0.05;

if (import.meta.main) await main(JSON.parse(Deno.args[0]!));

async function main(said: readonly Json[]): Promise<void> {
  const keyring = await freshNodeKeyring();
  const coordinator = keyring.certificate.fingerprint;
  const links = await linkAll(await parseNodes(said), keyring);
  const nodes = said.length > 0 ? [] : await localNodes(coordinator);
  const mixes: readonly MixPeer[] = said.length > 0 ? links : nodes;
  const pids = said.length > 0
    ? said.map((each) => numberOf(each, "pid"))
    : [Deno.pid];
  await answerQuestions({}, async (question) => {
    const mode = numberOf(question, "mode") as RunMode;
    const onions = numberOf(question, "onions");
    const rounds = numberOf(question, "rounds");
    if (question.ask === "noise") {
      const before = pids.map(cpuSeconds);
      await MadeRun.make(coordinator, mixes, mode, 0, rounds);
      await untilIdle(pids);
      return { cpu: pids.map((pid, i) => cpuSeconds(pid) - before[i]!) };
    }
    const run = await MadeRun.make(coordinator, mixes, mode, onions, rounds);
    await untilIdle(pids);
    const first = mode === RunMode.CIRCUITS ? 1 : 0;
    return {
      setUp: first === 0 ? undefined : await measured(run, 0, 1, pids),
      ...await measured(run, first, rounds, pids),
    };
  });
  await Promise.all(links.map((link) => link.end()));
  await Promise.all(nodes.map((node) => node.stop()));
}

/** Rounds of a run from `first` to before `end`: for one, on average, and for each mix. */
async function measured(
  run: MadeRun,
  first: number,
  end: number,
  pids: readonly number[],
): Promise<Json> {
  const before = pids.map(cpuSeconds);
  const passed: Passed[] = [];
  for (let index = first; index < end; index++) {
    passed.push(await run.pass(index));
  }
  const count = passed.length;
  const mean = (of: (each: Passed) => number) =>
    passed.reduce((sum, each) => sum + of(each), 0) / count;
  return {
    seconds: mean(({ seconds }) => seconds),
    afterWindow: mean(({ afterWindow }) => afterWindow),
    durations: passed[0]!.durations.map((_, place) =>
      mean(({ durations }) => durations[place]!)
    ),
    cpu: pids.map((pid, i) => (cpuSeconds(pid) - before[i]!) / count),
  };
}

async function localNodes(
  coordinator: Uint8Array<ArrayBuffer>,
): Promise<MixNode[]> {
  const engines = mixEngines();
  return await Promise.all(
    Array.from({ length: LOCAL_MIXES }, async () =>
      new MixNode({
        keyring: await freshNodeKeyring(),
        coordinator,
        noise: () => NOISE_LEVELS.lab,
        engines,
        timers: SYSTEM_TIMERS,
      })),
  );
}

/** Noise is made in the background. */
async function untilIdle(pids: readonly number[]): Promise<void> {
  for (;;) {
    const before = pids.map(cpuSeconds);
    await sleep(1_000);
    if (pids.every((pid, i) => cpuSeconds(pid) - before[i]! < IDLE)) return;
  }
}
