import type { Keyring } from "../../lib/identity/mod.ts";
import { encodeKeyring, parseKeyring } from "../../lib/identity/mod.ts";
import { freshKeyring } from "../support/keyrings.ts";

/** The device that everybody's sessions are on, 16 bytes. */
export const DEVICE: Uint8Array<ArrayBuffer> = new Uint8Array(16).fill(7);

/** Keyrings of `count` people; they share an RSA pair, because making one takes half a second. */
export async function makePeople(count: number): Promise<Keyring[]> {
  return await Promise.all(
    Array.from({ length: count }, (_, i) => freshKeyring(`p${i}@bench`)),
  );
}

/** Writes keyrings to a file, in the clear: they are good for nothing. */
export async function savePeople(
  path: string,
  people: readonly Keyring[],
): Promise<void> {
  const encoded = await Promise.all(people.map(encodeKeyring));
  await Deno.writeTextFile(
    path,
    JSON.stringify(encoded.map((bytes) => bytes.toBase64())),
  );
}

/**
 * Reads what `savePeople` wrote.
 *
 * @param half only the first half of them, or the second.
 */
export async function loadPeople(
  path: string,
  half?: "first" | "second",
): Promise<Keyring[]> {
  const encoded = JSON.parse(await Deno.readTextFile(path)) as string[];
  const middle = encoded.length / 2;
  const chosen = half === undefined
    ? encoded
    : half === "first"
    ? encoded.slice(0, middle)
    : encoded.slice(middle);
  return await Promise.all(
    chosen.map((text) => parseKeyring(Uint8Array.fromBase64(text))),
  );
}
