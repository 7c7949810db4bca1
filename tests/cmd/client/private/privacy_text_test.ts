import { assert, assertMatch, assertStringIncludes } from "@std/assert";
import {
  meterText,
  privacyText,
} from "../../../../cmd/client/private/privacy_text.ts";
import type { PrivacyFacts } from "../../../../cmd/client/private/privacy_text.ts";
import {
  lossAfter,
  NOISE_LEVELS,
  RoundKind,
  RunMode,
} from "../../../../lib/mix/mod.ts";
import type { ChainView } from "../../../../lib/mix/mod.ts";

const ROUNDS = 120;

function chain(mixes: number, mode: RunMode = RunMode.ROUNDS): ChainView {
  return {
    kind: RoundKind.EXCHANGE,
    mode,
    period: 2_000,
    slots: 3,
    mixes: Array.from({ length: mixes }, (_, i) => ({
      fingerprint: String(i).repeat(64),
      noise: NOISE_LEVELS.small,
    })),
  };
}

function facts(some: Partial<PrivacyFacts> = {}): PrivacyFacts {
  return {
    chain: chain(3),
    places: ["your server", "relay at 192.0.2.1:1", "relay at 192.0.2.2:2"],
    name: "bob",
    rounds: ROUNDS,
    loss: lossAfter(ROUNDS, NOISE_LEVELS.small),
    onion: false,
    generation: 2,
    missing: 0,
    ...some,
  };
}

Deno.test("S3.8: the meter says what the formula says, and what that means", () => {
  const { epsilon } = lossAfter(ROUNDS, NOISE_LEVELS.small);
  const text = meterText(facts());
  assertStringIncludes(
    text,
    `120 rounds with bob: epsilon ${Math.round(epsilon * 1_000) / 1_000}, `,
  );
  assertMatch(text, /\n.*a guess of 50 % that you talk may become \d+ %/);
  assertStringIncludes(meterText(facts({ rounds: 1 })), "1 round with bob");
  assertStringIncludes(
    meterText(facts({ loss: { epsilon: Infinity, delta: 1 } })),
    "epsilon without bound",
  );
});

Deno.test("S3.8: it says who the mixes are, what is hidden and what is not", () => {
  const text = privacyText(facts());
  assertStringIncludes(text, "1. your server aaaaaaaa  noise 3000");
  assertStringIncludes(
    text,
    "3. relay at 192.0.2.2:2 eirceirc  (the last",
  );
  assertStringIncludes(text, "as long as one of the 3 mixes is honest");
  assertStringIncludes(text, "quantum computers do not break");
  assertStringIncludes(text, "that your address takes part");
  assert(!text.includes("circuits"), text);
});

Deno.test("S3.8: the onion hides the address, and that is said", () => {
  const text = privacyText(facts({ onion: true }));
  assertStringIncludes(text, "though not from where");
  assert(!text.includes("the server sees it"), text);
});

Deno.test("S3.8: a chain of one hides nothing from the server, and that is said", () => {
  const alone = facts({ chain: chain(1), places: ["your server"] });
  assertStringIncludes(meterText(alone), "you trust the server");
  const text = privacyText(alone);
  assertStringIncludes(text, "- with whom you talk, from the server");
  assertStringIncludes(text, "everybody on the network but the server");
});

Deno.test("S3.8: circuits link the rounds of a run, and that is said", () => {
  const text = privacyText(facts({ chain: chain(3, RunMode.CIRCUITS) }));
  assertStringIncludes(text, "mode circuits");
  assertStringIncludes(text, "messages of one run are of one client");
});

Deno.test("private chat: covers that do not come back are told of", () => {
  assertStringIncludes(
    privacyText(facts({ missing: 4 })),
    "4 of your own cover",
  );
});

Deno.test("private chat: nothing is claimed before there are rounds, or somebody to talk to", () => {
  assertMatch(privacyText(facts({ chain: undefined })), /^no rounds yet/);
  assertMatch(meterText(facts({ name: undefined })), /^You talk with nobody/);
});
