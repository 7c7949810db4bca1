import { INVITE_LIMIT } from "../../lib/account/mod.ts";
import { CommandError } from "../errors.ts";
import type { Io } from "../io.ts";

/**
 * The code of an invite: from the file that --invite-file names ("-": standard input), or asked for.
 *
 * @throws {CommandError} if there is neither, or it is too long to be one.
 */
export async function readInvite(
  io: Io,
  file: string | undefined,
): Promise<string> {
  const text = file === undefined
    ? await io.prompt("Invite: ")
    : file === "-"
    ? await io.readLine()
    : await readFile(file);
  if (text === null) {
    throw new CommandError("Cannot register: the server asks for an invite", {
      hint: "name a file that holds it with --invite-file",
    });
  }
  const code = text.trim();
  if (code === "" || code.length > INVITE_LIMIT) {
    throw new CommandError("Cannot use the invite: it is empty or too long");
  }
  return code;
}

async function readFile(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (cause) {
    throw new CommandError(`Cannot read the invite from ${path}`, { cause });
  }
}
