import {
  dh,
  generateDh,
  generateRsa,
  rsaDecrypt,
  rsaEncrypt,
} from "../../lib/protocol/mod.ts";
import type { Benchmark, Measurement, Prepared } from "./benchmark.ts";
import { startPeer } from "./peer.ts";
import { cpuSeconds } from "./process_cost.ts";
import { numberOf, Subprocess } from "./subprocess.ts";
import type { Json } from "./subprocess.ts";
import { startServer } from "./under_test.ts";

const TOGETHER = 16;
const PEOPLE = 64;
/** prosody with SCRAM on two such processors: logins per second, processor time of each in ms. */
const PROSODY = { rate: 247, cost: 1.6 };

const WAYS: Readonly<Record<string, string>> = {
  unopened: "by key, the client's part left out",
  key: "by key",
  passphrase: "by passphrase, stretched before",
};

/**
 * Logins at a server process, `TOGETHER` at once, from clients on the same machine, whose part costs
 * as much as the server's. Without it, the server could do what its processor time allows: that is
 * "the server alone". prosody runs on one processor and is counted so.
 */
export const LOGINS: Benchmark = {
  name: "logins",
  async prepare({ quick, directory }): Promise<Prepared> {
    const { server, people, said } = await startServer(directory, PEOPLE);
    const clients = await Subprocess.start("logins_process.ts", [
      people,
      JSON.stringify(said),
    ]);
    const peer = await startPeer(directory, PEOPLE);
    const question = {
      ask: "logins",
      count: quick ? 100 : 400,
      together: TOGETHER,
    };
    return {
      async run(): Promise<Measurement[]> {
        const prosody = peer === undefined
          ? PROSODY
          : ofAnswer(await peer.ask(question), question.count);
        const results: Measurement[] = [];
        for (const [way, name] of Object.entries(WAYS)) {
          const answer = await clients.ask({ ...question, way });
          results.push(
            ...figures(name, ofAnswer(answer, question.count), prosody, peer),
          );
        }
        return [
          ...results,
          { name: "prosody, SCRAM", value: prosody.rate, unit: "/s" },
          { name: "prosody, cost", value: prosody.cost, unit: "ms" },
          ...await raw(),
        ];
      },
      async close() {
        await peer?.[Symbol.asyncDispose]();
        await clients[Symbol.asyncDispose]();
        await server[Symbol.asyncDispose]();
      },
    };
  },
};

/** Logins per second, and the server's processor time for each in milliseconds. */
interface Logins {
  readonly rate: number;
  readonly cost: number;
}

function ofAnswer(answer: Json, count: number): Logins {
  return {
    rate: count / numberOf(answer, "seconds"),
    cost: numberOf(answer, "serverCpu") * 1_000 / count,
  };
}

function figures(
  name: string,
  { rate, cost }: Logins,
  prosody: Logins,
  peer: Subprocess | undefined,
): Measurement[] {
  const from = peer === undefined ? " elsewhere" : "";
  const processors = navigator.hardwareConcurrency;
  return [{
    name,
    value: rate,
    unit: "/s",
    against: { name: `prosody${from}`, value: prosody.rate },
    aim: { least: 1 },
  }, {
    name: `${name}: the server alone`,
    value: processors * 1_000 / cost,
    unit: "/s",
    against: { name: `prosody${from}`, value: prosody.rate },
    aim: { least: 1 },
  }, {
    name: `${name}: cost at the server`,
    value: cost,
    unit: "ms",
    against: { name: `prosody${from}`, value: prosody.cost },
  }];
}

async function raw(): Promise<Measurement[]> {
  const label = new Uint8Array(32);
  const rsa = await generateRsa();
  const sealed = await rsaEncrypt(rsa.publicKey, label, label);
  const own = await generateDh();
  const other = await generateDh();
  return [
    ...await perSecond(
      "raw RSA-3072 decryption",
      200,
      () => rsaDecrypt(rsa.privateKey, sealed, label),
    ),
    ...await perSecond(
      "raw X25519 agreement",
      5_000,
      () => dh(own.privateKey, other.publicKey),
    ),
  ];
}

async function perSecond(
  name: string,
  count: number,
  work: () => Promise<unknown>,
): Promise<Measurement[]> {
  let next = 0;
  const before = cpuSeconds(Deno.pid);
  const start = performance.now();
  await Promise.all(Array.from({ length: TOGETHER }, async () => {
    while (next++ < count) await work();
  }));
  const seconds = (performance.now() - start) / 1_000;
  const cost = (cpuSeconds(Deno.pid) - before) * 1_000 / count;
  return [
    { name, value: count / seconds, unit: "/s" },
    { name: `${name}, cost`, value: cost, unit: "ms" },
  ];
}
