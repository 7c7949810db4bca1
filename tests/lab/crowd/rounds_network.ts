import type { NodeKeyring } from "../../../lib/identity/mod.ts";
import { MixService } from "../../../lib/mix/coordinator/mix_service.ts";
import type { MixServiceOptions } from "../../../lib/mix/coordinator/mix_service.ts";
import { SYSTEM_TIMERS } from "../../../lib/mix/mix_timers.ts";
import { MixNode } from "../../../lib/mix/node/mix_node.ts";
import { freshNodeKeyring } from "../../support/keyrings.ts";
import { testServer } from "../../support/server.ts";
import type { TestServer } from "../../support/server.ts";

/** A server with a coordinator and a chain of mixes, all in this process, on real sockets and real time. */
export interface RoundsNetwork {
  readonly server: TestServer;
  readonly service: MixService;
  readonly mixes: readonly NodeKeyring[];
  [Symbol.asyncDispose](): Promise<void>;
}

/** Raises one. Rounds are short: four of 400 ms in a run. */
export async function roundsNetwork(
  mixes: number,
  options: Partial<MixServiceOptions> = {},
): Promise<RoundsNetwork> {
  const keyrings = await Promise.all(
    Array.from({ length: mixes }, () => freshNodeKeyring()),
  );
  const { certificate } = keyrings[0]!;
  const nodes = keyrings.map((keyring) =>
    new MixNode({
      keyring,
      coordinator: certificate.fingerprint,
      noise: () => ({ mean: 4, scale: 1 }),
      timers: SYSTEM_TIMERS,
    })
  );
  const service = new MixService({
    identity: certificate,
    chain: () => Promise.resolve(nodes),
    exchange: { period: 400, count: 10 },
    dialing: { period: 1_000, count: 4, buckets: 2 },
    lead: 500,
    ahead: 1_000,
    ...options,
  });
  const server = await testServer({ node: keyrings[0]!, guests: [service] });
  return {
    server,
    service,
    mixes: keyrings,
    async [Symbol.asyncDispose]() {
      await service.stop();
      for (const node of nodes) node.stop();
      await server[Symbol.asyncDispose]();
    },
  };
}
