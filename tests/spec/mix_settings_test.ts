import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import type { NodeKeyring } from "../../lib/identity/mod.ts";
import {
  encodeSettings,
  keyOf,
  parseSettingsBody,
  parseSettingsDocument,
} from "../../lib/mix/settings/run_settings.ts";
import type { SettingsFields } from "../../lib/mix/settings/settings_fields.ts";
import {
  joinSettings,
  signSettings,
  verifySettings,
} from "../../lib/mix/settings/signed_settings.ts";
import { exportSigning, MalformedError } from "../../lib/protocol/mod.ts";
import { freshNodeKeyring } from "../support/keyrings.ts";
import {
  KIND,
  MODE,
  readSettings,
  settingsBody,
  settingsDocument,
} from "./naive_mix.ts";
import type { NaiveSettings } from "./naive_mix.ts";
import { join, random } from "./naive_primitives.ts";
import type { Octets } from "./naive_primitives.ts";

const CHAIN: readonly NodeKeyring[] = [
  await freshNodeKeyring(),
  await freshNodeKeyring(),
  await freshNodeKeyring(),
];
const SEEDS = await Promise.all(
  CHAIN.map(({ signing }) => exportSigning(signing)),
);

/** Runs of both kinds and modes, through chains of one to three. */
const RUNS: readonly NaiveSettings[] = [
  run(KIND.exchange, MODE.rounds, 15, 3),
  run(KIND.exchange, MODE.circuits, 512, 2),
  run(KIND.dialing, MODE.rounds, 512, 1),
  run(KIND.dialing, MODE.circuits, 1, 3),
];

function run(
  kind: number,
  mode: number,
  count: number,
  chain: number,
): NaiveSettings {
  const keys = mode === MODE.circuits ? 1 : count;
  return {
    coordinator: CHAIN[0]!.certificate.fingerprint,
    kind,
    mode,
    first: 1_800_000_000_000,
    count,
    period: 2_000,
    window: 1_200,
    slots: kind === KIND.exchange ? 3 : 1,
    buckets: kind === KIND.exchange ? 0 : 77,
    mixes: CHAIN.slice(0, chain).map(({ certificate }, i) => ({
      fingerprint: certificate.fingerprint,
      mean: 3_000 * i,
      scale: 150 * i,
      keys: Array.from({ length: keys }, () => random(32)),
    })),
  };
}

function ours(settings: NaiveSettings): SettingsFields {
  const { kind, mode, mixes, ...rest } = settings;
  return {
    ...rest,
    kind: kind as SettingsFields["kind"],
    mode: mode as SettingsFields["mode"],
    mixes: mixes.map(({ fingerprint, mean, scale, keys }) => ({
      fingerprint,
      noise: { mean, scale },
      onionKeys: keys,
    })),
  };
}

function signingKeyOf(fingerprint: Octets): Octets | undefined {
  return certificateOf(fingerprint)?.signingKey;
}

function certificateOf(fingerprint: Octets) {
  return CHAIN.map(({ certificate }) => certificate)
    .find((each) => each.fingerprint.toHex() === fingerprint.toHex());
}

Deno.test("SPEC.md §13.2: settings written from the text are ours, byte by byte, and say the same", async () => {
  for (const settings of RUNS) {
    const body = settingsBody(settings);
    assertEquals(body, encodeSettings(ours(settings)));
    assertEquals(parseSettingsBody(body), { ...ours(settings), body });
    const document = settingsDocument(
      settings,
      SEEDS.slice(0, settings.mixes.length),
    );
    const signatures = await Promise.all(
      settings.mixes.map((_, i) => signSettings(body, CHAIN[i]!)),
    );
    assertEquals(joinSettings(body, signatures), document);
    const read = await verifySettings(document, certificateOf);
    assertEquals(read, { ...ours(settings), body });
    assertEquals(readSettings(document, signingKeyOf), settings);
    const last = settings.count - 1;
    const { keys } = settings.mixes.at(-1)!;
    assertEquals(keyOf(read, settings.mixes.length - 1, last), keys.at(-1));
  }
});

Deno.test("SPEC.md §13.2: neither takes settings that another one takes not", async () => {
  const settings = RUNS[0]!;
  const document = settingsDocument(settings, SEEDS);
  const [first, second, third] = settings.mixes;
  const altered = (change: (bytes: Octets) => void) => {
    const bytes = document.slice();
    change(bytes);
    return bytes;
  };
  const signed = (changes: Partial<NaiveSettings>, seeds = SEEDS) =>
    settingsDocument({ ...settings, ...changes }, seeds);
  const bad: Readonly<Record<string, Octets>> = {
    "a bit of the body": altered((bytes) => bytes[100]! ^= 1),
    "a bit of the last signature": altered((bytes) =>
      bytes[bytes.length - 2]! ^= 1
    ),
    "one signature less": document.slice(0, -64),
    "one byte more": join(document, new Uint8Array(1)),
    "signatures in another order": signed({}, SEEDS.toReversed()),
    "version 2": altered((bytes) => bytes[0] = 2),
    "kind 3": signed({ kind: 3 }),
    "mode 2": signed({ mode: 2 }),
    "buckets of an exchange": signed({ buckets: 1 }),
    "no buckets to dial": signed({ kind: KIND.dialing }),
    "no round": signed({
      count: 0,
      mixes: settings.mixes.map((mix) => ({ ...mix, keys: [] })),
    }),
    "no mix": signed({ mixes: [] }, []),
    "a mix twice": signed(
      { mixes: [first!, second!, first!] },
      [SEEDS[0]!, SEEDS[1]!, SEEDS[0]!],
    ),
    "a mix that nobody knows": signed({
      mixes: [first!, second!, { ...third!, fingerprint: random(32) }],
    }),
  };
  for (const [what, bytes] of Object.entries(bad)) {
    await assertRejects(
      () => verifySettings(bytes, certificateOf),
      Error,
      "Cannot",
      what,
    );
    assertThrows(
      () => readSettings(bytes, signingKeyOf),
      Error,
      undefined,
      what,
    );
  }
});

Deno.test("SPEC.md §13.2: a document of 64 KiB is no document", () => {
  const place = run(KIND.exchange, MODE.rounds, 500, 1).mixes[0]!;
  const long = (count: number) =>
    settingsDocument({
      ...run(KIND.exchange, MODE.rounds, count, 1),
      mixes: Array.from({ length: 4 }, () => ({
        ...place,
        fingerprint: random(32),
        keys: Array.from({ length: count }, () => random(32)),
      })),
    }, Array<Octets>(4).fill(SEEDS[0]!));
  for (const [count, fits] of [[508, true], [509, false]] as const) {
    const document = long(count);
    assertEquals(document.length < 65_536, fits);
    const anybody = () => CHAIN[0]!.certificate.signingKey;
    const reading = () => readSettings(document, anybody);
    const parsing = () => parseSettingsDocument(document);
    if (fits) assertEquals(reading().count, parsing().settings.count);
    else {
      assertThrows(reading);
      assertThrows(parsing, MalformedError);
    }
  }
});
