/** A Diffie-Hellman: of the initiator's key that the first letter names and the responder's second. */
export type DhToken = "ee" | "es" | "se" | "ss";

/**
 * A token of a handshake message (Noise rev 34 §7.1; `e1` and `ekem1` as in the hybrid forward
 * secrecy extension, HFS §4).
 */
export type Token =
  | "e"
  | "s"
  | DhToken
  | "psk"
  | "e1"
  | "ekem1";

/** Which side begins. */
export type Role = "initiator" | "responder";

/** A handshake: the static keys each side knows beforehand, then messages, the initiator's first. */
export interface Pattern {
  readonly preMessages: Readonly<Record<Role, boolean>>;
  readonly messages: readonly (readonly Token[])[];
}

/** "<- s" before the dots becomes R, "-> s" becomes I. */
const pattern = (
  knows: "" | "I" | "R" | "IR",
  ...lines: string[]
): Pattern => ({
  preMessages: {
    initiator: knows.includes("I"),
    responder: knows.includes("R"),
  },
  messages: lines.map((line) => line.split(" ") as Token[]),
});

/** One-way and interactive patterns (Noise rev 34 §7.4, §7.5) and NK with HFS. */
const PATTERNS: Readonly<Record<string, Pattern>> = {
  N: pattern("R", "e es"),
  K: pattern("IR", "e es ss"),
  X: pattern("R", "e es s ss"),
  NN: pattern("", "e", "e ee"),
  NK: pattern("R", "e es", "e ee"),
  NX: pattern("", "e", "e ee s es"),
  KN: pattern("I", "e", "e ee se"),
  KK: pattern("IR", "e es ss", "e ee se"),
  KX: pattern("I", "e", "e ee se s es"),
  XN: pattern("", "e", "e ee", "s se"),
  XK: pattern("R", "e es", "e ee", "s se"),
  XX: pattern("", "e", "e ee s es", "s se"),
  IN: pattern("", "e s", "e ee se"),
  IK: pattern("R", "e es s ss", "e ee se"),
  IX: pattern("", "e s", "e ee se s es"),
  NKhfs: pattern("R", "e es e1", "e ee ekem1"),
};

/**
 * The pattern of a name such as `IKpsk2`: `psk0` puts a pre-shared key before the first message,
 * `pskN` behind the Nth (Noise rev 34 §9.4).
 *
 * @throws {RangeError} if nobody has described it.
 */
export function patternOf(name: string): Pattern {
  if (Object.hasOwn(PATTERNS, name)) return PATTERNS[name]!;
  const [, base = "", index = ""] = /^([A-Z]+)psk([0-9])$/.exec(name) ?? [];
  const found = PATTERNS[base];
  const at = Number(index);
  if (found === undefined || index === "" || at > found.messages.length) {
    throw new RangeError(`Cannot find the handshake pattern ${name}`);
  }
  const messages = found.messages.map((tokens, i) =>
    at === 0 && i === 0
      ? ["psk" as const, ...tokens]
      : i === at - 1
      ? [...tokens, "psk" as const]
      : tokens
  );
  return { ...found, messages };
}
