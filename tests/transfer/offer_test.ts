import { assertEquals } from "@std/assert";
import { randomBytes } from "../../lib/protocol/mod.ts";
import { formatOffer, parseOffer } from "../../lib/transfer/mod.ts";
import type { Offer } from "../../lib/transfer/mod.ts";

const OFFER: Offer = {
  secret: randomBytes(32),
  kind: "directory",
  name: "фото",
  size: 2 ** 40 + 1,
  entries: 7,
  expiresAt: 8.64e15,
};

Deno.test("offer: what is written is read", () => {
  for (const kind of ["file", "directory", "several"] as const) {
    const offer = { ...OFFER, kind };
    assertEquals(parseOffer(formatOffer(offer)), offer);
  }
});

Deno.test("offer: a time that no date has is none, and so are names that deceive", () => {
  assertEquals(
    parseOffer(formatOffer({ ...OFFER, expiresAt: 8.64e15 + 1 })),
    undefined,
  );
  const names = ["", ".", "..", "a/b", "/a", "a\0", "\u202etxt.exe", "a\nb"];
  for (const name of names) {
    assertEquals(parseOffer(formatOffer({ ...OFFER, name })), undefined);
  }
});

Deno.test("offer: an ordinary text is none, and an offer is written in one way only", () => {
  const text = formatOffer(OFFER);
  for (
    const other of [
      "hello",
      "sotto-file:",
      "sotto-file:????",
      ` ${text}`,
      `${text}=`,
      `${text} `,
      text.slice(0, -1),
      text.replace("sotto-file:", "sotto-file: "),
      text.replace("sotto-file:A", "sotto-file:B"),
    ]
  ) {
    assertEquals(parseOffer(other), undefined, other);
  }
});
