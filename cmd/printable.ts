/**
 * Text from outside, made harmless for a terminal and for a log line.
 *
 * Control characters (with the ESC that begins an ANSI sequence), the marks that turn the direction of
 * writing, invisible characters that make two names look alike, and lone surrogates are shown as
 * `\u{...}`; all else stays. Line breaks are shown as well, so one text is one line: see
 * {@linkcode printableLines} for text that may have many.
 *
 * A peer's text must pass through here before it is printed: else it could move the cursor, forge
 * lines, set the title or answer to the terminal's own queries.
 */
export function printable(text: string): string {
  return text.replace(UNSAFE, escape);
}

/** The same, but line breaks stay (`\r\n` becomes `\n`) and a tab becomes four spaces. */
export function printableLines(text: string): string {
  return text.replaceAll("\r\n", "\n").replaceAll("\t", "    ")
    .split("\n").map(printable).join("\n");
}

// Cc: controls. Zl, Zp: line and paragraph separators. Cs: surrogates without a partner. Co: private
// use. Bidi_Control: UAX #9. Then what is drawn as nothing: soft hyphen, combining grapheme joiner,
// fillers, zero-width space, word joiner and invisible operators, BOM, interlinear marks, tags. The
// zero-width (non-)joiner stays: Persian, Indic scripts and emoji need it.
const UNSAFE =
  /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\p{Co}\p{Bidi_Control}\u{ad}\u{34f}\u{115f}\u{1160}\u{17b4}\u{17b5}\u{180e}\u{200b}\u{2060}-\u{2065}\u{206a}-\u{206f}\u{3164}\u{feff}\u{ffa0}\u{fff0}-\u{fffb}\u{e0000}-\u{e0fff}]/gu;

function escape(character: string): string {
  return `\\u{${character.codePointAt(0)!.toString(16)}}`;
}
