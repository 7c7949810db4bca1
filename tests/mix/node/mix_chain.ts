import { assertEquals } from "@std/assert";
import type { NodeKeyring } from "../../../lib/identity/mod.ts";
import { ClientCircuit, wrapOnion } from "../../../lib/mix/layer/mod.ts";
import type { WrappedOnion } from "../../../lib/mix/layer/mod.ts";
import type { MixPeer } from "../../../lib/mix/mix_peer.ts";
import { MixNode } from "../../../lib/mix/node/mix_node.ts";
import type { MixNodeOptions } from "../../../lib/mix/node/mix_node.ts";
import type { NoiseLevel } from "../../../lib/mix/noise/noise_level.ts";
import { RoundKind, RunMode } from "../../../lib/mix/round.ts";
import type { RoundId } from "../../../lib/mix/round.ts";
import {
  encodeSettings,
  keyOf,
} from "../../../lib/mix/settings/run_settings.ts";
import { parseSettingsBody } from "../../../lib/mix/settings/run_settings.ts";
import type { RunSettings } from "../../../lib/mix/settings/run_settings.ts";
import type { SettingsFields } from "../../../lib/mix/settings/settings_fields.ts";
import {
  joinSettings,
  verifySettings,
} from "../../../lib/mix/settings/signed_settings.ts";
import { DIAL_BYTES, EXCHANGE_BYTES } from "../../../lib/mix/sizes.ts";
import { concat, randomBytes } from "../../../lib/protocol/mod.ts";
import type { Bytes } from "../../../lib/protocol/mod.ts";
import { freshNodeKeyring } from "../../support/keyrings.ts";
import { VirtualTimers } from "../../support/virtual_timers.ts";

/** When the runs of tests begin. */
export const FIRST = 1_800_000_000_000;

const KEYRINGS: Promise<NodeKeyring>[] = [];

/** The keyring of the mix at a place, the same at every call of a test file. */
export function mixKeyring(place: number): Promise<NodeKeyring> {
  return KEYRINGS[place] ??= freshNodeKeyring();
}

/** Noise that is so little that nobody waits for it. */
export const LITTLE: NoiseLevel = { mean: 3, scale: 1 };

/** A chain of mixes, and a coordinator that does what it should unless a test does otherwise. */
export class MixChain {
  readonly timers = new VirtualTimers(FIRST - 8_000);
  /** Fingerprint of the coordinator. */
  readonly coordinator: Bytes;
  readonly nodes: MixNode[] = [];
  /** As the coordinator sees the nodes. */
  peers: MixPeer[] = [];
  #runs = 0;

  constructor(coordinator: Bytes = randomBytes(32)) {
    this.coordinator = coordinator;
  }

  /** Makes so many mixes. */
  static async of(
    mixes: number,
    options: Partial<MixNodeOptions> = {},
  ): Promise<MixChain> {
    const chain = new MixChain();
    for (let place = 0; place < mixes; place++) {
      const node = new MixNode({
        keyring: await mixKeyring(place),
        coordinator: chain.coordinator,
        noise: () => LITTLE,
        timers: chain.timers,
        ...options,
      });
      chain.nodes.push(node);
      chain.peers.push(node);
    }
    return chain;
  }

  /** Fields of settings of a run that every mix has prepared. */
  async prepared(
    changes: Partial<SettingsFields> = {},
  ): Promise<SettingsFields> {
    const run = {
      kind: RoundKind.EXCHANGE,
      mode: RunMode.ROUNDS,
      first: FIRST + this.#runs++ * 6_000,
      count: 3,
      period: 2_000,
      ...changes,
    };
    const offers = await Promise.all(
      this.peers.map((peer) => peer.prepare(run)),
    );
    return {
      coordinator: this.coordinator,
      window: 1_200,
      slots: 3,
      buckets: run.kind === RoundKind.DIALING ? 4 : 0,
      mixes: offers.map((offer, place) => ({
        fingerprint: this.peers[place]!.identity.fingerprint,
        ...offer,
      })),
      ...run,
    };
  }

  /** Settings of a run that every mix has signed, verified as clients do. */
  async run(changes: Partial<SettingsFields> = {}): Promise<RunSettings> {
    const body = encodeSettings(await this.prepared(changes));
    const signatures = await Promise.all(
      this.peers.map((peer) => peer.sign(body)),
    );
    const settings = await verifySettings(
      joinSettings(body, signatures),
      (fingerprint) =>
        this.peers.map(({ identity }) => identity).find((identity) =>
          identity.fingerprint.toHex() === fingerprint.toHex()
        ),
    );
    assertEquals(settings, parseSettingsBody(body));
    return settings;
  }

