import { assert, assertEquals } from "@std/assert";
import { connectToEntry } from "../../../lib/lab/crowd/connect_to_entry.ts";
import { Crowd } from "../../../lib/lab/crowd/crowd.ts";
import { MixClient } from "../../../lib/mix/client/mix_client.ts";
import type { Loss } from "../../../lib/mix/client/sources.ts";
import { concat, randomBytes } from "../../../lib/protocol/mod.ts";
import type { Bytes } from "../../../lib/protocol/mod.ts";
import { RunMode } from "../../../lib/mix/round.ts";
import { roundsNetwork } from "./rounds_network.ts";
import type { RoundsNetwork } from "./rounds_network.ts";

function common({ server, mixes }: RoundsNetwork) {
  return {
    connect: () =>
      connectToEntry(
        { hostname: "127.0.0.1", port: server.listener.port },
        mixes[0]!.certificate,
      ),
    identityOf: (fingerprint: Bytes) =>
      mixes.map(({ certificate }) => certificate).find((each) =>
        each.fingerprint.toHex() === fingerprint.toHex()
      ),
    policy: {
      coordinator: mixes[0]!.certificate.fingerprint,
      leastMixes: mixes.length,
    },
  };
}

async function until(holds: () => boolean, ms = 60_000): Promise<void> {
  const deadline = Date.now() + ms;
  while (!holds()) {
    if (Date.now() > deadline) throw new Error("It did not come to that");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

for (const [name, mode] of Object.entries(RunMode)) {
  Deno.test(`S3.5, S3.6: two people exchange through two mixes in a crowd, in runs of ${name.toLowerCase()}`, async () => {
    await using network = await roundsNetwork(2, { mode });
    const crowd = new Crowd({ size: 10, apart: 5, ...common(network) });
    crowd.start();
    const drops = new Map<number, Bytes>();
    const heard = [new Set<string>(), new Set<string>()];
    const said = [new Set<string>(), new Set<string>()];
    const losses: Loss[] = [];
    const faults: unknown[] = [];
    const tokens: Bytes[] = [randomBytes(32), randomBytes(32)];
    const ids = [randomBytes(32), randomBytes(32)];
    const calls = [false, false];
    const people = [0, 1].map((who) =>
      new MixClient({
        ...common(network),
        onEvent: (event) => {
          if (event.type === "fault" || event.type === "refused") {
            faults.push(event);
          }
        },
        exchange: {
          outgoing({ start }) {
            const drop = drops.get(start) ?? randomBytes(16);
            drops.set(start, drop);
            const text = randomBytes(496);
            return Promise.resolve([{
              payload: concat(drop, text),
              answered: (reply) => {
                said[who]!.add(text.toHex());
                heard[who]!.add(reply.toHex());
              },
              lost: (why) => losses.push(why),
            }]);
          },
        },
        dial: {
          certificateId: ids[who]!,
          dial: () =>
            Promise.resolve({
              to: ids[1 - who]!,
              token: tokens[who]!,
              done: () => {},
            }),
          heard: (_, filter) => {
            calls[who] ||= filter.has(tokens[1 - who]!);
            return Promise.resolve();
          },
        },
      })
    );
    for (const each of people) each.start();
    const met = () => [...heard[0]!].filter((each) => said[1]!.has(each));
    // On a machine that has much else to do some rounds are late; not all of them are.
    await until(() =>
      met().length >= 5 && calls[0]! && calls[1]! &&
      crowd.status.exchange.done >= 50 &&
      [...crowd.rounds.values()].some(({ done }) => done === 10)
    );
    assertEquals(crowd.status.joined, 10);
    assertEquals(crowd.status.refused, 0);
    assertEquals(people.map(({ status }) => status.missing), [0, 0]);
    assertEquals(faults, []);
    await Promise.all([crowd, ...people].map((each) => each.close()));
    assertEquals(network.server.failures, []);
  });
}

Deno.test("S3.5: a crowd runs as a process of its own, and ends with its input", async () => {
  await using network = await roundsNetwork(1);
  const script = new URL("./crowd_process.ts", import.meta.url).pathname;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--allow-net", script],
    stdin: "piped",
    stdout: "piped",
    env: { DENO_NO_UPDATE_CHECK: "1" },
  }).spawn();
  const input = child.stdin.getWriter();
  const config = {
    hostname: "127.0.0.1",
    port: network.server.listener.port,
    server: network.mixes[0]!.certificate.bytes.toHex(),
    mixes: [],
    size: 5,
  };
  await input.write(new TextEncoder().encode(`${JSON.stringify(config)}\n`));
  let told = "";
  for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
    told = text.trim().split("\n").at(-1)!;
    if (JSON.parse(told).exchange.done >= 10) break;
  }
  const { size, joined, rounds } = JSON.parse(told);
  assertEquals([size, joined], [5, 5]);
  assert(Object.keys(rounds).length > 0);
  await input.close();
  assertEquals((await child.status).code, 0);
  await until(() => network.service.status.clients === 0);
});
