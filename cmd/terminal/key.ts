/** A key that does something rather than put a character. Named after what readline calls it. */
export type KeyName =
  | "accept-line"
  | "backward-char"
  | "backward-delete-char"
  | "backward-kill-line"
  | "backward-kill-word"
  | "backward-word"
  | "beginning-of-line"
  | "clear-screen"
  | "delete-char"
  | "end-of-file"
  | "end-of-line"
  | "forward-char"
  | "forward-word"
  | "kill-line"
  | "kill-word"
  | "newline"
  | "next-history"
  | "previous-history"
  | "transpose-chars"
  | "yank";

/** What the person did: a key, characters typed, or text pasted in one go. */
export type KeyEvent =
  | { readonly kind: "key"; readonly name: KeyName }
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "paste"; readonly text: string };

/** Single bytes below 0x20, and DEL. */
export const CONTROL_KEYS: ReadonlyMap<string, KeyName> = new Map([
  ["\x01", "beginning-of-line"],
  ["\x02", "backward-char"],
  ["\x04", "end-of-file"],
  ["\x05", "end-of-line"],
  ["\x06", "forward-char"],
  ["\x08", "backward-delete-char"],
  ["\x0a", "newline"],
  ["\x0b", "kill-line"],
  ["\x0c", "clear-screen"],
  ["\x0d", "accept-line"],
  ["\x0e", "next-history"],
  ["\x10", "previous-history"],
  ["\x14", "transpose-chars"],
  ["\x15", "backward-kill-line"],
  ["\x17", "backward-kill-word"],
  ["\x19", "yank"],
  ["\x7f", "backward-delete-char"],
]);

/** What follows ESC: Alt with a character, and the sequences of xterm, the Linux console and rxvt. */
export const ESCAPE_KEYS: ReadonlyMap<string, KeyName> = new Map([
  ["b", "backward-word"],
  ["d", "kill-word"],
  ["f", "forward-word"],
  ["\r", "newline"],
  ["\n", "newline"],
  ["\x7f", "backward-kill-word"],
  ["\x08", "backward-kill-word"],
  ["[A", "previous-history"],
  ["[B", "next-history"],
  ["[C", "forward-char"],
  ["[D", "backward-char"],
  ["[H", "beginning-of-line"],
  ["[F", "end-of-line"],
  ["[1~", "beginning-of-line"],
  ["[4~", "end-of-line"],
  ["[7~", "beginning-of-line"],
  ["[8~", "end-of-line"],
  ["[3~", "delete-char"],
  ["[3;5~", "kill-word"],
  ["[1;5C", "forward-word"],
  ["[1;5D", "backward-word"],
  ["[1;3C", "forward-word"],
  ["[1;3D", "backward-word"],
  ["[13;2u", "newline"],
  ["OA", "previous-history"],
  ["OB", "next-history"],
  ["OC", "forward-char"],
  ["OD", "backward-char"],
  ["OH", "beginning-of-line"],
  ["OF", "end-of-line"],
]);
