import { CommandError, UsageError } from "./errors.ts";
import type { Io } from "./io.ts";

/** Where sotto keeps things, after the XDG Base Directory Specification 0.8. Not created yet. */
export interface Paths {
  /** Settings a person edits. */
  readonly config: string;
  /** Keys, contacts, letters: what must not be lost. */
  readonly data: string;
  /** Logs, positions, history: what survives a restart and may be lost. */
  readonly state: string;
  /** What can be made again. */
  readonly cache: string;
  /** Sockets and locks of what runs now. */
  readonly runtime: string;
}

/**
 * sotto's own directories. `SOTTO_HOME` puts all five under one directory; else each follows its XDG
 * variable (a relative path there is ignored, as the specification says) or its default under `HOME`.
 *
 * @throws {CommandError} If neither says where.
 */
export function sottoPaths(io: Pick<Io, "env">): Paths {
  const all = io.env("SOTTO_HOME");
  if (all !== undefined) {
    if (!all.startsWith("/")) {
      throw new CommandError("Cannot use SOTTO_HOME: it is no absolute path");
    }
    return {
      config: `${all}/config`,
      data: `${all}/data`,
      state: `${all}/state`,
      cache: `${all}/cache`,
      runtime: `${all}/run`,
    };
  }
  const state = base(io, "XDG_STATE_HOME", ".local/state");
  const runtime = absolute(io, "XDG_RUNTIME_DIR");
  return {
    config: base(io, "XDG_CONFIG_HOME", ".config"),
    data: base(io, "XDG_DATA_HOME", ".local/share"),
    state,
    cache: base(io, "XDG_CACHE_HOME", ".cache"),
    runtime: runtime === undefined ? `${state}/run` : `${runtime}/sotto`,
  };
}

/** The profile that is used when nobody names one. */
export const DEFAULT_PROFILE = "default";

/**
 * The directory of one profile (one identity of one person). `name` is the flag; without it
 * `SOTTO_PROFILE` counts, then {@linkcode DEFAULT_PROFILE}.
 *
 * @throws {UsageError} If the name could leave the directory of profiles: only letters, digits, `_`,
 * `-`, `@` and inner dots are allowed, 1 to 64 of them.
 */
export function profilePath(
  io: Pick<Io, "env">,
  name: string | undefined,
): string {
  const profile = name ?? io.env("SOTTO_PROFILE") ?? DEFAULT_PROFILE;
  if (
    !/^[A-Za-z0-9_@](?:[A-Za-z0-9_@.-]{0,62}[A-Za-z0-9_@-])?$/.test(profile)
  ) {
    throw new UsageError("the name of a profile is not allowed", {
      hint: "letters, digits, _, -, @ and dots inside, at most 64",
    });
  }
  return `${sottoPaths(io).data}/profiles/${profile}`;
}

/**
 * Makes `path` and what is missing above it, for its owner only (0700), and insists that it is a
 * directory of ours that nobody else can write to.
 *
 * @returns `path`
 * @throws {CommandError} If it cannot be made, or belongs to someone else, or others can write to it.
 */
export async function privateDirectory(path: string): Promise<string> {
  try {
    await Deno.mkdir(path, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new CommandError(`Cannot make the directory ${path}`, { cause });
  }
  const { isDirectory, uid, mode } = await Deno.stat(path);
  if (!isDirectory) {
    throw new CommandError(`Cannot use ${path}: it is no directory`);
  }
  if (uid !== null && uid !== Deno.uid()) {
    throw new CommandError(`Cannot use ${path}: it belongs to someone else`);
  }
  if (mode !== null && (mode & 0o022) !== 0) {
    throw new CommandError(`Cannot use ${path}: others can write to it`, {
      hint: `chmod go-w ${path}`,
    });
  }
  return path;
}

function base(io: Pick<Io, "env">, name: string, under: string): string {
  const set = absolute(io, name);
  if (set !== undefined) return `${set}/sotto`;
  const home = absolute(io, "HOME");
  if (home === undefined) {
    throw new CommandError("Cannot tell where to keep files: HOME is not set", {
      hint: "set HOME, or SOTTO_HOME to a directory for everything",
    });
  }
  return `${home}/${under}/sotto`;
}

function absolute(io: Pick<Io, "env">, name: string): string | undefined {
  const path = io.env(name);
  return path?.startsWith("/") ? path.replace(/\/+$/, "") : undefined;
}
