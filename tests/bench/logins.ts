import {
  dh,
  generateDh,
  generateRsa,
  rsaDecrypt,
  rsaEncrypt,
} from "../../lib/protocol/mod.ts";
import type { Benchmark, Measurement, Prepared } from "./benchmark.ts";
import { numberOf, Subprocess } from "./subprocess.ts";
import { startServer } from "./under_test.ts";

const TOGETHER = 32;
/** What prosody does with SCRAM on two such processors. */
const PROSODY = 247;

/**
 * Logins at a server process: handshake, login, and for all but the bare key login the first answer.
 * "Per processor second" counts the server's processor time only; raw RSA and X25519 stand beside it.
 */
export const LOGINS: Benchmark = {
  name: "logins",
  async prepare({ quick, directory }): Promise<Prepared> {
    const { server, people, said } = await startServer(directory, 64);
    const clients = await Subprocess.start("logins_process.ts", [
      people,
      JSON.stringify(said),
    ]);
    const count = quick ? 200 : 600;
    return {
      async run(): Promise<Measurement[]> {
        const results: Measurement[] = [];
        for (const way of ["unopened", "key", "passphrase"]) {
          const answer = await clients.ask({
            ask: "logins",
            way,
            count,
            together: TOGETHER,
          });
          const against = { name: "prosody, SCRAM", value: PROSODY };
          results.push({
            name: `login by ${NAMES[way]}, clients on the same machine`,
            value: count / numberOf(answer, "seconds"),
            unit: "/s",
            against,
          }, {
            name: `login by ${NAMES[way]}, per processor second of the server`,
            value: count / numberOf(answer, "serverCpu"),
            unit: "/s",
          });
        }
        results.push(...await raw());
        return results;
      },
      async close() {
        await clients[Symbol.asyncDispose]();
        await server[Symbol.asyncDispose]();
      },
    };
  },
};

const NAMES: Readonly<Record<string, string>> = {
  unopened: "key, client's part left out",
  key: "key",
  passphrase: "passphrase",
};

async function raw(): Promise<Measurement[]> {
  const label = new Uint8Array(32);
  const rsa = await generateRsa();
  const sealed = await rsaEncrypt(rsa.publicKey, label, label);
  const own = await generateDh();
  const other = await generateDh();
  return [
    {
      name: "raw RSA-3072 decryptions, 16 in flight",
      value: await perSecond(
        300,
        () => rsaDecrypt(rsa.privateKey, sealed, label),
      ),
      unit: "/s",
    },
    {
      name: "raw X25519 agreements, 16 in flight",
      value: await perSecond(5_000, () => dh(own.privateKey, other.publicKey)),
      unit: "/s",
    },
  ];
}

async function perSecond(
  count: number,
  work: () => Promise<unknown>,
): Promise<number> {
  let next = 0;
  const start = performance.now();
  await Promise.all(Array.from({ length: 16 }, async () => {
    while (next++ < count) await work();
  }));
  return count / ((performance.now() - start) / 1_000);
}
