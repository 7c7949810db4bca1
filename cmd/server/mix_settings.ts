import { CHAIN_LIMIT, RunMode } from "../../lib/mix/mod.ts";
import type { NoiseLevel } from "../../lib/mix/mod.ts";
import type { Bytes } from "../../lib/protocol/mod.ts";
import { parseChoice } from "../choice.ts";
import { countOf } from "../count.ts";
import { parseDuration } from "../duration.ts";
import { UsageError } from "../errors.ts";
import { parseFingerprintFlag } from "../fingerprint_flag.ts";
import { parseMixNoise } from "../mix_noise.ts";
import type { MixFlags } from "./mix_flags.ts";

/** What a server does for rounds. */
export interface MixSettings {
  /** Mixes in the chain, the server included. */
  readonly mixes: number;
  /** Fingerprints (32 bytes) of the mixes behind the server in their order; `undefined` if it chooses. */
  readonly chain: readonly Bytes[] | undefined;
  /** From one exchange round to the next, in milliseconds. */
  readonly period: number;
  /** What the server adds to rounds if the chain goes on behind it. */
  readonly noise: NoiseLevel;
  /** How layers are keyed. */
  readonly mode: RunMode;
  /** Onions that each client hands in, in every round. */
  readonly slots: number;
  /** Clients that may take part at once. */
  readonly clients: number;
}

const MOST_SLOTS = 16;
const CLIENTS = 10_000;
const SHORTEST = 200;
const LONGEST = 600_000;
const RELAY_HINT =
  "--mix-chain takes the fingerprint of a relay that runs with --mix";

/** @throws {UsageError} if a flag cannot be what it is. */
export function mixSettingsOf(flags: MixFlags): MixSettings {
  const named = flags["mix-chain"];
  const mixes = countOf("--mixes", flags.mixes, 1 + named.length);
  if (named.length > 0 && mixes !== 1 + named.length) {
    throw new UsageError("--mixes and --mix-chain do not fit together", {
      hint: "--mix-chain names all mixes but this server, in their order",
    });
  }
  const chain = named.map((each) => parseFingerprintFlag(each, RELAY_HINT));
  if (new Set(chain.map((each) => each.toHex())).size < chain.length) {
    throw new UsageError("--mix-chain names a relay twice");
  }
  if (mixes > CHAIN_LIMIT) {
    throw new UsageError(`a chain has at most ${CHAIN_LIMIT} mixes`);
  }
  const period = flags["mix-round"] === undefined
    ? 2_000
    : parseDuration(flags["mix-round"]);
  if (period < SHORTEST || period > LONGEST) {
    throw new UsageError("--mix-round is out of its range", {
      hint: "200ms to 10m",
    });
  }
  const slots = countOf("--mix-slots", flags["mix-slots"], 3);
  if (slots > MOST_SLOTS) {
    throw new UsageError(`--mix-slots is at most ${MOST_SLOTS}`);
  }
  const mode = parseChoice("--mix-mode", flags["mix-mode"] ?? "rounds", [
    "rounds",
    "circuits",
  ]);
  return {
    mixes,
    chain: chain.length === 0 ? undefined : chain,
    period,
    noise: parseMixNoise(flags["mix-noise"]),
    mode: mode === "rounds" ? RunMode.ROUNDS : RunMode.CIRCUITS,
    slots,
    clients: countOf("--mix-clients", flags["mix-clients"], CLIENTS),
  };
}
