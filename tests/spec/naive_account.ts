/**
 * What is signed, encrypted and hashed about accounts, and prekey bundles: written from SPEC.md §5 and
 * §6.2. Letters have a second implementation of their own, `tests/mailbox/reference.ts`.
 *
 * @module
 */
import { counted } from "./naive_identity.ts";
import type { Value } from "./naive_risp.ts";
import {
  ascii,
  join,
  rsaSeal,
  sha256,
  sign,
  unsigned,
} from "./naive_primitives.ts";
import type { Octets } from "./naive_primitives.ts";

/** CREDENTIALS (§5.2). */
export function credentials(
  serverKey: Octets,
  hash: Octets,
  auth: Octets,
  invite: string,
): Octets {
  return rsaSeal(serverKey, join(auth, counted(1, ascii(invite))), hash);
}

/** What REGISTER's SIGNATURE is over (§5.4). */
export function registrationBytes(hash: Octets, id: Octets): Octets {
  return join(ascii("sotto registration 1"), hash, id);
}

/** What SUBMIT's SIGNATURE is over (§5.8). */
export function submissionBytes(
  hash: Octets,
  counter: bigint,
  username: string,
  plaintext: Octets,
): Octets {
  return join(
    ascii("sotto submission 1"),
    hash,
    unsigned(8, counter),
    counted(1, ascii(username)),
    plaintext,
  );
}

/** DATA-LENGTH, the DATA and VERIFICATION-SHA256 (§5.8), in pieces of `size` bytes. */
export function data(
  plaintext: Octets,
  size = 1_000,
): (readonly [string, Value])[] {
  const commands: (readonly [string, Value])[] = [
    ["VERIFICATION-SHA256", sha256(plaintext)],
  ];
  for (let at = 0; at < plaintext.length; at += size) {
    commands.push(["DATA", plaintext.slice(at, at + size)]);
  }
  return [...commands, ["DATA-LENGTH", plaintext.length]];
}

/** A prekey bundle (§6.2). */
export function bundle(
  seed: Octets,
  id: Octets,
  created: number,
  prekeys: {
    readonly signedId: number;
    readonly spk: Octets;
    readonly kemId: number;
    readonly pqk: Octets;
  },
): Octets {
  const body = join(
    unsigned(1, 1),
    id,
    unsigned(8, created),
    unsigned(4, prekeys.signedId),
    prekeys.spk,
    unsigned(4, prekeys.kemId),
    prekeys.pqk,
  );
  return join(body, sign(seed, join(ascii("sotto prekey bundle v1\0"), body)));
}
