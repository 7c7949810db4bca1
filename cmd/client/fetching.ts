import { RedirectError } from "../../lib/onion/mod.ts";
import type {
  WebClient,
  WebRequest,
  WebResponse,
} from "../../lib/onion/mod.ts";
import { CommandError } from "../errors.ts";
import type { Io } from "../io.ts";
import { OutputClosedError } from "../io.ts";
import { printable } from "../printable.ts";
import { Progress } from "../progress.ts";
import { fetchFailure, fetchHint, isPassing } from "./fetch_failure.ts";
import { ResumedFetch } from "./fetch_resumed.ts";
import type { FetchOutcome, FetchSink } from "./fetch_resumed.ts";
import { PartFile } from "./part_file.ts";
import { StdoutSink } from "./stdout_sink.ts";

/** How something is fetched. */
export interface FetchSettings {
  /** The file to write, or `undefined` for standard output. */
  readonly file: string | undefined;
  /** Goes on with what is left of an earlier attempt. */
  readonly resume: boolean;
  /** An error of the server is a failure. */
  readonly fail: boolean;
  /** Shows the header too. */
  readonly include: boolean;
  /** Attempts after one that brought nothing. */
  readonly retries: number;
  /** Longest time in which nothing comes, in milliseconds. */
  readonly stall: number;
  readonly json: boolean;
  readonly quiet: boolean;
}

/** May be sent again when nobody knows what became of it (RFC 9110 §9.2.2). */
const REPEATABLE: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS"]);

/** One fetch, and what the person sees of it. */
export class Fetching {
  readonly #io: Io;
  readonly #settings: FetchSettings;
  readonly #request: WebRequest;
  readonly #web: WebClient;
  readonly #progress: Progress;
  readonly #begun: number;

  constructor(
    io: Io,
    settings: FetchSettings,
    request: WebRequest,
    web: WebClient,
  ) {
    this.#io = io;
    this.#settings = settings;
    this.#request = request;
    this.#web = web;
    this.#begun = io.now();
    const { pathname, host } = request.url;
    const path = settings.file ?? pathname;
    this.#progress = new Progress(io, {
      name: path.split("/").findLast(Boolean) ?? host,
      // Two that write to one terminal would write over each other.
      quiet: settings.quiet ||
        (settings.file === undefined && io.stdout.isTerminal),
    });
  }

  /**
   * Fetches it.
   *
   * @returns the exit code.
   * @throws {CommandError} if it cannot be had.
   */
  async run(pause: (milliseconds: number) => Promise<void>): Promise<number> {
    const { file } = this.#settings;
    const ticking = setInterval(() => this.#progress.tick(), 1_000);
    try {
      if (file === undefined) {
        await this.#into(new StdoutSink(this.#io.stdout), undefined, pause);
      } else await this.#intoFile(file, pause);
    } finally {
      clearInterval(ticking);
      await this.#progress.finish();
    }
    return 0;
  }

  async #intoFile(
    path: string,
    pause: (milliseconds: number) => Promise<void>,
  ): Promise<void> {
    const { resume, json, quiet } = this.#settings;
    const part = await PartFile.open(path, this.#request.url.href, resume);
    try {
      const from = part.length;
      if (resume && from === 0 && !quiet) {
        await this.#progress.note("nothing to go on with: it begins anew");
      }
      const { response } = await this.#into(part, part, pause);
      await part.complete();
      await this.#progress.finish(true);
      if (!json) return;
      const summary = {
        url: withoutSecrets(response.url),
        status: response.status,
        file: path,
        bytes: part.length,
        resumedAt: from,
        milliseconds: this.#io.now() - this.#begun,
      };
      await this.#io.stdout.write(`${JSON.stringify(summary)}\n`);
    } finally {
      await part.close();
    }
  }

  async #into(
    sink: FetchSink,
    part: PartFile | undefined,
    pause: (milliseconds: number) => Promise<void>,
  ): Promise<FetchOutcome> {
    const { retries, stall } = this.#settings;
    const { method } = this.#request;
    const fetching = new ResumedFetch({
      ask: (fields, patience) =>
        this.#web.send(
          { ...this.#request, fields: [...this.#request.fields, ...fields] },
          patience.signal,
          () => patience.moved(),
        ),
      isPassing,
      accept: (response) => this.#accept(response),
      known: part?.known,
      retries: REPEATABLE.has(method) ? retries : 0,
      stall,
      signal: this.#io.signal,
      moved: (done, total) => this.#progress.update(done, total),
      note: async (text) => {
        if (!this.#settings.quiet) await this.#progress.note(text);
      },
      pause,
      describe: fetchFailure,
    }, sink);
    try {
      return await fetching.run();
    } catch (error) {
      this.#io.signal.throwIfAborted();
      if (error instanceof RedirectError) throw new CommandError(error.message);
      const isOurs = error instanceof CommandError ||
        error instanceof OutputClosedError;
      if (isOurs) throw error;
      throw this.#explain(error, part);
    }
  }

  /** An error of the server is a page like any other, but no file. */
  async #accept(response: WebResponse): Promise<void> {
    const { fail, file, include } = this.#settings;
    if (file === undefined ? fail && response.status >= 400 : !response.ok) {
      throw new CommandError(
        `Cannot fetch ${this.#name}: the server says ${response.statusText}`,
      );
    }
    if (!include) return;
    const lines = [
      `HTTP ${response.statusText}`,
      ...response.fields.map(([name, value]) => `${name}: ${value}`),
    ];
    const { stdout } = this.#io;
    const text = lines.map((line) => stdout.isTerminal ? printable(line) : line)
      .join("\n");
    await stdout.write(`${text}\n\n`);
  }

  #explain(error: unknown, part: PartFile | undefined): CommandError {
    const hint = part !== undefined && part.length > 0
      ? "the same command with --resume goes on where it was"
      : fetchHint(error);
    return new CommandError(`Cannot fetch ${this.#name}`, {
      cause: new Error(fetchFailure(error), { cause: error }),
      ...hint === undefined ? {} : { hint },
    });
  }

  /** Without what may be secret in it. */
  get #name(): string {
    const { origin, pathname } = this.#request.url;
    return origin + pathname;
  }
}

function withoutSecrets(url: URL): string {
  const shown = new URL(url);
  shown.username = shown.password = "";
  return shown.href;
}
