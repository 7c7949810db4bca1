import type { Bytes } from "../protocol/mod.ts";
import { equalConstantTime, MalformedError } from "../protocol/mod.ts";
import { formatFingerprint, parseFingerprint } from "./fingerprint.ts";
import type { ServerAddress } from "./server_address.ts";
import {
  formatServerAddress,
  isOnion,
  parseServerAddress,
} from "./server_address.ts";

/** How the key that a server shows stands to the one it showed before. */
export type PinVerdict = "new" | "match" | { readonly changed: Bytes };

/** A server shows another key than the one that is pinned: the connection must not be used. */
export class ServerKeyChangedError extends Error {
  /** The name of this class. */
  override readonly name = "ServerKeyChangedError";
  /** Stable, for programs. */
  readonly code = "ERR_SERVER_KEY_CHANGED";

  /** `host:port`. */
  readonly address: string;
  /** The pinned fingerprint, 32 bytes. */
  readonly expected: Bytes;
  /** The one it showed, 32 bytes. */
  readonly seen: Bytes;

  /** `address` is `host:port`; `expected` and `seen` are fingerprints of 32 bytes. */
  constructor(address: string, expected: Bytes, seen: Bytes) {
    super(
      `Cannot trust ${address}: THE SERVER'S KEY HAS CHANGED, somebody may be between you and the server`,
    );
    this.address = address;
    this.expected = expected;
    this.seen = seen;
  }

  /** All that a person needs to decide, in several lines. */
  get warning(): string {
    return `THE KEY OF ${this.address} HAS CHANGED

  pinned: ${formatFingerprint(this.expected)}
  shown:  ${formatFingerprint(this.seen)}

Somebody may be between you and the server, reading along, or the server was set up anew.
The connection was given up. Ask whoever runs the server for its fingerprint, by another way.
Only if it is the one shown, remove the line of ${this.address} from known_servers and try again.
`;
  }
}

/** A line of the file; comments, blank lines and lines with a pin are all kept as they were written. */
interface Line {
  readonly text: string;
  readonly pin?: { readonly address: string; readonly fingerprint: Bytes };
}

/**
 * The servers whose keys are known: a text of lines `host:port FINGERPRINT`, behind which anything may
 * stand, and of comments that begin with `#`. Immutable; reading and writing the file is the caller's.
 */
export class KnownServers {
  readonly #lines: readonly Line[];

  private constructor(lines: readonly Line[]) {
    this.#lines = lines;
  }

  /**
   * Reads the file; an empty text is an empty file.
   *
   * @throws {MalformedError} if a line does not parse or pins a server for the second time. The message
   * names the line. To skip it would be to trust whatever key its server shows next.
   */
  static parse(text: string): KnownServers {
    const lines: Line[] = [];
    const seen = new Set<string>();
    const texts = text.split(/\r?\n/);
    if (texts.at(-1) === "") texts.pop();
    for (const [index, line] of texts.entries()) {
      const parsed = parseLine(line, index + 1);
      if (parsed.pin !== undefined) {
        if (seen.has(parsed.pin.address)) {
          throw malformed(index + 1, "pins a server for the second time");
        }
        seen.add(parsed.pin.address);
      }
      lines.push(parsed);
    }
    return new KnownServers(lines);
  }

  /** The text of the file, every line as it was read or added. */
  format(): string {
    return this.#lines.map((line) => line.text + "\n").join("");
  }

  /** How many servers are pinned. */
  get size(): number {
    return this.#lines.filter((line) => line.pin !== undefined).length;
  }

  /** The pinned fingerprint (32 bytes) of a server, if there is one. */
  pinned(host: string, port: number): Bytes | undefined {
    const address = keyOf(host, port);
    return this.#lines.find((line) => line.pin?.address === address)?.pin
      ?.fingerprint;
  }

  /** Compares the fingerprint (32 bytes) that a server shows with the pinned one. */
  check(host: string, port: number, fingerprint: Bytes): PinVerdict {
    const known = this.pinned(host, port);
    if (known === undefined) return "new";
    return equalConstantTime(known, fingerprint) ? "match" : { changed: known };
  }

  /** The same servers with this one pinned: its line is replaced, or a new one added at the end. */
  with(host: string, port: number, fingerprint: Bytes): KnownServers {
    const address = keyOf(host, port);
    const text = `${address} ${formatFingerprint(fingerprint, "")}`;
    const line = { text, pin: { address, fingerprint } };
    const at = this.#lines.findIndex((old) => old.pin?.address === address);
    return new KnownServers(
      at < 0 ? [...this.#lines, line] : this.#lines.with(at, line),
    );
  }

  /** The same servers without this one. */
  without(host: string, port: number): KnownServers {
    const address = keyOf(host, port);
    return new KnownServers(
      this.#lines.filter((line) => line.pin?.address !== address),
    );
  }
}

function keyOf(host: string, port: number): string {
  return formatServerAddress({ host: host.toLowerCase(), port });
}

function parseLine(text: string, number: number): Line {
  const [place, print] = text.trim().split(/\s+/);
  if (!place || place.startsWith("#")) return { text };
  let server: ServerAddress;
  let fingerprint: Bytes;
  try {
    server = parseServerAddress(place);
    fingerprint = parseFingerprint(print ?? "");
  } catch (cause) {
    throw malformed(number, "is not host:port and a fingerprint", cause);
  }
  if (server.fingerprint !== undefined && !isOnion(server.host)) {
    throw malformed(number, "has a fingerprint in its address");
  }
  const address = formatServerAddress(server);
  return { text, pin: { address, fingerprint } };
}

function malformed(
  line: number,
  seen: string,
  cause?: unknown,
): MalformedError {
  return new MalformedError(
    `Cannot read the known servers: line ${line} ${seen}`,
    { cause },
  );
}
