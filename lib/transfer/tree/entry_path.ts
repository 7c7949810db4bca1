import { MalformedError, utf8 } from "../../protocol/mod.ts";

/** Longest name of a file or directory, in bytes: what Linux and most others hold. */
export const COMPONENT_LIMIT = 255;

/** Longest path or link target, in bytes. */
export const PATH_LIMIT = 4096;

/** Which names the disk at hand can hold, beyond the rules that bind everybody. */
export interface NameRules {
  /** Whether names that mean something else to Windows are refused. */
  readonly windows: boolean;
}

/** The rules of a disk that takes any name. */
export const ANY_DISK: NameRules = { windows: false };

/** The rules of the machine that this runs on. */
export function rulesOfThisMachine(): NameRules {
  return { windows: Deno.build.os === "windows" };
}

// Controls change what a terminal shows (Cc); bidi controls change the order in which it is read, so
// that "exe.txt" can be "txt.exe" (Unicode TR36 §3.1). U+FFFD stands where a name was not UTF-8: the
// file could not be found again by it. A surrogate that is matched here stands alone.
const FORBIDDEN =
  /[\p{Cc}\p{Cs}\\\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufffd]/u;

const WINDOWS_FORBIDDEN = /[<>:"|?*]|[. ](?:\/|$)/;
const WINDOWS_DEVICE =
  /(?:^|\/)(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9¹²³])(?:[. ][^/]*)?(?:\/|$)/i;

const EMPTY_OR_DOTS = /(?:^|\/)\.{0,2}(?:\/|$)/;

/**
 * Insists that `path` names something beneath the place where it is put, on every machine alike, and
 * shows itself to people as what it is.
 *
 * @throws {MalformedError} if not. The message holds nothing of the path.
 */
export function checkPath(path: string, rules: NameRules): void {
  checkCharacters(path, rules);
  if (EMPTY_OR_DOTS.test(path)) refuse('empty, "." or ".." components');
  // A code unit is at most 3 bytes; most paths need no counting.
  if (path.length * 3 <= COMPONENT_LIMIT) return;
  for (const component of path.split("/")) {
    if (utf8(component).length > COMPONENT_LIMIT) {
      refuse(`a component longer than ${COMPONENT_LIMIT} bytes`);
    }
  }
}

/**
 * Insists that `name` is one component of a path.
 *
 * @throws {MalformedError} if not.
 */
export function checkName(name: string, rules: NameRules): void {
  if (name.includes("/")) refuse("more than one component");
  checkPath(name, rules);
}

/**
 * Insists that the link at `path` points into its own top-level entry, wherever that will lie.
 *
 * ".." may stand only in front: what follows a name may be a link itself, and ".." behind a link is
 * not where it seems to be. In front it is: what holds a link is a true directory.
 *
 * @throws {MalformedError} if not.
 */
export function checkTarget(
  path: string,
  target: string,
  rules: NameRules,
): void {
  if (target.startsWith("/")) refuse("an absolute link target");
  if (target === "") refuse("an empty link target");
  checkCharacters(target.replaceAll(DOTS, "$1"), rules);
  // Directories that lie between the top-level entry and the link, the former counted.
  let depth = path.split("/").length - 1;
  let named = false;
  for (const component of target.split("/")) {
    if (component === "" || component === ".") continue;
    if (component === "..") {
      if (named) refuse('".." behind a name in a link target');
      depth--;
    } else named = true;
  }
  if (depth < 1) refuse("a link target outside of what is sent");
}

/** Components of dots: Windows forbids names that end in a dot, and these are none. */
const DOTS = /(^|\/)\.{1,2}(?=\/|$)/g;

/** Compares by the bytes of UTF-8, which is the order of code points, not that of code units. */
export function comparePaths(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const left = a.charCodeAt(i);
    const right = b.charCodeAt(i);
    if (left !== right) return rank(left) - rank(right);
  }
  return a.length - b.length;
}

/** Of a code unit in the order of code points: surrogates stand for the highest ones. */
function rank(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800;
}

function checkCharacters(text: string, rules: NameRules): void {
  if (text.length * 3 > PATH_LIMIT && utf8(text).length > PATH_LIMIT) {
    refuse(`more than ${PATH_LIMIT} bytes`);
  }
  if (FORBIDDEN.test(text)) {
    refuse("characters that deceive or that a name cannot hold");
  }
  if (!rules.windows) return;
  if (WINDOWS_FORBIDDEN.test(text)) refuse("a name that Windows cannot hold");
  if (WINDOWS_DEVICE.test(text)) refuse("the name of a device of Windows");
}

function refuse(seen: string): never {
  throw new MalformedError(`Cannot take a path: it has ${seen}`);
}
