import { formatFingerprint } from "../../../lib/identity/mod.ts";

/** Digits that people are shown, as in `controller show`. */
const SHORT = 8;

/** How a mix is named to people: as whoever runs it and the controllers name it. @param fingerprint in hex. */
export function mixName(fingerprint: string): string {
  return formatFingerprint(Uint8Array.fromHex(fingerprint), "").slice(0, SHORT);
}
