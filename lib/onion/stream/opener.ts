import type { ByteStream } from "../../protocol/mod.ts";

/** A connection through a circuit, or straight from an exit: TCP with both directions closed apart. */
export interface OnionStream extends ByteStream {
  /** Nothing more will be written; what the other side still sends can be read. */
  closeWrite(): Promise<void>;
}

/** Opens streams. What differs in `isolation` never shares a circuit. */
export interface StreamOpener {
  /**
   * Connects to `host` (a name, resolved at the exit, or an IP address) and `port`.
   *
   * @param isolation any text; streams with different ones use different circuits.
   * @param signal gives the attempt up.
   * @throws {StreamError} if it does not come to be.
   */
  open(
    host: string,
    port: number,
    isolation: string,
    signal?: AbortSignal,
  ): Promise<OnionStream>;
  /**
   * The IP addresses of a name, asked for at an exit; of an IP address its names.
   *
   * @throws {StreamError} if there is none.
   */
  resolve(
    name: string,
    isolation: string,
    signal?: AbortSignal,
  ): Promise<readonly string[]>;
}
