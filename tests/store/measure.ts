/**
 * Measures the stores on this machine: `deno run -A tests/store/measure.ts [FOLDER]`. The folder
 * chooses the disk.
 *
 * @module
 */
import { DatabaseSync } from "node:sqlite";
import process from "node:process";
import { importAead, randomBytes, utf8 } from "../../lib/protocol/mod.ts";
import { SqliteServerStore, Vault } from "../../lib/store/mod.ts";
import { AMPLE, register } from "./cases/samples.ts";

const PEOPLE = 100;
const SECONDS = 2;

interface Figures {
  readonly perSecond: number;
  readonly cpuMicros: number;
  readonly p50: number;
  readonly p99: number;
}

/** Lets `callers` call `work` for a while, each waiting for its answer before the next call. */
async function measure(
  callers: number,
  work: (caller: number, n: number) => Promise<void>,
): Promise<Figures> {
  const took: number[] = [];
  const cpu = process.cpuUsage();
  const begin = performance.now();
  const end = begin + SECONDS * 1_000;
  await Promise.all(Array.from({ length: callers }, async (_, caller) => {
    for (let n = 0; performance.now() < end; n++) {
      const start = performance.now();
      await work(caller, n);
      took.push(performance.now() - start);
    }
  }));
  const { user, system } = process.cpuUsage(cpu);
  took.sort((a, b) => a - b);
  return {
    perSecond: took.length / (performance.now() - begin) * 1_000,
    cpuMicros: (user + system) / took.length,
    p50: took[took.length >> 1]!,
    p99: took[Math.floor(took.length * 0.99)]!,
  };
}

function tell(name: string, base: Figures, figures: Figures): void {
  const { perSecond, cpuMicros, p50, p99 } = figures;
  const columns = [
    name.padEnd(40),
    `${perSecond.toFixed(0).padStart(7)}/s`,
    `${cpuMicros.toFixed(1).padStart(7)} µs CPU`,
    `p50 ${p50.toFixed(2).padStart(6)} ms`,
    `p99 ${p99.toFixed(2).padStart(6)} ms`,
    `${(perSecond / base.perSecond).toFixed(2)} of bare`,
  ];
  Deno.stdout.writeSync(utf8(`${columns.join("  ")}\n`));
}

/** What SQLite itself does with one durable insert in one transaction. */
async function bare(path: string): Promise<Figures> {
  using db = new DatabaseSync(path);
  db.exec("pragma journal_mode = wal; pragma synchronous = full");
  db.exec("create table rows (id integer primary key, body blob)");
  const add = db.prepare("insert into rows (body) values (?)");
  const body = randomBytes(546);
  return await measure(1, () => {
    add.run(body);
    return Promise.resolve();
  });
}

async function letters(
  path: string,
  callers: number,
  base: Figures,
): Promise<void> {
  const store = await SqliteServerStore.open(path);
  const people = Array.from({ length: PEOPLE }, (_, i) => `u${i}@zone`);
  await register(store, ...people);
  const body = randomBytes(546);
  const far = Date.now() + 1e9;
  const figures = await measure(callers, async (caller, n) => {
    const from = (caller * 7 + n) % PEOPLE;
    const [sender, recipient] = [people[from]!, people[from ^ 1]!];
    const { sequence } = await store.letters.add({
      sender,
      recipient,
      letterId: randomBytes(16),
      body,
      storedAt: far,
      expiresAt: far,
    }, AMPLE);
    await store.letters.acknowledge(recipient, [sequence]);
  });
  tell(`letters: add + acknowledge, ${callers} callers`, base, figures);
  await store.close();
}

async function vault(path: string, base: Figures): Promise<void> {
  const opened = await Vault.open(path, await importAead(randomBytes(32)));
  const body = randomBytes(1_000);
  for (const callers of [1, 64]) {
    const figures = await measure(callers, async (caller, n) => {
      const change = { kind: `${callers}`, key: `${caller}`, expect: n, body };
      if (!await opened.commit([change])) throw new Error("refused");
    });
    tell(`vault: commit of one record, ${callers} callers`, base, figures);
  }
  const figures = await measure(1, async () => {
    await opened.get("1", "0");
  });
  tell("vault: get", base, figures);
  opened.close();
}

const folder = await Deno.makeTempDir({
  prefix: "sotto-measure-",
  ...(Deno.args[0] === undefined ? {} : { dir: Deno.args[0] }),
});
try {
  const base = await bare(`${folder}/bare.db`);
  tell("bare SQLite: one insert, one commit", base, base);
  for (const callers of [1, 64, 400]) {
    await letters(`${folder}/letters${callers}.db`, callers, base);
  }
  await vault(`${folder}/vault.db`, base);
} finally {
  await Deno.remove(folder, { recursive: true });
}
