import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import {
  codeSecret,
  formatOffer,
  formatShareCode,
  newShareCode,
  parseOffer,
  parseShareCode,
} from "../../lib/transfer/mod.ts";
import type { Offer } from "../../lib/transfer/mod.ts";
import {
  codeWords,
  readOffer,
  secretOfCode,
  writeOffer,
} from "./naive_offer.ts";
import type { NaiveOffer } from "./naive_offer.ts";
import { random } from "./naive_primitives.ts";

const KINDS = ["file", "directory", "several"] as const;
/** The latest time that the library can show (ECMA-262 §21.4.1.1). */
const TIME_LIMIT = 8_640_000_000_000_000;

const offers: fc.Arbitrary<NaiveOffer> = fc.record({
  kind: fc.nat(2),
  secret: fc.constant(null).map(() => random(32)),
  size: fc.maxSafeNat(),
  entries: fc.nat(0xffff_ffff),
  expires: fc.nat(TIME_LIMIT),
  name: fc.constantFrom("a", "report.pdf", "ü\u{1f600}", "x".repeat(255)),
});

function ours({ kind, expires, ...rest }: NaiveOffer): Offer {
  return { ...rest, kind: KINDS[kind]!, expiresAt: expires };
}

Deno.test("SPEC.md §10.9: offers are those of the text, in both directions", () => {
  fc.assert(fc.property(offers, (offer) => {
    const text = writeOffer(offer);
    assertEquals(formatOffer(ours(offer)), text);
    assertEquals(parseOffer(text), ours(offer));
    assertEquals(readOffer(text), offer);
  }));
});

Deno.test("SPEC.md §10.9: whatever is changed in an offer, text and library take or refuse it alike", () => {
  const alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/.:";
  let [taken, refused] = [0, 0];
  fc.assert(
    fc.property(
      offers,
      fc.nat(),
      fc.constantFrom(...alphabet),
      fc.nat(4),
      (offer, at, character, cut) => {
        const text = writeOffer(offer);
        const i = at % text.length;
        const changed = (text.slice(0, i) + character + text.slice(i + 1))
          .slice(0, text.length - Math.max(0, cut - 2));
        let theirs: NaiveOffer | undefined;
        try {
          theirs = readOffer(changed);
        } catch {
          theirs = undefined;
        }
        assertEquals(parseOffer(changed), theirs && ours(theirs), changed);
        theirs === undefined ? refused++ : taken++;
      },
    ),
    { numRuns: 1_000 },
  );
  assert(taken > 50 && refused > 50, `${taken} taken, ${refused} refused`);
});

Deno.test("SPEC.md §10.10: codes give the secret of the text, however they are typed", async () => {
  const code = newShareCode("[::1]:7607");
  const written = formatShareCode(code);
  assertEquals(codeWords(written), code.words);
  const typed = `[::1]:7607/${code.words.join(" ").toUpperCase()}`;
  assertEquals(parseShareCode(typed).words, codeWords(typed));
  const secret = await secretOfCode(typed);
  assertEquals(await codeSecret(code), secret);
  assertEquals(await codeSecret(parseShareCode(typed)), secret);
  for (
    const bad of [
      code.words.slice(1).join("-"),
      [...code.words, "abandon"].join("-"),
      code.words.with(3, "sotto").join("-"),
      "",
    ]
  ) {
    assertThrows(() => codeWords(bad));
    assertThrows(() => parseShareCode(bad));
  }
});
