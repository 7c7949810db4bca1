import { Reader, Writer } from "../../protocol/mod.ts";
import type { Bytes } from "../../protocol/mod.ts";
import { decodePrekeySecrets, encodePrekeySecrets } from "../prekey_secrets.ts";
import type { PrekeySecrets } from "../prekey_secrets.ts";
import type { RecordKind } from "./transaction.ts";

/** This machine, as the server knows it, and the private halves of its prekeys. */
export interface Device {
  /** 16 bytes. */
  readonly id: Bytes;
  /** Whether the server has been told that this machine holds the sessions. */
  readonly announced: boolean;
  readonly prekeys: PrekeySecrets;
}

/** The one record of its kind, under `DEVICE_KEY`. */
export const DEVICE: RecordKind<Device> = {
  kind: "device",
  encode({ id, announced, prekeys }) {
    return new Writer(4_096).bytes(id).u8(announced ? 1 : 0)
      .bytes(encodePrekeySecrets(prekeys)).done();
  },
  decode(bytes) {
    const reader = new Reader(bytes);
    return {
      id: reader.take(16),
      announced: reader.u8() === 1,
      prekeys: decodePrekeySecrets(reader.rest()),
    };
  },
};

export const DEVICE_KEY = "self";
