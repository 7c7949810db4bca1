import { closeStream } from "../front/client_connection.ts";
import { parseHost } from "../front/destination.ts";
import { HttpUpstream } from "../front/http_upstream.ts";
import type { OnionStream, StreamOpener } from "../stream/opener.ts";
import { StreamError } from "../stream/stream_error.ts";
import { bridge } from "./loopback_bridge.ts";
import type { LoopbackBridge } from "./loopback_bridge.ts";

/** How to get to web servers. */
export interface WebAccess {
  readonly opener: StreamOpener;
  /** What differs in it does not share circuits. */
  readonly isolation: string;
  /** Certificates in PEM that are trusted besides the usual ones. */
  readonly authorities: readonly string[];
}

const PORTS: Readonly<Record<string, number>> = { "http:": 80, "https:": 443 };

/**
 * A connection to a web server through the onion, with TLS if the URL says so. The platform's own
 * `fetch` will not do, not even with a proxy: it asks the local resolver for every name, which tells
 * whoever runs that where we go, and it goes past its proxy to the hosts that NO_PROXY names.
 */
export class WebConnection {
  /** Requests go in here, responses come out. */
  readonly upstream: HttpUpstream;
  readonly #stream: OnionStream;
  readonly #bridge: LoopbackBridge | undefined;
  readonly #signal: AbortSignal;
  readonly #drop = () => this.#closeBoth();

  private constructor(
    stream: OnionStream,
    secured: Secured | undefined,
    signal: AbortSignal,
  ) {
    this.upstream = new HttpUpstream("", secured?.tls ?? stream);
    this.#stream = stream;
    this.#bridge = secured?.bridge;
    this.#signal = signal;
    signal.addEventListener("abort", this.#drop);
  }

  /**
   * Connects.
   *
   * @param signal gives it up, also later.
   * @throws {StreamError} if there is no stream.
   * @throws {Deno.errors.InvalidData} if the certificate is not right.
   */
  static async open(
    { opener, isolation, authorities }: WebAccess,
    url: URL,
    signal: AbortSignal,
  ): Promise<WebConnection> {
    const host = parseHost(url.hostname);
    const port = url.port === "" ? PORTS[url.protocol]! : Number(url.port);
    const stream = await opener.open(host, port, isolation, signal);
    const secured = url.protocol === "https:"
      ? await secure(stream, host, authorities, signal)
      : undefined;
    return new WebConnection(stream, secured, signal);
  }

  /**
   * Does something with the connection.
   *
   * @throws what has really broken it: beneath TLS a broken circuit looks like a mere end.
   */
  async during<T>(work: () => Promise<T>): Promise<T> {
    try {
      this.#signal.throwIfAborted();
      return await work();
    } catch (error) {
      this.close();
      this.#signal.throwIfAborted();
      const broken = await this.#bridge?.ended;
      throw broken instanceof StreamError ? broken : error;
    }
  }

  /** Lets go of it; may be called again. */
  close(): void {
    this.#signal.removeEventListener("abort", this.#drop);
    this.#closeBoth();
  }

  #closeBoth(): void {
    this.upstream.close();
    closeStream(this.#stream);
  }
}

/** What TLS needs and makes. */
interface Secured {
  readonly tls: Deno.TlsConn;
  readonly bridge: LoopbackBridge;
}

/** Shakes hands, and checks the certificate for `host`. */
async function secure(
  stream: OnionStream,
  host: string,
  authorities: readonly string[],
  signal: AbortSignal,
): Promise<Secured> {
  const between = await bridge(stream);
  const drop = () => closeStream(stream);
  signal.addEventListener("abort", drop);
  let tls: Deno.TlsConn | undefined;
  try {
    tls = await Deno.startTls(between.connection, {
      hostname: host,
      caCerts: [...authorities],
      alpnProtocols: ["http/1.1"],
    });
    await tls.handshake();
    return { tls, bridge: between };
  } catch (error) {
    closeStream(tls ?? between.connection);
    drop();
    const broken = await between.ended;
    signal.throwIfAborted();
    throw broken instanceof StreamError ? broken : error;
  } finally {
    signal.removeEventListener("abort", drop);
  }
}
