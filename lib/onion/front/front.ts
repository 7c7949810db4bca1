/**
 * The front of the onion: what curl, browsers and other programs connect to. One port speaks SOCKS5
 * (RFC 1928, 1929, and Tor's RESOLVE), SOCKS4 and 4a, and HTTP (CONNECT and plain requests); the first
 * byte tells which. User name and password are the isolation key.
 *
 * It resolves no names and makes no connections: both are asked of a `StreamOpener`. It does not look
 * into what is encrypted, keeps nothing, and says nothing about the proxy to a web server.
 *
 * @module
 */
import type { OnionStream, StreamOpener } from "../stream/opener.ts";
import { ClientConnection } from "./client_connection.ts";
import type { GateOptions } from "./gate.ts";
import { Gate } from "./gate.ts";
import { isOrdinaryEnd } from "./ordinary_end.ts";
import { serveHttp } from "./serve_http.ts";
import { serveSocks4, serveSocks5 } from "./serve_socks.ts";
import { SOCKS4_VERSION } from "./socks4.ts";
import { SOCKS5_VERSION } from "./socks5.ts";

/** How a front behaves. */
export interface FrontOptions extends GateOptions {
  /** Told what went wrong otherwise than by a client, a server or the way between them. */
  readonly failed: (error: unknown) => void;
  /** Milliseconds for a client to say what it wants; 10,000 if not given. */
  readonly patience?: number | undefined;
  /** Milliseconds that a client of plain HTTP may keep still between two requests; 60,000. */
  readonly idle?: number | undefined;
}

const PATIENCE = 10_000;
const IDLE = 60_000;

/** Serves clients over a {@linkcode StreamOpener}. */
export class Front {
  readonly #gate: Gate;
  readonly #options: FrontOptions;

  /** Asks `opener` for every stream. */
  constructor(opener: StreamOpener, options: FrontOptions) {
    this.#gate = new Gate(opener, options);
    this.#options = options;
  }

  /**
   * Serves one client and closes its connection. Does not throw. To end it from outside, close
   * `connection`.
   */
  async serve(connection: OnionStream): Promise<void> {
    const client = new ClientConnection(connection);
    try {
      await this.#serve(client);
    } catch (error) {
      if (!isOrdinaryEnd(error)) this.#options.failed(error);
    } finally {
      client.close();
    }
  }

  async #serve(client: ClientConnection): Promise<void> {
    const { patience = PATIENCE, idle = IDLE } = this.#options;
    client.deadline(patience);
    const first = await client.input.peek();
    if (first === SOCKS5_VERSION) return await serveSocks5(client, this.#gate);
    if (first === SOCKS4_VERSION) return await serveSocks4(client, this.#gate);
    if (first !== undefined && isUpperCase(first)) {
      await serveHttp(client, this.#gate, { head: patience, idle });
    }
    // Else it is TLS, or nothing that is known: there is no answer that it would understand.
  }
}

/** Methods of HTTP begin with a letter; those that exist with a capital one. */
function isUpperCase(byte: number): boolean {
  return byte >= 0x41 && byte <= 0x5a;
}
