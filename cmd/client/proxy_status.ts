import type { Io } from "../io.ts";
import { Log } from "../log.ts";
import { MovingRate } from "../moving_rate.ts";
import { formatSize } from "../size.ts";
import type { OnionLink } from "./onion_link.ts";
import type { StreamMeter } from "./stream_meter.ts";

/** Between two looks, in milliseconds. */
const EVERY = 1_000;

/**
 * A line on standard error, where a person reads there, that says how things stand; and above it what
 * went wrong. It names no host.
 */
export class ProxyStatus {
  /** What is said once. */
  readonly log: Log;
  readonly #io: Io;
  readonly #onion: OnionLink;
  readonly #meter: StreamMeter;
  readonly #down: MovingRate;
  readonly #up: MovingRate;
  readonly #timer: ReturnType<typeof setInterval> | undefined;

  /** Shows nothing if `quiet`. */
  constructor(io: Io, onion: OnionLink, meter: StreamMeter, quiet: boolean) {
    this.#io = io;
    this.#onion = onion;
    this.#meter = meter;
    this.log = new Log({
      level: quiet ? "error" : "info",
      format: "text",
      out: io.stderr,
      now: () => io.now(),
    });
    this.#down = new MovingRate(io.now(), 0);
    this.#up = new MovingRate(io.now(), 0);
    if (io.stderr.isTerminal && !quiet) {
      this.#timer = setInterval(() => this.#show(), EVERY);
    }
  }

  /** Takes the line away. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.log.close();
  }

  #show(): void {
    const { streams, received, sent } = this.#meter;
    const now = this.#io.now();
    const rate = (each: MovingRate, bytes: number) =>
      `${formatSize(Math.round(each.measure(now, bytes) ?? 0))}/s`;
    this.log.status({
      circuits: this.#onion.status().circuits,
      streams,
      down: rate(this.#down, received),
      up: rate(this.#up, sent),
    });
  }
}
