import type { Bytes } from "../../protocol/mod.ts";
import { Reader, Writer } from "../../protocol/mod.ts";
import { decodeSession, encodeSession } from "../session_state.ts";
import type { Session } from "../session_state.ts";
import {
  decodeTextAssembly,
  EMPTY_ASSEMBLY,
  encodeTextAssembly,
} from "../../peer/mod.ts";
import type { TextAssembly } from "../../peer/mod.ts";
import type { RecordKind } from "./transaction.ts";

const SESSION_LIMIT = 512 * 1_024;

/** A text of one's own that the peer has not acknowledged: messages `first` to `last` carry it. */
export interface Undelivered {
  readonly entry: number;
  readonly first: number;
  readonly last: number;
}

/** A session with what belongs to it. */
export interface SessionRecord {
  readonly session: Session;
  /** Parts of texts that have not arrived whole. */
  readonly assembly: TextAssembly;
  readonly undelivered: readonly Undelivered[];
}

/** A session that was just made. */
export function newSessionRecord(session: Session): SessionRecord {
  return { session, assembly: EMPTY_ASSEMBLY, undelivered: [] };
}

/** Sessions by blinded address and session id. */
export const SESSIONS: RecordKind<SessionRecord> = {
  kind: "session",
  encode({ session, assembly, undelivered }) {
    const writer = new Writer(4_096).prefixed(4, encodeSession(session))
      .prefixed(4, encodeTextAssembly(assembly)).u32(undelivered.length);
    for (const { entry, first, last } of undelivered) {
      writer.u32(entry).u32(first).u32(last);
    }
    return writer.done();
  },
  decode(bytes) {
    const reader = new Reader(bytes);
    const session = decodeSession(reader.prefixed(4, SESSION_LIMIT));
    const assembly = decodeTextAssembly(reader.prefixed(4, SESSION_LIMIT));
    const undelivered: Undelivered[] = [];
    for (let left = reader.u32(); left > 0; left--) {
      undelivered.push({
        entry: reader.u32(),
        first: reader.u32(),
        last: reader.u32(),
      });
    }
    reader.end();
    return { session, assembly, undelivered };
  },
};

/** The key of a session. */
export function sessionKey(blinded: string, id: Bytes): string {
  return `${blinded}/${id.toHex()}`;
}
