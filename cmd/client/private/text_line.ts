import type { TextState } from "../../../lib/mix/mod.ts";
import { printable, printableLines } from "../../printable.ts";
import { clockText } from "./clock_text.ts";

/** A text as it stands on the screen. */
export interface ShownText {
  /** Who wrote it, for people; `undefined` for oneself. */
  readonly from: string | undefined;
  readonly text: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** How far one's own text is. */
  readonly state?: TextState | "lost";
  /** Start of the round that it is in. */
  readonly round?: number | undefined;
}

/** In front of the second and further lines of a text. */
const INDENT = "         ";
const DIM = "\x1b[2m";
const BOLD = "\x1b[1m";
const RED = "\x1b[31m";
const PLAIN = "\x1b[0m";

/** A text of a private conversation as a line for people. Texts of others are made harmless. */
export function textLine(shown: ShownText, colours: boolean): string {
  const time = clockText(shown.at);
  const who = shown.from === undefined ? "you" : printable(shown.from);
  const text = printableLines(shown.text).replaceAll("\n", `\n${INDENT}`);
  const { state, round } = shown;
  if (!colours) {
    const mark = state === undefined ? "" : `  [${wordOf(state, round)}]`;
    return `${time} ${who}: ${text}${mark}`;
  }
  const colour = state === "lost" ? RED : DIM;
  const mark = state === undefined
    ? ""
    : `  ${colour}${markOf(state, round)}${PLAIN}`;
  return `${DIM}${time}${PLAIN} ${BOLD}${who}${PLAIN}: ${text}${mark}`;
}

function markOf(
  state: NonNullable<ShownText["state"]>,
  round: number | undefined,
): string {
  switch (state) {
    case "queued":
      return "…";
    case "in round":
      return `· round ${clockText(round ?? 0)}`;
    case "exchanged":
      return "✓";
    case "delivered":
      return "✓✓";
    case "lost":
      return `✗ ${lostWord(round)}`;
  }
}

function wordOf(
  state: NonNullable<ShownText["state"]>,
  round: number | undefined,
): string {
  if (state === "lost") return lostWord(round);
  return state === "in round" ? `in round ${clockText(round ?? 0)}` : state;
}

/** What was in a round may have arrived without this side hearing of it. */
function lostWord(round: number | undefined): string {
  return round === undefined ? "not delivered" : "perhaps not delivered";
}
