/**
 * A mix behind a port, as a relay is one. It says its port and its certificate; told so (`noise`, with
 * `mean` and `scale`), it offers other noise for the runs that are prepared from then on.
 *
 * @module
 */
import { mixEngines } from "../../cmd/mix_engines.ts";
import { MixHost } from "../../lib/mix/node/mix_host.ts";
import { SYSTEM_TIMERS } from "../../lib/mix/mix_timers.ts";
import { NOISE_LEVELS } from "../../lib/mix/noise/noise_level.ts";
import { listen } from "../../lib/net/mod.ts";
import type { Incoming } from "../../lib/net/mod.ts";
import { grantLink } from "../../lib/onion/link/link_commands.ts";
import { answer } from "../../lib/protocol/mod.ts";
import { freshNodeKeyring } from "../support/keyrings.ts";
import { answerQuestions, numberOf } from "./subprocess.ts";

const LIMITS = {
  connections: 64,
  perAddress: 64,
  rate: { perSecond: 1_000, burst: 1_000 },
};

if (import.meta.main) await main();

async function main(): Promise<void> {
  const keyring = await freshNodeKeyring();
  const { certificate, dh } = keyring;
  let noise = NOISE_LEVELS.lab;
  const host = new MixHost({
    keyring,
    coordinators: "any",
    noise: () => noise,
    engines: mixEngines(),
    timers: SYSTEM_TIMERS,
  });
  const serve = async (incoming: Incoming) => {
    const channel = await answer(incoming, {
      static: dh,
      certificate: certificate.bytes,
    });
    if (channel === undefined) return;
    const first = await grantLink(channel, host);
    if (first === undefined || first === "link") return;
    await host.welcome(channel, first, incoming);
  };
  const listener = listen(
    { hostname: "127.0.0.1", port: 0 },
    LIMITS,
    serve,
    () => {/* a coordinator of a benchmark leaves without a word */},
  );
  await answerQuestions(
    { port: listener.port, certificate: certificate.bytes.toBase64() },
    (question) => {
      noise = {
        mean: numberOf(question, "mean"),
        scale: numberOf(question, "scale"),
      };
      return Promise.resolve({});
    },
  );
  await host.stop();
  await listener.close();
}
