/**
 * What a client shows: not to prove who it is, but to say with which other streams its own may be seen
 * together. The bytes of both as characters (Latin-1), so that different bytes stay different.
 */
export interface Credentials {
  /** SOCKS5 and HTTP: the user name; SOCKS4: the user id. */
  readonly user: string;
  /** Empty for SOCKS4. */
  readonly password: string;
}

/** Each byte as the character with its number. */
export function latin1(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

/**
 * The isolation key for a stream: the same for the same credentials, and for the same host if hosts are
 * kept apart; empty when there is nothing to tell streams apart by.
 */
export function isolationKey(
  credentials: Credentials | undefined,
  host: string | undefined,
): string {
  if (credentials === undefined && host === undefined) return "";
  const { user, password } = credentials ?? { user: "", password: "" };
  const parts = host === undefined
    ? [user, password]
    : [user, password, host.toLowerCase()];
  return JSON.stringify(parts);
}

/**
 * The credentials of `Proxy-Authorization: Basic ...` (RFC 7617).
 *
 * @returns `undefined` if it is of another kind or no base64.
 */
export function basicCredentials(value: string): Credentials | undefined {
  const [, token] = /^basic +([A-Za-z0-9+/=_-]+) *$/i.exec(value) ?? [];
  if (token === undefined) return undefined;
  let text: string;
  try {
    text = latin1(Uint8Array.fromBase64(token));
  } catch {
    return undefined;
  }
  const colon = text.indexOf(":");
  return colon < 0
    ? { user: text, password: "" }
    : { user: text.slice(0, colon), password: text.slice(colon + 1) };
}
