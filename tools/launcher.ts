/**
 * The shell script at the head of the single file. It unpacks what follows it, once per version and
 * person, into a cache that only this person can write to, and becomes the program: `exec` keeps the
 * process id, signals and exit code. It needs sh, tail, gzip, tar, mkdir, mktemp, mv, rm and ls.
 *
 * @module
 */

/** What the program may do: no other programs, no native libraries. */
export const PERMISSIONS: readonly string[] = [
  "--no-prompt",
  "--allow-net",
  "--allow-read",
  "--allow-write",
  "--allow-env",
  "--allow-sys",
];

/**
 * Most of what passes through are byte strings that are garbage at once. Collected early they leave
 * their memory to the next ones, while it is still in the cache: a third less memory for a transfer.
 * There is so little to collect at a time that several threads only disturb each other.
 */
export const RUNTIME_FLAGS: readonly string[] = [
  "--v8-flags=--max-semi-space-size=2,--no-parallel-scavenge",
];

/** Whatever lies in the directory where the person stands must not change what the program is. */
const ISOLATION: readonly string[] = [
  "--quiet",
  "--no-config",
  "--no-lock",
  "--no-remote",
  "--no-npm",
];

/**
 * The script.
 *
 * @param id Names the version that is unpacked: hex, the same for the same content.
 */
export function launcher(id: string): string {
  const flags = [...ISOLATION, ...RUNTIME_FLAGS, ...PERMISSIONS].join(" ");
  const script = SCRIPT.replace("@ID@", id).replace("@FLAGS@", flags);
  const offset = new TextEncoder().encode(script).length + 1;
  // As many digits as the mark has letters, so that the length stays.
  return script.replace("@OFF@", String(offset).padStart(5, "0"));
}

const SCRIPT = `#!/bin/sh
# sotto: a program and its runtime in one file. They are unpacked once, into a private cache:
# $SOTTO_HOME/cache, else $XDG_CACHE_HOME/sotto, else ~/.cache/sotto, else a directory under $TMPDIR.
set -eu
id=@ID@

fail() {
  printf 'sotto: cannot start: %s\\nhint: set SOTTO_HOME to a directory of yours for everything sotto keeps\\n' "$1" >&2
  exit 1
}

# Nobody else may own or write to a place that we run programs from.
guard() {
  [ -O "$1" ] || fail "$1 belongs to someone else"
  case $(ls -ld "$1/.") in
    d????-??-*) ;;
    *) fail "others can write to $1" ;;
  esac
}

try() {
  (umask 077; mkdir -p "$1") 2>/dev/null && [ -w "$1" ] ||
    { [ -d "$1" ] && [ ! -O "$1" ]; } # to be refused by name below, not passed over
}

cache=
[ -d "\${HOME-}" ] || HOME=
if [ -n "\${SOTTO_HOME-}" ]; then
  cache=$SOTTO_HOME/cache
  try "$cache" || fail "cannot write to $cache"
else
  for base in "\${XDG_CACHE_HOME-}" "\${HOME:+$HOME/.cache}"; do
    case $base in
      /*) if try "$base/sotto"; then cache=$base/sotto; break; fi ;;
    esac
  done
fi
if [ -z "$cache" ]; then
  cache=\${TMPDIR:-/tmp}/sotto-$(id -u)
  [ ! -L "$cache" ] && try "$cache" || fail "cannot write to $cache"
fi
guard "$cache"
home=$cache/runtime-$id

if [ ! -f "$home/.complete" ] || [ ! -x "$home/deno" ] || [ ! -f "$home/sotto.js" ]; then
  umask 077
  mkdir -p "$home" || fail "cannot write to $home"
  guard "$home"
  new=$(mktemp -d -p "$home") || fail "cannot write to $home"
  trap 'rm -rf "$new"' EXIT
  trap 'exit 130' HUP INT TERM
  tail -c +@OFF@ "$0" | { gzip -dc || : >"$new/.torn"; } | tar -xf - -C "$new" || fail "cannot unpack into $home"
  [ ! -e "$new/.torn" ] || fail "the file $0 is damaged"
  "$new/deno" --version >/dev/null 2>&1 || fail "programs do not run in $home"
  # Several first runs at once each move the same files into place; the mark comes last.
  mv -f "$new/sotto.js" "$new/deno" "$home/"
  : >"$home/.complete"
  rm -rf "$new"
  trap - EXIT HUP INT TERM
else
  guard "$home"
fi
DENO_DIR=$home/cache DENO_NO_UPDATE_CHECK=1 DENO_NO_PACKAGE_JSON=1
# The C library would keep a heap for each of the runtime's threads: a fifth of a server's memory.
MALLOC_ARENA_MAX=\${MALLOC_ARENA_MAX-2}
export DENO_DIR DENO_NO_UPDATE_CHECK DENO_NO_PACKAGE_JSON MALLOC_ARENA_MAX
# A lab starts processes, and those are this program again.
case \${1-} in
  lab) set -- "--allow-run=$home/deno" "$home/sotto.js" "$@" ;;
  *) set -- "$home/sotto.js" "$@" ;;
esac
exec "$home/deno" run @FLAGS@ "$@"
exit 126
`;
