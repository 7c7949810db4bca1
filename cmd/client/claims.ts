import { readPrivateFile, writePrivateFile } from "../../lib/identity/mod.ts";
import type { Bytes } from "../../lib/protocol/mod.ts";
import { newSecret } from "../../lib/transfer/mod.ts";
import type { Io } from "../io.ts";
import { sottoPaths } from "../paths.ts";
import { removeIfThere } from "./remove_if_there.ts";

/** Four times as long as servers keep files, unless their operators say otherwise; in milliseconds. */
const KEPT = 28 * 86_400_000;

/**
 * By which the server knows this machine again, wherever it puts the files: made when it is first
 * asked for, and the same until it is forgotten.
 *
 * @param id of the blob.
 * @returns 32 bytes.
 */
export async function claimOf(io: Io, id: Bytes): Promise<Bytes> {
  const path = `${claimsOf(io)}/${id.toHex()}`;
  try {
    return Uint8Array.fromHex(await readPrivateFile(path));
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    const claim = newSecret();
    await writePrivateFile(path, claim.toHex());
    return claim;
  }
}

/** Nothing more is fetched by the claim to a blob. */
export async function forgetClaim(io: Io, id: Bytes): Promise<void> {
  await removeIfThere(`${claimsOf(io)}/${id.toHex()}`);
}

/** Forgets claims of downloads that were given up: so old that no server has the files any more. */
export async function forgetOldClaims(io: Io): Promise<void> {
  const directory = claimsOf(io);
  try {
    for await (const { name } of Deno.readDir(directory)) {
      const { mtime } = await Deno.stat(`${directory}/${name}`);
      const isOld = mtime !== null && mtime.getTime() < io.now() - KEPT;
      if (isOld) await removeIfThere(`${directory}/${name}`);
    }
  } catch (error) {
    // None was made yet; or another process does the same at this moment.
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

function claimsOf(io: Io): string {
  return `${sottoPaths(io).state}/claims`;
}
