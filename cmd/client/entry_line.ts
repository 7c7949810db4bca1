import type { HistoryEntry } from "../../lib/mailbox/mod.ts";
import { parseOffer } from "../../lib/transfer/mod.ts";
import { printable, printableLines } from "../printable.ts";
import { describeOffer, offerObject } from "./file_summary.ts";

/** The mark of how far one's own text has come. */
const MARKS: Readonly<Record<HistoryEntry["state"], string>> = {
  queued: "…",
  stored: "✓",
  delivered: "✓✓",
  read: "✓✓ read",
  failed: "✗",
  received: "",
  shown: "",
};

/** In front of the second and further lines of a text. */
const INDENT = "      ";

const DIM = "\x1b[2m";
const BOLD = "\x1b[1m";
const RED = "\x1b[31m";
const PLAIN = "\x1b[0m";

/**
 * A text of a conversation as a line for people. Texts of others are made harmless: what follows a
 * line break is set in, so that no text can look like the next one, from somebody else (S0.7).
 *
 * @param name of the other, see `nameOf`.
 */
export function entryLine(
  name: string,
  entry: HistoryEntry,
  colours: boolean,
): string {
  const time = clock(entry.outgoing ? entry.sentAt : entry.at);
  const who = entry.outgoing ? "you" : printable(name);
  const text = textOf(entry).replaceAll("\n", `\n${INDENT}`);
  const mark = markOf(entry);
  if (!colours) {
    return `${time} ${who}: ${text}${
      mark === "" ? "" : `  [${entry.state}${why(entry)}]`
    }`;
  }
  const shownMark = mark === ""
    ? ""
    : entry.state === "failed" || entry.reason !== ""
    ? `  ${RED}${mark}${PLAIN}`
    : `  ${DIM}${mark}${PLAIN}`;
  return `${DIM}${time}${PLAIN} ${BOLD}${who}${PLAIN}: ${text}${shownMark}`;
}

/** A text of a conversation as an object for programs. */
export function entryObject(
  address: string,
  entry: HistoryEntry,
): Record<string, unknown> {
  const offer = parseOffer(entry.text);
  return {
    number: entry.number,
    with: address,
    direction: entry.outgoing ? "out" : "in",
    // The text of an offer holds the key of its files.
    ...offer === undefined
      ? { text: entry.text }
      : { offer: offerObject(offer) },
    sentAt: new Date(entry.sentAt).toISOString(),
    at: new Date(entry.at).toISOString(),
    state: entry.state,
    ...entry.reason === "" ? {} : { reason: entry.reason },
  };
}

/**
 * How somebody is called: without the zone if it is one's own. In another zone somebody else may have
 * the same name.
 */
export function nameOf(address: string, own: string): string {
  const zone = own.slice(own.indexOf("@"));
  return address.endsWith(zone) ? address.slice(0, -zone.length) : address;
}

function textOf({ text, outgoing, number }: HistoryEntry): string {
  const offer = parseOffer(text);
  if (offer === undefined) return printableLines(text);
  const what = `[files] ${describeOffer(offer)}`;
  return outgoing ? what : `${what}, number ${number}: sotto client pull`;
}

function markOf(entry: HistoryEntry): string {
  const mark = MARKS[entry.state];
  return entry.reason === "" ? mark : `${mark} ${printable(entry.reason)}`;
}

function why({ reason }: HistoryEntry): string {
  return reason === "" ? "" : `: ${printable(reason)}`;
}

/** Hours and minutes, with the day if it is not today's. */
function clock(milliseconds: number): string {
  const date = new Date(milliseconds);
  const two = (value: number) => String(value).padStart(2, "0");
  const time = `${two(date.getHours())}:${two(date.getMinutes())}`;
  if (date.toDateString() === new Date().toDateString()) return time;
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${
    two(date.getDate())
  } ${time}`;
}
