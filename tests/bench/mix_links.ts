import type { NodeCertificate, NodeKeyring } from "../../lib/identity/mod.ts";
import { parseNodeCertificate } from "../../lib/identity/mod.ts";
import { SYSTEM_TIMERS } from "../../lib/mix/mix_timers.ts";
import { MixLink } from "../../lib/mix/node/mix_link.ts";
import type { IdentityOf } from "../../lib/mix/settings/signed_settings.ts";
import { dial } from "../../lib/net/mod.ts";
import { numberOf, textOf } from "./subprocess.ts";
import type { Json } from "./subprocess.ts";

/** What a process said that is to be connected to. */
export interface Node {
  readonly port: number;
  readonly certificate: NodeCertificate;
}

/** Reads what `mix_host_process.ts` or `mix_entry_process.ts` said. */
export async function parseNode(said: Json): Promise<Node> {
  return {
    port: numberOf(said, "port"),
    certificate: await parseNodeCertificate(
      Uint8Array.fromBase64(textOf(said, "certificate")),
    ),
  };
}

/** Reads a list of what such processes said. */
export async function parseNodes(said: unknown): Promise<Node[]> {
  if (!Array.isArray(said)) throw new TypeError("Cannot read mixes: no list");
  return await Promise.all(said.map(parseNode));
}

/** Connections of a coordinator to mixes that are processes of their own. */
export async function linkAll(
  mixes: readonly Node[],
  keyring: NodeKeyring,
): Promise<MixLink[]> {
  return await Promise.all(
    mixes.map(async ({ port, certificate }) =>
      await MixLink.open(await dial({ hostname: "127.0.0.1", port }), {
        mix: certificate,
        keyring,
        timers: SYSTEM_TIMERS,
      })
    ),
  );
}

/** Whom a client accepts in a chain: these. */
export function identitiesOf(nodes: readonly Node[]): IdentityOf {
  const known = new Map(
    nodes.map(({ certificate }) =>
      [certificate.fingerprint.toHex(), certificate] as const
    ),
  );
  return (fingerprint) => known.get(fingerprint.toHex());
}
