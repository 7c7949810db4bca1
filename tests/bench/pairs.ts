import { sleep } from "./connecting.ts";
import { cpuSeconds } from "./process_cost.ts";
import { numberOf } from "./subprocess.ts";
import type { Json } from "./subprocess.ts";

/**
 * Somebody who writes letters and somebody who sends receipts, whatever carries them. Letters are
 * known by a name of the carrier's choice.
 */
export class Pair {
  readonly #shoot: () => string;
  readonly #sent = new Map<string, number>();
  #window = 0;
  /** Milliseconds from sending a letter until it was there, since `forget`. */
  delivery: number[] = [];
  /** Milliseconds from sending a letter until its receipt was there, since `forget`. */
  receipt: number[] = [];

  /** @param shoot sends a letter; its name. */
  constructor(shoot: () => string) {
    this.#shoot = shoot;
  }

  /** Letters without a receipt. */
  get outstanding(): number {
    return this.#sent.size;
  }

  /** Keeps so many letters under way from now on. */
  set window(count: number) {
    this.#window = count;
    while (this.#sent.size < count) this.shoot();
  }

  shoot(): void {
    const at = performance.now();
    this.#sent.set(this.#shoot(), at);
  }

  /** A letter has come to the other side. */
  delivered(name: string): void {
    const at = this.#sent.get(name);
    if (at !== undefined) this.delivery.push(performance.now() - at);
  }

  /** A receipt has come back. */
  receipted(name: string): void {
    const at = this.#sent.get(name);
    if (at === undefined) return;
    this.receipt.push(performance.now() - at);
    this.#sent.delete(name);
    if (this.#sent.size < this.#window) this.shoot();
  }

  /** Begins to count anew. */
  forget(): void {
    this.delivery = [];
    this.receipt = [];
  }
}

/**
 * Answers the questions of a measurement: `paced` for `seconds` at `rate` letters per second over all
 * pairs in turn, or `saturated` for `seconds` with `window` letters of every pair under way. What the
 * server `pid` and this process used is said with it.
 */
export async function measurePairs(
  pairs: readonly Pair[],
  pid: number,
  question: Json,
): Promise<Json> {
  const seconds = numberOf(question, "seconds");
  if (question.ask === "paced") {
    const rate = numberOf(question, "rate");
    return await counted(pairs, pid, () => pace(pairs, rate, seconds));
  }
  // The first second is for warming up.
  const window = numberOf(question, "window");
  for (const pair of pairs) pair.window = window;
  await sleep(1_000);
  const result = await counted(pairs, pid, () => sleep(seconds * 1_000));
  for (const pair of pairs) pair.window = 0;
  await drain(pairs);
  return result;
}

async function counted(
  pairs: readonly Pair[],
  server: number,
  work: () => Promise<void>,
): Promise<Json> {
  for (const pair of pairs) pair.forget();
  const before = [cpuSeconds(server), cpuSeconds(Deno.pid)] as const;
  const start = performance.now();
  await work();
  const elapsed = (performance.now() - start) / 1_000;
  const delivery = pairs.flatMap((pair) => pair.delivery);
  return {
    elapsed,
    letters: delivery.length,
    delivery,
    receipt: pairs.flatMap((pair) => pair.receipt),
    serverCpu: cpuSeconds(server) - before[0],
    ownCpu: cpuSeconds(Deno.pid) - before[1],
  };
}

async function pace(
  pairs: readonly Pair[],
  rate: number,
  seconds: number,
): Promise<void> {
  const start = performance.now();
  for (let sent = 0; sent < rate * seconds;) {
    const due = Math.floor((performance.now() - start) / 1_000 * rate);
    for (; sent < due; sent++) pairs[sent % pairs.length]!.shoot();
    await sleep(1);
  }
  await drain(pairs);
}

/** Waits until nothing is under way, for five seconds at most. */
async function drain(pairs: readonly Pair[]): Promise<void> {
  const end = performance.now() + 5_000;
  while (
    performance.now() < end && pairs.some(({ outstanding }) => outstanding > 0)
  ) await sleep(5);
}
