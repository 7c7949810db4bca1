/**
 * How a command fails, and what the person then reads:
 *
 *     sotto: cannot reach 127.0.0.1:7300: connection refused
 *     hint: is the server running there? `sotto client ping ADDRESS` tells
 *
 * Exit codes: 0 done, 1 failed, 2 used wrongly, 130 interrupted.
 *
 * @module
 */
import { hintFor } from "./hints.ts";
import type { Output } from "./io.ts";
import { InterruptedError, OutputClosedError } from "./io.ts";
import { printable, printableLines } from "./printable.ts";

/** The command line is wrong: exit code 2. The message says what is wrong with it. */
export class UsageError extends Error {
  override readonly name = "UsageError";
  readonly code = "ERR_USAGE";
  /** What to type instead. */
  readonly hint: string | undefined;

  constructor(message: string, options: { hint?: string } = {}) {
    super(message);
    this.hint = options.hint;
  }
}

/**
 * The command could not do its work: exit code 1. The message says what failed (`Cannot <action>`); the
 * `cause`, if any, says why and is printed behind it.
 */
export class CommandError extends Error {
  override readonly name = "CommandError";
  readonly code = "ERR_COMMAND";
  /** What the person can do about it; without one, the cause's code may have one. */
  readonly hint: string | undefined;

  constructor(
    message: string,
    options: { hint?: string; cause?: unknown } = {},
  ) {
    super(message, "cause" in options ? { cause: options.cause } : {});
    this.hint = options.hint;
  }
}

/**
 * Tells the person what went wrong, without a stack unless `debug`.
 *
 * @returns The exit code for `error`.
 */
export async function report(
  error: unknown,
  stderr: Output,
  options: { debug?: boolean } = {},
): Promise<number> {
  const chain = causes(error);
  if (chain.some((each) => each instanceof OutputClosedError)) return 0;
  if (chain.some((each) => each instanceof InterruptedError)) return 130;
  const hint = chain.map(hintFor).find((each) => each !== undefined);
  let text = `sotto: ${describe(error)}\n`;
  for (const each of chain) text += warningOf(each);
  if (hint !== undefined) text += `hint: ${printable(hint)}\n`;
  if (options.debug) text += debugText(error);
  try {
    await stderr.write(text);
  } catch {
    // Nobody listens any more; the exit code still tells.
  }
  return error instanceof UsageError ? 2 : 1;
}

/**
 * What went wrong as one line: "cannot reach a:1: connection refused". Only a command's own errors show
 * what caused them: the library keeps from its messages what must not be shown, and puts it there.
 */
export function describe(error: unknown): string {
  const parts: string[] = [];
  for (const each of causes(error)) {
    const text = plain(each);
    // Wrappers often repeat what they wrap.
    if (!parts.some((part) => part.includes(text))) parts.push(text);
    if (!(each instanceof CommandError)) break;
  }
  return parts.join(": ");
}

function plain(error: unknown): string {
  const message = error instanceof Error
    ? error.message || error.name
    : String(error);
  const text = printable(message.trim())
    // "(os error 111)" helps nobody.
    .replace(/ \(os error \d+\)/g, "")
    .replace(/[.:]$/, "");
  // "Cannot" -> "cannot", but "HTTP", "RSA" and "X25519" stay.
  return /^[A-Z][a-z]/.test(text)
    ? text[0]!.toLowerCase() + text.slice(1)
    : text;
}

/** Some errors need more than a line, set apart: a server's key has changed. */
function warningOf(error: unknown): string {
  if (!(error instanceof Error) || !("warning" in error)) return "";
  const { warning } = error;
  return typeof warning === "string"
    ? `\n${printableLines(warning.trim())}\n\n`
    : "";
}

/** `error`, its cause, the cause of that ...; at most 8, so that a ring of causes ends. */
function causes(error: unknown): unknown[] {
  const chain: unknown[] = [];
  for (let at = error; at !== undefined && chain.length < 8;) {
    chain.push(at);
    at = at instanceof Error ? at.cause : undefined;
  }
  return chain;
}

function debugText(error: unknown): string {
  return causes(error).map((each) => {
    const stack = each instanceof Error ? each.stack ?? each.message : each;
    const code = codeOf(each);
    return `debug: ${code === undefined ? "" : `[${code}] `}${stack}\n`;
  }).join("");
}

function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}
