import type { NodeKeyring } from "../../lib/identity/mod.ts";
import { OnionKeys } from "../../lib/onion/mod.ts";
import type { Bytes } from "../../lib/protocol/mod.ts";
import { CommandError } from "../errors.ts";
import type { Io } from "../io.ts";

/** The onion keys of a relay, in a file beside its other keys. */
export class StoredOnionKeys {
  readonly keys: OnionKeys;
  readonly #path: string;
  readonly #secret: Bytes;

  constructor(keys: OnionKeys, path: string, secret: Bytes) {
    this.keys = keys;
    this.#path = path;
    this.#secret = secret;
  }

  /** Makes a new key if it is time, and stores it before anybody is told; whether there is one. */
  async rotate(now: number): Promise<boolean> {
    if (!await this.keys.rotate(Math.floor(now / 1_000))) return false;
    const part = `${this.#path}.new`;
    await Deno.writeFile(part, await this.keys.sealed(this.#secret), {
      mode: 0o600,
    });
    await Deno.rename(part, this.#path);
    return true;
  }
}

/** Opens the onion keys in `directory`, and makes the first. @throws {CommandError} if they are damaged. */
export async function openOnionKeys(
  io: Io,
  directory: string,
  { storageSecret }: NodeKeyring,
): Promise<StoredOnionKeys> {
  const path = `${directory}/onion.keys`;
  const keys = await readKeys(path, storageSecret);
  const stored = new StoredOnionKeys(keys, path, storageSecret);
  await stored.rotate(io.now());
  return stored;
}

async function readKeys(path: string, secret: Bytes): Promise<OnionKeys> {
  try {
    return await OnionKeys.open(await Deno.readFile(path), secret);
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return OnionKeys.none();
    throw new CommandError(`Cannot use ${path}`, {
      cause,
      hint: "if it is lost or damaged, remove it; a new key is made",
    });
  }
}
