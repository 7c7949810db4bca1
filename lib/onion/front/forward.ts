import type { OnionStream, StreamOpener } from "../stream/opener.ts";
import { StreamError } from "../stream/stream_error.ts";
import { ClientConnection } from "./client_connection.ts";
import type { Destination } from "./destination.ts";
import { Gate } from "./gate.ts";
import { joinStreams } from "./join_streams.ts";
import { isOrdinaryEnd } from "./ordinary_end.ts";

/** Who is told what goes wrong. */
export interface ForwardOptions {
  /** The destination could not be reached; the client can be told in no other way. */
  readonly refused: (error: StreamError) => void;
  /** As with a front: what neither client, server nor circuit can cause. */
  readonly failed: (error: unknown) => void;
}

/** Carries every client to one and the same destination, for programs that know nothing of proxies. */
export class Forward {
  readonly #gate: Gate;
  readonly #destination: Destination;
  readonly #options: ForwardOptions;

  /** Asks `opener` for a stream to `destination` for every client. */
  constructor(
    opener: StreamOpener,
    destination: Destination,
    options: ForwardOptions,
  ) {
    this.#gate = new Gate(opener, { isolateHosts: true });
    this.#destination = destination;
    this.#options = options;
  }

  /** Serves one client and closes its connection. Does not throw. */
  async serve(connection: OnionStream): Promise<void> {
    const client = new ClientConnection(connection);
    try {
      const stream = await this.#open(client);
      if (stream !== undefined) await joinStreams(client, stream);
    } catch (error) {
      if (!isOrdinaryEnd(error)) this.#options.failed(error);
    } finally {
      client.close();
    }
  }

  async #open(client: ClientConnection): Promise<OnionStream | undefined> {
    try {
      return await this.#gate.open(client, this.#destination, undefined, true);
    } catch (error) {
      if (!(error instanceof StreamError)) throw error;
      this.#options.refused(error);
      return undefined;
    }
  }
}
