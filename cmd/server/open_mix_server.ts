import type { NodeKeyring } from "../../lib/identity/mod.ts";
import { randomBelow, randomBytes } from "../../lib/protocol/mod.ts";
import type { Log } from "../log.ts";
import { dialNode } from "../network.ts";
import { MixChain } from "./mix_chain.ts";
import { MixServer } from "./mix_server.ts";
import type { MixSettings } from "./mix_settings.ts";
import type { ServerNetwork } from "./server_network.ts";

export { mixSettingsOf } from "./mix_settings.ts";

/** The rounds of a server; `network` must be there if its chain has more mixes than itself. */
export function openMixServer(
  node: NodeKeyring,
  settings: MixSettings,
  network: ServerNetwork | undefined,
  log: Log,
): MixServer {
  const { mixes, chain: named } = settings;
  const further = mixes === 1 || network === undefined
    ? undefined
    : new MixChain({
      node,
      directory: network.directory,
      count: mixes - 1,
      named,
      dial: ({ descriptor: { address } }, stop) => dialNode(address, stop),
      draw: (limit) => randomBelow(limit, randomBytes),
      log,
    });
  return new MixServer({ node, settings, further, log });
}
