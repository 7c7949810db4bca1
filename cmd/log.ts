import type { Output } from "./io.ts";
import { fitWidth } from "./display_width.ts";
import { printable } from "./printable.ts";

/** From the least to the most important. "error" is for what the operator must look into. */
export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;

/** One of {@linkcode LOG_LEVELS}. */
export type LogLevel = typeof LOG_LEVELS[number];

/** Lines for people, or one JSON object a line. */
export type LogFormat = "text" | "json";

/**
 * What is said beside the event: numbers, flags and short words. No content of letters and no keys ever
 * go here (the type has no place for bytes); on relays no addresses either.
 */
export type LogFields = Readonly<Record<string, string | number | boolean>>;

/** How a log is kept. */
export interface LogOptions {
  readonly level: LogLevel;
  readonly format: LogFormat;
  readonly out: Output;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** Lines that wait for a slow reader before further ones are dropped and counted. */
const WAITING_LIMIT = 1000;

/**
 * The log of a server: one line per event, in the order of the calls. A log that cannot be written (disk
 * full, pipe closed) never stops the server.
 *
 * On a terminal it also keeps a status line below the last event; elsewhere a status is an event.
 */
export class Log {
  readonly #options: LogOptions;
  readonly #least: number;
  #status = "";
  #waiting = 0;
  #dropped = 0;
  #written: Promise<void> = Promise.resolve();

  constructor(options: LogOptions) {
    this.#options = options;
    this.#least = LOG_LEVELS.indexOf(options.level);
  }

  debug(event: string, fields: LogFields = {}): void {
    this.#line("debug", event, fields);
  }

  info(event: string, fields: LogFields = {}): void {
    this.#line("info", event, fields);
  }

  warn(event: string, fields: LogFields = {}): void {
    this.#line("warn", event, fields);
  }

  error(event: string, fields: LogFields = {}): void {
    this.#line("error", event, fields);
  }

  /** How things stand now; takes the place of the status before. */
  status(fields: LogFields): void {
    if (!this.#keepsStatusLine) return this.#line("info", "status", fields);
    const { columns } = this.#options.out;
    this.#status = fitWidth(textFields(fields).trim(), columns - 1);
    this.#write(`\r\x1b[K${this.#status}`);
  }

  /** Waits until all lines are written and takes the status line away. */
  async close(): Promise<void> {
    if (this.#status !== "") this.#write("\r\x1b[K");
    this.#status = "";
    await this.#written;
  }

  get #keepsStatusLine(): boolean {
    return this.#options.format === "text" && this.#options.out.isTerminal;
  }

  #line(level: LogLevel, event: string, fields: LogFields): void {
    if (LOG_LEVELS.indexOf(level) < this.#least) return;
    const line = this.#format(level, event, fields);
    this.#write(
      this.#status === "" ? `${line}\n` : `\r\x1b[K${line}\n${this.#status}`,
    );
  }

  #format(level: LogLevel, event: string, fields: LogFields): string {
    const time = new Date(this.#options.now()).toISOString();
    return this.#options.format === "json"
      ? JSON.stringify({ ...fields, time, level, event })
      : `${time} ${level.padEnd(5)} ${printable(event)}${textFields(fields)}`;
  }

  #write(text: string): void {
    if (this.#waiting >= WAITING_LIMIT) {
      this.#dropped++;
      return;
    }
    const lost = this.#dropped === 0 ? "" : this.#lostLine();
    this.#dropped = 0;
    this.#waiting++;
    this.#written = this.#written
      .then(() => this.#options.out.write(lost + text))
      .catch(() => {})
      .finally(() => this.#waiting--);
  }

  #lostLine(): string {
    return this.#format("warn", "log lines lost", { count: this.#dropped }) +
      "\n";
  }
}

function textFields(fields: LogFields): string {
  return Object.entries(fields).map(([name, value]) => {
    const text = printable(String(value));
    const quoted = text === "" || /[\s"=]/.test(text);
    return ` ${name}=${quoted ? JSON.stringify(text) : text}`;
  }).join("");
}
