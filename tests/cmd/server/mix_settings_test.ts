import { assertEquals, assertThrows } from "@std/assert";
import { UsageError } from "../../../cmd/errors.ts";
import { parseFlags } from "../../../cmd/flags.ts";
import { noiseOf, parseMixNoise } from "../../../cmd/mix_noise.ts";
import {
  FLAGS as RELAY_FLAGS,
  settingsOf as relaySettingsOf,
} from "../../../cmd/relay/settings.ts";
import { mixSettingsOf } from "../../../cmd/server/mix_settings.ts";
import { FLAGS, settingsOf } from "../../../cmd/server/settings.ts";
import { formatFingerprint } from "../../../lib/identity/mod.ts";
import { NOISE_LEVELS, RoundKind, RunMode } from "../../../lib/mix/mod.ts";

const PRINT = new Uint8Array(32).fill(7);
const NAME = formatFingerprint(PRINT, "");
const OTHER = new Uint8Array(32).fill(8);
const OTHER_NAME = formatFingerprint(OTHER, "");

function mix(...args: string[]) {
  return mixSettingsOf(parseFlags(args, FLAGS).flags);
}

function server(...args: string[]) {
  return settingsOf(parseFlags(args, FLAGS).flags);
}

function relay(...args: string[]) {
  return relaySettingsOf(parseFlags(args, RELAY_FLAGS).flags).mix;
}

Deno.test("mix settings: a server is a chain of one unless told otherwise", () => {
  assertEquals(mix(), {
    mixes: 1,
    chain: undefined,
    period: 2_000,
    noise: NOISE_LEVELS.small,
    mode: RunMode.ROUNDS,
    slots: 3,
    clients: 10_000,
  });
  assertEquals([server().mixes, server().mixesWithRelays], [true, false]);
  assertEquals(server("--no-mix").mixes, false);
});

Deno.test("mix settings: who offers no rounds is not told how they go", () => {
  for (
    const args of [
      ["--mixes", "3"],
      ["--mixes", "3", "--controller", `sotto://${NAME}@127.0.0.1:1`],
      ["--mix-chain", NAME],
      ["--mix-noise", "lab"],
      ["--mix-round", "2s"],
    ]
  ) {
    assertThrows(
      () => server("--no-mix", ...args),
      UsageError,
      `--no-mix and ${args[0]} exclude each other`,
    );
  }
});

Deno.test("mix settings: what flags say", () => {
  const settings = mix(
    ...["--mixes", "8", "--mix-round", "200ms", "--mix-slots", "16"],
    ...["--mix-mode", "circuits", "--mix-clients", "5", "--mix-noise", "7,2"],
  );
  assertEquals(settings, {
    mixes: 8,
    chain: undefined,
    period: 200,
    noise: { mean: 7, scale: 2 },
    mode: RunMode.CIRCUITS,
    slots: 16,
    clients: 5,
  });
  const named = mix("--mix-chain", NAME, "--mix-chain", OTHER_NAME);
  assertEquals([named.mixes, named.chain], [3, [PRINT, OTHER]]);
  assertEquals(mix("--mixes", "2", "--mix-chain", NAME).mixes, 2);
  assertEquals(server("--mixes", "2").mixesWithRelays, true);
  assertEquals(server("--mix-chain", NAME).mixesWithRelays, true);
});

Deno.test("mix settings: what cannot be", () => {
  for (
    const args of [
      ["--mixes", "0"],
      ["--mixes", "9"],
      ["--mixes", "3", "--mix-chain", NAME],
      ["--mix-chain", "nobody"],
      ["--mix-chain", NAME, "--mix-chain", NAME],
      ["--mix-chain", NAME, "--mix-chain", NAME.toUpperCase()],
      ["--mix-round", "199ms"],
      ["--mix-round", "601s"],
      ["--mix-round", "often"],
      ["--mix-slots", "0"],
      ["--mix-slots", "17"],
      ["--mix-mode", "triangles"],
      ["--mix-clients", "0"],
      ["--mix-noise", "loud"],
    ]
  ) assertThrows(() => mix(...args), UsageError, undefined, args.join(" "));
});

Deno.test("mix settings: controllers are for those who need relays", () => {
  const address = `sotto://${NAME}@127.0.0.1:1`;
  assertThrows(
    () => server("--controller", address),
    UsageError,
    "--controller and --quorum are for --onion or --mixes",
  );
  server("--controller", address, "--mixes", "2");
  server("--controller", address, "--onion");
});

Deno.test("mix settings: a relay is a mix if it says so", () => {
  assertEquals(relay(), undefined);
  assertEquals(relay("--mix"), {
    coordinators: [],
    noise: NOISE_LEVELS.small,
  });
  assertEquals(relay("--mix", "--mix-for", NAME, "--mix-noise", "none"), {
    coordinators: [PRINT],
    noise: NOISE_LEVELS.none,
  });
  for (
    const args of [
      ["--mix-for", NAME],
      ["--mix-noise", "lab"],
      ["--mix", "--mix-for", "nobody"],
    ]
  ) assertThrows(() => relay(...args), UsageError, undefined, args.join(" "));
});

Deno.test("mix noise: levels by name and by number", () => {
  for (const [name, level] of Object.entries(NOISE_LEVELS)) {
    assertEquals(parseMixNoise(name), level);
  }
  assertEquals(parseMixNoise("0,0"), { mean: 0, scale: 0 });
  assertEquals(parseMixNoise("1000000,100000"), {
    mean: 1_000_000,
    scale: 100_000,
  });
  for (
    const text of ["", "3000", "1,0", "1000001,1", "1,100001", "-1,1", "1.5,1"]
  ) assertThrows(() => parseMixNoise(text), UsageError, text);
});

Deno.test("mix noise: calls are rarer than texts, and get a tenth", () => {
  const level = { mean: 3_001, scale: 155 };
  assertEquals(noiseOf(level, RoundKind.EXCHANGE), level);
  assertEquals(noiseOf(level, RoundKind.DIALING), { mean: 301, scale: 16 });
  assertEquals(noiseOf({ mean: 0, scale: 0 }, RoundKind.DIALING), {
    mean: 0,
    scale: 0,
  });
});
