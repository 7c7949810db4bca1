import { SqliteServerStore } from "../../lib/store/mod.ts";
import type { ServerStore } from "../../lib/store/mod.ts";
import { CommandError } from "../errors.ts";
import type { Io } from "../io.ts";
import { privateDirectory, sottoPaths } from "../paths.ts";

/** The flag that says where a server keeps its things; spread it into a command's own table. */
export const DATA_FLAG = { data: { type: "string" } } as const;

/** The server's directory, made if it is missing. */
export async function dataDirectory(
  io: Io,
  flag: string | undefined,
): Promise<string> {
  return await privateDirectory(flag ?? `${sottoPaths(io).data}/server`);
}

/** Opens the database in the server's directory. */
export async function openServerStore(directory: string): Promise<ServerStore> {
  const path = `${directory}/server.db`;
  try {
    return await SqliteServerStore.open(path);
  } catch (cause) {
    throw new CommandError(`Cannot open the database ${path}`, { cause });
  }
}
