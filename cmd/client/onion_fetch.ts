import { Front } from "../../lib/onion/front/front.ts";
import type {
  OnionStream,
  StreamOpener,
} from "../../lib/onion/stream/opener.ts";
import { StreamError } from "../../lib/onion/stream/stream_error.ts";
import { randomBytes } from "../../lib/protocol/mod.ts";
import { listenLocally } from "./local_listener.ts";
import type { LocalListener } from "./local_listener.ts";

/** Connections of the HTTP client to its front at once. */
const MAX_CONNECTIONS = 64;

/**
 * `fetch` through the onion. The platform's HTTP client does the work (redirects, TLS, HTTP/2), and its
 * connections go through a front of their own: a port on loopback that serves only who knows a secret
 * that was drawn for it. The same secret is the isolation key.
 */
export class OnionFetch {
  readonly #recorder: FailureRecorder;
  readonly #listener: LocalListener;
  readonly #client: Deno.HttpClient;

  /**
   * Opens the front.
   *
   * @param authorities certificates in PEM that are trusted besides the usual ones.
   * @param failed told what cannot be told in any other way.
   */
  constructor(
    opener: StreamOpener,
    authorities: readonly string[],
    failed: (error: unknown) => void,
  ) {
    this.#recorder = new FailureRecorder(opener);
    const [user, password] = [randomBytes(16).toHex(), randomBytes(32).toHex()];
    const front = new Front(this.#recorder, {
      failed,
      admit: (shown) => shown?.user === user && shown.password === password,
    });
    this.#listener = listenLocally({ host: "127.0.0.1", port: 0 }, {
      most: MAX_CONNECTIONS,
      serve: (connection) => front.serve(connection),
      failed,
    });
    this.#client = withoutExceptions(() =>
      Deno.createHttpClient({
        proxy: {
          url: `socks5h://${user}:${password}@${this.#listener.address}`,
        },
        caCerts: [...authorities],
      })
    );
  }

  /** As the platform's `fetch`. */
  async fetch(url: string, init: RequestInit): Promise<Response> {
    this.#recorder.failure = undefined;
    return await fetch(url, { ...init, client: this.#client });
  }

  /** What went wrong with a stream since the last `fetch` began: the HTTP client does not tell. */
  get failure(): StreamError | undefined {
    return this.#recorder.failure;
  }

  /** Drops everything that is under way. */
  async close(): Promise<void> {
    this.#client.close();
    await this.#listener.close();
  }
}

/** Keeps the last failure of a stream. */
class FailureRecorder implements StreamOpener {
  readonly #opener: StreamOpener;
  failure: StreamError | undefined;

  constructor(opener: StreamOpener) {
    this.#opener = opener;
  }

  async open(
    host: string,
    port: number,
    isolation: string,
    signal?: AbortSignal,
  ): Promise<OnionStream> {
    const stream = await this.#recorded(
      this.#opener.open(host, port, isolation, signal),
    );
    return {
      read: (buffer) => this.#recorded(stream.read(buffer)),
      write: (bytes) => this.#recorded(stream.write(bytes)),
      closeWrite: () => this.#recorded(stream.closeWrite()),
      close: () => stream.close(),
    };
  }

  resolve(
    name: string,
    isolation: string,
    signal?: AbortSignal,
  ): Promise<readonly string[]> {
    return this.#opener.resolve(name, isolation, signal);
  }

  async #recorded<T>(work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (error) {
      if (error instanceof StreamError) this.failure = error;
      throw error;
    }
  }
}

/**
 * Makes an HTTP client that takes its proxy for every host. The platform would go past the proxy, and
 * show who we are, to the hosts that NO_PROXY names; it reads that once, when the client is made.
 */
function withoutExceptions(make: () => Deno.HttpClient): Deno.HttpClient {
  const names = ["NO_PROXY", "no_proxy"];
  const before = names.map((name) => [name, Deno.env.get(name)] as const);
  for (const name of names) Deno.env.delete(name);
  try {
    return make();
  } finally {
    for (const [name, value] of before) {
      if (value !== undefined) Deno.env.set(name, value);
    }
  }
}
