import { equalConstantTime } from "../protocol/mod.ts";
import { NO_SEQUENCES } from "../peer/mod.ts";
import { SYSTEM_KEYS } from "./key_source.ts";
import { parseLetter } from "./letter.ts";
import type { OwnParty, Party } from "./party.ts";
import { PrekeyError } from "./prekey_bundle.ts";
import type { OneTimePrekey, PrekeyBundle } from "./prekey_bundle.ts";
import type { PrekeySecrets } from "./prekey_secrets.ts";
import { initiate, parseInitialBlock, respond } from "./pqxdh.ts";
import { acceptRatchet, startRatchet } from "./ratchet.ts";
import { openLetter } from "./session.ts";
import type { OpenedLetter } from "./session.ts";
import { foreignParty, otherSession } from "./session_error.ts";
import type { Session } from "./session_state.ts";

/**
 * Begins a session with somebody who may be away. The peer learns of it by the first letter.
 *
 * @param bundle the peer's prekeys, from `parseBundle` with the same certificate.
 * @param oneTime one of the peer's one-time prekeys, null if the server has none left.
 * @throws {SessionError} `ERR_SESSION_PARTY` if the peer is oneself: letters to oneself could not be
 * told from one's own coming back.
 * @throws {PrekeyError} if the bundle is another's or a key in it is unusable.
 */
export async function startSession(
  own: OwnParty,
  peer: Party,
  bundle: PrekeyBundle,
  oneTime: OneTimePrekey | null = null,
  keySourceForTesting = SYSTEM_KEYS,
): Promise<Session> {
  refuseOneself(own, peer);
  if (!equalConstantTime(bundle.certificateId, peer.id)) {
    throw new PrekeyError(
      "ERR_PREKEY_IDENTITY",
      "Cannot start a session: the prekeys belong to another certificate",
    );
  }
  const agreed = await initiate(
    own,
    peer,
    bundle,
    oneTime,
    keySourceForTesting,
  );
  return {
    peer: peer.id,
    id: agreed.sessionId,
    associated: agreed.associated,
    opening: agreed.block,
    ratchet: startRatchet(agreed.secret, bundle.signedKey),
    nextSeq: 1,
    received: NO_SEQUENCES,
    delivered: NO_SEQUENCES,
  };
}

/**
 * Accepts the session that a letter opens, and opens the letter. Any letter of the session will do,
 * as long as no session with its id is held.
 *
 * Replay: forget the one-time prekey `oneTimeId`, durably, before acknowledging the letter; then the
 * same letter opens nothing again. With `oneTimeId` 0 there was none; then it is the session id that
 * must be remembered while the signed prekey is held (X3DH §4.2).
 *
 * @param peer the certificate that the letter's initial block names.
 * @throws {MalformedError} if the bytes are no letter, or what is inside is no message.
 * @throws {SessionError} `ERR_SESSION_OTHER` if the letter opens no session or its id is wrong,
 * `ERR_SESSION_PARTY` if another certificate opened it.
 * @throws {PrekeyError} if a prekey is not held or a key in the letter is unusable.
 * @throws {RatchetError | PeerMessageError} as `openLetter`.
 */
export async function acceptSession(
  own: OwnParty,
  peer: Party,
  prekeys: PrekeySecrets,
  letterBytes: Uint8Array,
): Promise<OpenedLetter & { readonly oneTimeId: number }> {
  refuseOneself(own, peer);
  const letter = parseLetter(letterBytes);
  if (letter.block === null) throw otherSession();
  const { initiator } = parseInitialBlock(letter.block);
  if (!equalConstantTime(initiator, peer.id)) {
    throw foreignParty("another certificate opened it");
  }
  const agreed = await respond(own, peer, prekeys, letter.block);
  const session: Session = {
    peer: peer.id,
    id: agreed.sessionId,
    associated: agreed.associated,
    opening: null,
    ratchet: acceptRatchet(agreed.secret, {
      privateKey: agreed.signed.dhPrivate,
      publicKey: agreed.signed.dhPublic,
    }),
    nextSeq: 1,
    received: NO_SEQUENCES,
    delivered: NO_SEQUENCES,
  };
  return {
    ...await openLetter(session, own, peer, letterBytes),
    oneTimeId: agreed.oneTimeId,
  };
}

function refuseOneself(own: OwnParty, peer: Party): void {
  if (equalConstantTime(own.certificate.id, peer.id)) {
    throw foreignParty("the peer is oneself");
  }
}
