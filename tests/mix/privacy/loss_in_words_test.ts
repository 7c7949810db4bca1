import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { NOISE_LEVELS } from "../../../lib/mix/noise/noise_level.ts";
import { lossAfter } from "../../../lib/mix/privacy/budget.ts";
import {
  isWorthless,
  lossInWords,
} from "../../../lib/mix/privacy/loss_in_words.ts";

Deno.test("S3.6: the meter says in words what a loss means", () => {
  for (
    const [epsilon, delta, words] of [
      [0, 0, "Nothing has been learnt yet"],
      [
        0.01,
        1e-9,
        "by 1.02 at most: a guess of 50 % that you talk may become 51 %, except once in 1,000,000,000 cases.",
      ],
      [
        0.62,
        1.2e-5,
        "by 1.86 at most: a guess of 50 % that you talk may become 66 %, except once in 50,000 cases.",
      ],
      [
        Math.LN2,
        0,
        "by 2.00 at most: a guess of 50 % that you talk may become 67 %.",
      ],
      [
        3,
        0.01,
        "by 20.09 at most: a guess of 50 % that you talk may become 96 %, except once in 100 cases.",
      ],
      [3.001, 1e-5, "This is worth little or nothing by now"],
      [4, 1e-5, "a guess of 50 % that you talk may become 99 %."],
      [5, 1e-5, "a guess of 50 % that you talk may become more than 99 %."],
      [1_000, 1e-5, "a guess of 50 % that you talk may become more than 99 %."],
      [0.5, 0.02, "This is worth nothing: with a chance of 2 %"],
      [0.5, 0.999, "with a chance of more than 99 %"],
      [4, 1, "with a chance of 100 %"],
      [Infinity, 1, "they add no noise"],
    ] as const
  ) {
    const said = lossInWords({ epsilon, delta });
    assert(said.includes(words), said);
  }
});

Deno.test("S3.6: what is worthless is called so, and nothing else", () => {
  for (
    const [epsilon, delta, expected] of [
      [0, 0, false],
      [3, 0.01, false],
      [3.0001, 0, true],
      [0, 0.010001, true],
      [Infinity, 1, true],
      [NaN, 0, true],
      [0, NaN, true],
    ] as const
  ) {
    assertEquals(isWorthless({ epsilon, delta }), expected);
  }
  // The levels, after half an hour of talking.
  const judged = Object.entries(NOISE_LEVELS).map((
    [name, level],
  ) => [name, isWorthless(lossAfter(1_000, level))]);
  assertEquals(Object.fromEntries(judged), {
    none: true,
    lab: true,
    small: true,
    strong: false,
  });
});

Deno.test("S3.6: every loss is one sentence, and no number in it promises more than the loss", () => {
  fc.assert(fc.property(
    fc.double({ min: 1e-6, max: 20, noNaN: true }),
    fc.double({ min: 1e-12, max: 1, noNaN: true }),
    (epsilon, delta) => {
      const words = lossInWords({ epsilon, delta });
      assertEquals(words.match(/\.(?!\d)/g)?.length, 1);
      assert(words.endsWith("."));
      assertEquals(/worth/.test(words), isWorthless({ epsilon, delta }));
      const [, factor] = /by ([\d.]+) at/.exec(words) ?? [];
      if (factor !== undefined) {
        assert(Number(factor) >= Math.exp(epsilon));
        assert(Number(factor) < Math.exp(epsilon) + 0.0101);
      }
      const [, percent] = /become (\d+) %/.exec(words) ?? [];
      if (percent !== undefined) {
        const guess = 100 / (1 + Math.exp(-epsilon));
        assert(Number(percent) >= guess && Number(percent) < guess + 1);
      }
      const [, cases] = /in ([\d,]+) cases/.exec(words) ?? [];
      if (cases !== undefined) {
        const often = Number(cases.replaceAll(",", ""));
        assert(often <= 1 / delta && (often > 0.39 / delta || often === 1e9));
      }
    },
  ));
});