  /** Takes onions forth through the chain; what the last mix gives. */
  async forth(
    round: RoundId,
    onions: Bytes,
    step: (batch: Bytes, place: number) => Bytes = (batch) => batch,
  ): Promise<Bytes> {
    let batch = onions;
    for (const [place, peer] of this.peers.entries()) {
      await peer.add(round, batch);
      batch = step(await peer.close(round), place);
    }
    return batch;
  }

  /** Takes the last mix's replies back; the replies to what was added. */
  async back(
    round: RoundId,
    replies: Bytes,
    step: (batch: Bytes, place: number) => Bytes = (batch) => batch,
  ): Promise<Bytes> {
    let batch = replies;
    for (const [place, peer] of [...this.peers.entries()].reverse()) {
      if (place === this.peers.length - 1) continue;
      batch = step(await peer.answer(round, batch), place);
    }
    return batch;
  }

  /** Takes onions there and back. */
  async through(round: RoundId, onions: Bytes): Promise<Bytes> {
    return await this.back(round, await this.forth(round, onions));
  }

  /** Asserts that no mix holds anything any more. */
  assertNothingLeft(): void {
    const nothing = {
      prepared: 0,
      runs: 0,
      rounds: 0,
      keys: 0,
      circuits: 0,
      noise: 0,
    };
    for (const { status } of this.nodes) assertEquals(status, nothing);
    assertEquals(this.timers.waiting, 0);
  }

  /** Erases everything; what is being made in the background ends. */
  async stop(): Promise<void> {
    const stopping = this.nodes.map((node) => node.stop());
    this.assertNothingLeft();
    await Promise.all(stopping);
  }
}

/** The round of a run with an index. */
export function roundOf(settings: RunSettings, index = 0): RoundId {
  const { kind, first, period } = settings;
  return { kind, start: first + index * period };
}

/** The onion keys of the whole chain in a round. */
export function keysAt(settings: RunSettings, index = 0): Bytes[] {
  return settings.mixes.map((_, place) => keyOf(settings, place, index));
}

/** Onions of clients in a run of its own keys per round. */
export function wrapAll(
  settings: RunSettings,
  payloads: readonly Bytes[],
  index = 0,
): Promise<WrappedOnion[]> {
  return Promise.all(
    payloads.map((payload) =>
      wrapOnion(payload, keysAt(settings, index), roundOf(settings, index))
    ),
  );
}

/** Circuits of clients through a chain that has set them up. */
export async function circuitsThrough(
  chain: MixChain,
  settings: RunSettings,
  count: number,
): Promise<ClientCircuit[]> {
  const round = roundOf(settings);
  const setUps = await Promise.all(
    Array.from(
      { length: count },
      () => ClientCircuit.setUp(keysAt(settings), round),
    ),
  );
  const onions = concat(...setUps.map(({ onion }) => onion));
  if (settings.kind === RoundKind.DIALING) {
    await chain.forth(round, onions);
  } else {
    const replies = await opened(setUps, await chain.through(round, onions));
    assertEquals(replies, setUps.map(() => new Uint8Array(0)));
  }
  return setUps.map(({ circuit }) => circuit);
}

/** What the last mix has given each of the clients; `undefined` where the reply does not open. */
export async function opened(
  onions: readonly WrappedOnion[],
  replies: Bytes,
): Promise<(Bytes | undefined)[]> {
  const size = replies.length / onions.length;
  return await Promise.all(
    onions.map(({ openReply }, i) =>
      openReply(replies.slice(i * size, (i + 1) * size)).catch(() => undefined)
    ),
  );
}

/** All of them, one behind the other. */
export function flat(onions: readonly WrappedOnion[]): Bytes {
  return concat(...onions.map(({ onion }) => onion));
}

/** So many payloads, of which the first two, the next two, and so on are at one drop. */
export function pairedPayloads(count: number): Bytes[] {
  const payloads = Array.from(
    { length: count },
    () => randomBytes(EXCHANGE_BYTES),
  );
  for (let i = 0; i + 1 < count; i += 2) {
    payloads[i + 1]!.set(payloads[i]!.subarray(0, 16));
  }
  return payloads;
}

/** What each of `pairedPayloads` gets. */
export function pairedReplies(payloads: readonly Bytes[]): Bytes[] {
  return payloads.map((_, i) => (payloads[i ^ 1] ?? payloads[i]!).slice(16));
}

/** A token for a bucket, as it reaches the last mix. */
export function dialPayload(bucket: number, token: Bytes): Bytes {
  const payload = new Uint8Array(DIAL_BYTES);
  new DataView(payload.buffer).setUint32(0, bucket);
  payload.set(token, 4);
  return payload;
}
