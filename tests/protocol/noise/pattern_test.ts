import { assertEquals, assertThrows } from "@std/assert";
import { patternOf } from "../../../lib/protocol/noise/pattern.ts";

// As Noise rev 34 §7.4 and §7.5 print them, and NK with the hybrid tokens of HFS.
const PRINTED: Readonly<Record<string, string>> = {
  N: "<- s ... -> e, es",
  K: "-> s, <- s ... -> e, es, ss",
  X: "<- s ... -> e, es, s, ss",
  NN: "-> e, <- e, ee",
  NK: "<- s ... -> e, es, <- e, ee",
  NX: "-> e, <- e, ee, s, es",
  KN: "-> s ... -> e, <- e, ee, se",
  KK: "-> s, <- s ... -> e, es, ss, <- e, ee, se",
  KX: "-> s ... -> e, <- e, ee, se, s, es",
  XN: "-> e, <- e, ee, -> s, se",
  XK: "<- s ... -> e, es, <- e, ee, -> s, se",
  XX: "-> e, <- e, ee, s, es, -> s, se",
  IN: "-> e, s, <- e, ee, se",
  IK: "<- s ... -> e, es, s, ss, <- e, ee, se",
  IX: "-> e, s, <- e, ee, se, s, es",
  NKhfs: "<- s ... -> e, es, e1, <- e, ee, ekem1",
  // §9.4 and §10.
  NKpsk0: "<- s ... -> psk, e, es, <- e, ee",
  NKpsk2: "<- s ... -> e, es, <- e, ee, psk",
  IKpsk2: "<- s ... -> e, es, s, ss, <- e, ee, se, psk",
  XXpsk3: "-> e, <- e, ee, s, es, -> s, se, psk",
  NNpsk1: "-> e, psk, <- e, ee",
};

/** A pattern as the specification prints it, on one line. */
function printed(name: string): string {
  const { preMessages, messages } = patternOf(name);
  const known = [
    ...preMessages.initiator ? ["-> s"] : [],
    ...preMessages.responder ? ["<- s"] : [],
  ];
  const lines = messages.map((tokens, i) =>
    `${i % 2 === 0 ? "->" : "<-"} ${tokens.join(", ")}`
  ).join(", ");
  return known.length === 0 ? lines : `${known.join(", ")} ... ${lines}`;
}

for (const [name, text] of Object.entries(PRINTED)) {
  Deno.test(`Noise pattern ${name} is the specification's`, () => {
    assertEquals(printed(name), text);
  });
}

Deno.test("Noise pattern: what nobody has described is refused", () => {
  for (
    const name of [
      "",
      "nk",
      "NKx",
      "NKpsk",
      "NKpsk3",
      "NKpsk9",
      "NKpsk00",
      "NKpsk0+psk2",
      "NKhfspsk0",
      "constructor",
      "toString",
      "__proto__",
    ]
  ) {
    assertThrows(
      () => patternOf(name),
      RangeError,
      `Cannot find the handshake pattern ${name}`,
    );
  }
});
