import type { OnionStream, StreamOpener } from "../stream/opener.ts";
import type { ClientConnection } from "./client_connection.ts";
import { closeStream } from "./client_connection.ts";
import type { Credentials } from "./credentials.ts";
import { isolationKey } from "./credentials.ts";
import type { Destination } from "./destination.ts";

/** What a {@linkcode Gate} may be told. */
export interface GateOptions {
  /** Streams to different hosts never share a circuit. */
  readonly isolateHosts?: boolean | undefined;
  /** Who may come in; everybody, if not given. Without credentials it is asked with `undefined`. */
  readonly admit?:
    | ((credentials: Credentials | undefined) => boolean)
    | undefined;
}

/** Whoever wants to get out, gets out here: it asks the opener, with the right isolation key. */
export class Gate {
  readonly #opener: StreamOpener;
  readonly #options: GateOptions;

  /** Asks `opener` for streams. */
  constructor(opener: StreamOpener, options: GateOptions) {
    this.#opener = opener;
    this.#options = options;
  }

  /** Whether somebody with these credentials is served. */
  admits(credentials: Credentials | undefined): boolean {
    return this.#options.admit?.(credentials) ?? true;
  }

  /**
   * Opens a stream for `client`, and gives it up when the client goes away before it is open.
   *
   * @param patient whether a client that says nothing more still waits for the answer; in a tunnel it
   * has gone.
   * @throws {StreamError} if there is no stream.
   */
  async open(
    client: ClientConnection,
    { host, port }: Destination,
    credentials: Credentials | undefined,
    patient: boolean,
  ): Promise<OnionStream> {
    const key = this.#keyOf(credentials, host);
    return await whileThere(client, patient, async (signal) => {
      const stream = await this.#opener.open(host, port, key, signal);
      if (!client.closed) return stream;
      closeStream(stream);
      throw signal.reason;
    });
  }

  /** Resolves a name, or an address to names, for `client`. */
  async resolve(
    client: ClientConnection,
    name: string,
    credentials: Credentials | undefined,
  ): Promise<readonly string[]> {
    const key = this.#keyOf(credentials, name);
    return await whileThere(
      client,
      false,
      (signal) => this.#opener.resolve(name, key, signal),
    );
  }

  #keyOf(credentials: Credentials | undefined, host: string): string {
    const { isolateHosts } = this.#options;
    return isolationKey(credentials, isolateHosts ? host : undefined);
  }
}

async function whileThere<T>(
  client: ClientConnection,
  patient: boolean,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const gone = new AbortController();
  let done = false;
  client.input.watch().then((seen) => {
    if (done || seen === "bytes" || (seen === "end" && patient)) return;
    client.close();
    gone.abort();
  });
  try {
    return await work(gone.signal);
  } finally {
    done = true;
  }
}
