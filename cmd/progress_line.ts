import { displayWidth, fitWidth } from "./display_width.ts";
import { formatDuration } from "./format_duration.ts";
import { printable } from "./printable.ts";
import { formatSize } from "./size.ts";

/** How far a transfer is. */
export interface ProgressState {
  /** What is transferred; may come from anywhere. */
  readonly name: string;
  /** Bytes that are done. */
  readonly done: number;
  /** Bytes there are in all, when that is known. */
  readonly total: number | undefined;
  /** Bytes per second, when that is known: 0 when nothing moves. */
  readonly rate: number | undefined;
}

const GAP = "  ";
const BAR = { least: 10, most: 30 };
/** A name that is longer is cut to this for the sake of the other parts. */
const NAME_LEAST = 12;
/** What is kept free for a part, so that the bar does not jump when a number gets longer. */
const CELLS = { percent: 4, size: 10, rate: 12, left: 12 };
/** Longer than this nobody waits, or believes it, in milliseconds. */
const LONGEST_LEFT = 100 * 86_400_000;

/**
 * One line without a line break that fits `columns` cells, the last of them left free:
 * `report.pdf  45% ███████░░░░░░  1.2 GiB / 2.6 GiB  231.0 MiB/s  6s left`. Where there is less room it
 * has fewer parts, then a shorter name.
 */
export function progressLine(state: ProgressState, columns: number): string {
  const room = Math.max(0, columns - 1);
  const name = printable(state.name);
  for (const { parts, bar } of arrangements(state)) {
    const rest = room - widthOf(parts) - (bar ? BAR.least + 1 : 0);
    if (rest < Math.min(displayWidth(name), NAME_LEAST)) continue;
    const shown = fitWidth(name, rest);
    const [percent = "", ...others] = parts.map(({ text }) => text);
    const width = Math.min(BAR.most, BAR.least + rest - displayWidth(shown));
    const first = bar ? `${percent} ${drawBar(state, width)}` : percent;
    return [shown, first, ...others].filter((part) => part !== "").join(GAP);
  }
  // Narrower than a short name and the one number that matters.
  return fitWidth(partsOf(state)[0]!.text.trim(), room);
}

/** A part of the line and the cells that are kept for it. */
interface Part {
  readonly text: string;
  readonly cells: number;
}

interface Arrangement {
  /** The first is the percentage where there is a bar. */
  readonly parts: readonly Part[];
  readonly bar: boolean;
}

/** From the richest to the poorest. */
function arrangements(state: ProgressState): Arrangement[] {
  const bar = share(state) !== undefined;
  const parts = partsOf(state);
  const [most, size, rate, left] = parts;
  const choices = [
    [most, size, rate, left],
    [most, rate, left],
    [most, left],
    [most],
  ].map((each) => ({
    parts: each.filter((part) => part !== undefined),
    bar: false,
  }));
  return bar ? [{ parts, bar }, ...choices] : choices;
}

/** The parts behind the name; the first matters most. */
function partsOf(state: ProgressState): [Part, ...Part[]] {
  const { done, total, rate } = state;
  const size = formatSize(done);
  const part = share(state);
  const speed = {
    text: rate === undefined
      ? ""
      : rate === 0 && done !== total
      ? "stalled"
      : `${formatSize(Math.round(rate))}/s`,
    cells: CELLS.rate,
  };
  if (total === undefined || part === undefined) {
    return [{ text: size, cells: CELLS.size }, speed];
  }
  const percent = `${Math.floor(part * 100)}%`;
  const of = ` / ${formatSize(total)}`;
  return [
    { text: percent.padStart(CELLS.percent), cells: CELLS.percent },
    { text: size + of, cells: CELLS.size + of.length },
    speed,
    { text: timeLeft(total - done, rate), cells: CELLS.left },
  ];
}

function timeLeft(bytes: number, rate: number | undefined): string {
  if (rate === undefined || rate === 0 || bytes <= 0) return "";
  const left = Math.ceil(bytes / rate) * 1_000;
  return left > LONGEST_LEFT ? "" : `${formatDuration(left)} left`;
}

/** From 0 to 1; undefined when the total is unknown. */
function share({ done, total }: ProgressState): number | undefined {
  if (total === undefined) return undefined;
  return total === 0 ? 1 : Math.min(1, done / total);
}

function drawBar(state: ProgressState, width: number): string {
  const full = Math.floor((share(state) ?? 0) * width);
  return "█".repeat(full) + "░".repeat(width - full);
}

/** The cells that are kept for all parts and the gaps before them. */
function widthOf(parts: readonly Part[]): number {
  return parts.reduce(
    (sum, { text, cells }) =>
      sum + GAP.length + Math.max(cells, displayWidth(text)),
    0,
  );
}
