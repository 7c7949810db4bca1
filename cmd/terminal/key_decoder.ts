import type { KeyEvent } from "./key.ts";
import { CONTROL_KEYS, ESCAPE_KEYS } from "./key.ts";

const PASTE_BEGIN = "\x1b[200~";
const PASTE_END = "\x1b[201~";

/** The longest paste that is kept; what comes beyond it is dropped. In UTF-16 units. */
export const PASTE_LIMIT = 262_144;

/** A longer escape sequence is no key of any terminal. */
const SEQUENCE_LIMIT = 32;

/**
 * Turns the bytes that a terminal in raw mode sends into what the person did. Characters and sequences
 * may be cut anywhere between two reads. Sequences that mean nothing here are swallowed whole, so that
 * a strange key never types garbage.
 */
export class KeyDecoder {
  readonly #utf8 = new TextDecoder();
  #pending = "";
  #paste: string | undefined;

  /** Whether an escape sequence has begun; if nothing follows soon, it was the Escape key. */
  get waits(): boolean {
    return this.#pending !== "" && this.#paste === undefined;
  }

  /** Takes the next bytes and gives what they complete. */
  feed(bytes: Uint8Array): KeyEvent[] {
    this.#pending += this.#utf8.decode(bytes, { stream: true });
    const events: KeyEvent[] = [];
    while (this.#pending !== "") {
      const before = this.#pending.length;
      const event = this.#paste === undefined
        ? this.#takeKey()
        : this.#takePaste();
      if (event !== undefined) events.push(event);
      if (this.#pending.length === before) break; // more must come
    }
    return joined(events);
  }

  /** Nothing followed: what waits was the Escape key alone, which means nothing here. */
  giveUp(): void {
    if (this.waits) this.#pending = "";
  }

  /** Takes one key from the front of what is pending; takes nothing while it is incomplete. */
  #takeKey(): KeyEvent | undefined {
    if (this.#pending.startsWith("\x1b")) return this.#takeEscape();
    const [character] = this.#pending as Iterable<string>;
    this.#drop(character!.length);
    const name = CONTROL_KEYS.get(character!);
    if (name !== undefined) return { kind: "key", name };
    const unwanted = /^[\p{Cc}\p{Cs}]$/u.test(character!);
    return unwanted ? undefined : { kind: "text", text: character! };
  }

  #takeEscape(): KeyEvent | undefined {
    const length = escapeLength(this.#pending);
    if (length === undefined) return undefined;
    const sequence = this.#pending.slice(0, length);
    this.#drop(length);
    if (sequence === PASTE_BEGIN) this.#paste = "";
    const name = ESCAPE_KEYS.get(sequence.slice(1));
    return name === undefined ? undefined : { kind: "key", name };
  }

  #takePaste(): KeyEvent | undefined {
    const end = this.#pending.indexOf(PASTE_END);
    // The mark of the end may itself be cut: keep what could be its beginning.
    const sure = end >= 0 ? end : this.#pending.length - cutMark(this.#pending);
    const room = PASTE_LIMIT - this.#paste!.length;
    this.#paste += this.#pending.slice(0, Math.min(sure, room));
    this.#drop(sure);
    if (end < 0) return undefined;
    this.#drop(PASTE_END.length);
    const text = cleanPaste(this.#paste!);
    this.#paste = undefined;
    return text === "" ? undefined : { kind: "paste", text };
  }

  #drop(length: number): void {
    this.#pending = this.#pending.slice(length);
  }
}

/**
 * The length of the escape sequence at the start of `text` (ECMA-48 §5.4), or undefined while it is
 * incomplete. A sequence that has become too long is taken to end there.
 */
function escapeLength(text: string): number | undefined {
  const second = text[1];
  if (second === undefined) return undefined;
  if (second === "O") return text.length < 3 ? undefined : 3;
  if (second === "\x1b") return 1; // Escape, then another sequence
  if (second !== "[") {
    return 1 + String.fromCodePoint(text.codePointAt(1)!).length;
  }
  const parameters = /^[\x20-\x3f]*/.exec(text.slice(2))![0].length;
  const final = text[2 + parameters];
  if (final === undefined) {
    return text.length > SEQUENCE_LIMIT ? text.length : undefined;
  }
  // A control character or a letter from elsewhere ends nothing: it is a key of its own.
  return 2 + parameters + (/[\x40-\x7e]/.test(final) ? 1 : 0);
}

/** How many characters at the end of `text` could be the beginning of the mark that ends a paste. */
function cutMark(text: string): number {
  for (let length = PASTE_END.length - 1; length > 0; length--) {
    if (text.endsWith(PASTE_END.slice(0, length))) return length;
  }
  return 0;
}

/** Pasted text keeps its lines; other control characters go. */
function cleanPaste(text: string): string {
  return text.replace(/\r\n?/g, "\n").replaceAll("\t", "    ")
    .replace(/[^\P{Cc}\n]|\p{Cs}/gu, "");
}

/** Characters typed one after the other, as one event. */
function joined(events: readonly KeyEvent[]): KeyEvent[] {
  const result: KeyEvent[] = [];
  for (const event of events) {
    const last = result.at(-1);
    if (event.kind === "text" && last?.kind === "text") {
      result[result.length - 1] = {
        kind: "text",
        text: last.text + event.text,
      };
    } else result.push(event);
  }
  return result;
}
