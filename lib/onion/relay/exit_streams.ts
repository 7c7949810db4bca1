import type { Bytes } from "../../protocol/mod.ts";
import { writeAll } from "../../protocol/mod.ts";
import type { RelayMessage } from "../cell/message.ts";
import type { ExitDialer } from "../exit/exit.ts";
import type { CircuitStream } from "../stream/circuit_stream.ts";
import type { OnionStream } from "../stream/opener.ts";
import { discard } from "../cell/discard.ts";
import { StreamError } from "../stream/stream_error.ts";
import { StreamMux } from "../stream/stream_mux.ts";
import type { MessagePort, StreamAcceptor } from "../stream/stream_mux.ts";
import type { Destination } from "../stream/stream_message.ts";
import type { CircuitService } from "./relay_circuit.ts";

/** The exit's end of a circuit: streams to the world. */
export class ExitStreams implements CircuitService, StreamAcceptor {
  readonly #mux: StreamMux;
  readonly #dialer: ExitDialer;
  readonly #open = new Set<OnionStream>();
  readonly #gone = new AbortController();

  constructor(port: MessagePort, dialer: ExitDialer) {
    this.#mux = new StreamMux(port, this);
    this.#dialer = dialer;
  }

  /** Since when the oldest data have waited for a destination. */
  get oldest(): number | undefined {
    return this.#mux.oldest;
  }

  handle(message: RelayMessage, units: number, sealed: Bytes): void {
    this.#mux.handle(message, units, sealed);
  }

  lost(): void {
    const error = new StreamError(
      "circuit-gone",
      "Cannot go on: the circuit is gone",
    );
    this.#gone.abort(error);
    this.#mux.lost(error);
    for (const connection of this.#open) connection.close();
    this.#open.clear();
  }

  begin(stream: CircuitStream, { host, port }: Destination): void {
    this.#serve(stream, host, port).catch((error) => {
      stream.abort(error instanceof StreamError ? error.reason : "misc");
    });
  }

  resolve(id: number, name: string): void {
    this.#dialer.resolve(name).then(
      (answers) => this.#mux.resolved(id, answers),
      (error) => {
        const known = error instanceof StreamError;
        this.#mux.sendEnd(id, known ? error.reason : "resolve-failed");
      },
    );
  }

  async #serve(
    stream: CircuitStream,
    host: string,
    port: number,
  ): Promise<void> {
    const { signal } = this.#gone;
    const connection = await this.#dialer.connect(host, port, signal);
    if (signal.aborted || stream.failure !== undefined) {
      return connection.close();
    }
    this.#open.add(connection);
    try {
      this.#mux.connected(stream.id);
      await Promise.all([
        outward(stream, connection),
        inward(stream, connection),
      ]);
    } finally {
      if (this.#open.delete(connection)) connection.close();
    }
  }
}

/** From the client to the world. */
async function outward(
  stream: CircuitStream,
  connection: OnionStream,
): Promise<void> {
  try {
    for (;;) {
      const data = await stream.next();
      if (data === null) break;
      await writeAll(connection, data);
      discard(data);
    }
    await connection.closeWrite();
  } catch (error) {
    // The other direction waits for the destination, which will never know of it otherwise.
    connection.close();
    throw error;
  }
}

/** From the world to the client. */
async function inward(
  stream: CircuitStream,
  connection: OnionStream,
): Promise<void> {
  while (await stream.pass((space) => connection.read(space)));
  await stream.closeWrite();
}
