import { Backoff } from "../../lib/net/mod.ts";
import type { Field, WebResponse } from "../../lib/onion/mod.ts";
import { CommandError } from "../errors.ts";
import { Patience, StallError } from "./patience.ts";
import type { Resource } from "./resource.ts";
import { isSame, resourceOf } from "./resource.ts";

/** Where the bytes go. */
export interface FetchSink {
  /** How many there are. */
  readonly length: number;
  write(bytes: Uint8Array): Promise<void>;
  /** Forgets them; false if that cannot be done. */
  restart(): Promise<boolean>;
  /** Keeps what is known for a later run. */
  remember(resource: Resource): Promise<void>;
}

/** The way a fetch goes. */
export interface FetchPlan {
  /** Asks for the resource, or the rest of it; gives up when the patience ends. */
  ask(fields: readonly Field[], patience: Patience): Promise<WebResponse>;
  /** Whether a request that failed like this is worth another one. */
  isPassing(error: unknown): boolean;
  /** Looks at the first response; may throw to go no further. */
  accept(response: WebResponse): Promise<void>;
  /** What was known before. */
  readonly known: Resource | undefined;
  /** Attempts after one that brought nothing. */
  readonly retries: number;
  /** Longest time in which nothing comes, in milliseconds. */
  readonly stall: number;
  readonly signal: AbortSignal;
  moved(done: number, total: number | undefined): void;
  /** Tells the person. */
  note(text: string): Promise<void>;
  /** Waits. */
  pause(milliseconds: number): Promise<void>;
  /** Why something failed, in words. */
  describe(error: unknown): string;
}

/** What came of it. */
export interface FetchOutcome {
  /** The last response; its body has been read. */
  readonly response: WebResponse;
  /** How many requests it took. */
  readonly attempts: number;
}

/** The transfer was cut off, or nothing comes any more; another attempt may bring the rest. */
class CutError extends Error {
  override readonly name = "CutError";
}

/** Fetches a resource into a sink, in as many attempts as it takes. */
export class ResumedFetch {
  readonly #plan: FetchPlan;
  readonly #sink: FetchSink;
  readonly #backoff = new Backoff({ first: 500, longest: 30_000 });
  #known: Resource | undefined;
  #attempts = 0;
  #accepted = false;

  constructor(plan: FetchPlan, sink: FetchSink) {
    this.#plan = plan;
    this.#sink = sink;
    this.#known = plan.known;
  }

  /**
   * Does it.
   *
   * @throws the last failure when there are no attempts left, or none would help.
   */
  async run(): Promise<FetchOutcome> {
    let left = this.#plan.retries;
    for (;;) {
      const before = this.#sink.length;
      try {
        this.#attempts++;
        const response = await this.#attempt();
        return { response, attempts: this.#attempts };
      } catch (error) {
        this.#plan.signal.throwIfAborted();
        if (!(error instanceof CutError)) throw error;
        if (this.#sink.length > before) {
          left = this.#plan.retries;
          this.#backoff.reset();
        }
        if (left-- <= 0) throw error.cause;
        const why = this.#plan.describe(error.cause);
        await this.#plan.note(`${why}; trying again`);
        await this.#plan.pause(this.#backoff.next());
      }
    }
  }

  async #attempt(): Promise<WebResponse> {
    const patience = new Patience(this.#plan.stall, this.#plan.signal);
    const response = await this.#ask(patience);
    try {
      const body = await this.#begin(response);
      if (body === "rest") await this.#carry(response, patience);
      return response;
    } finally {
      response.close();
    }
  }

  async #ask(patience: Patience): Promise<WebResponse> {
    const validator = this.#known?.validator;
    if (this.#sink.length > 0 && validator === undefined) {
      await this.#startAnew("the server does not say whether it has changed");
    }
    const fields: Field[] = this.#sink.length > 0 && validator !== undefined
      ? [["Range", `bytes=${this.#sink.length}-`], ["If-Range", validator]]
      : [];
    try {
      return await patience.within(this.#plan.ask(fields, patience));
    } catch (error) {
      if (error instanceof StallError || this.#plan.isPassing(error)) {
        throw new CutError("Cut", { cause: error });
      }
      throw error;
    }
  }

  /** Sees to it that what comes fits what is there. */
  async #begin(response: WebResponse): Promise<"rest" | "whole"> {
    const isRest = this.#sink.length > 0;
    if (isRest && response.status === 416) return await this.#endOf(response);
    if (isRest && !response.ok) {
      throw cut(`The server says ${response.statusText}`);
    }
    if (!this.#accepted) await this.#plan.accept(response);
    this.#accepted = true;
    if (!response.ok) return "rest";
    if (response.status === 206) {
      if (isRest && this.#fits(response)) return "rest";
      await this.#startAnew("the server sent another part than it was asked");
      throw cut("The server sent a part that does not fit");
    }
    if (isRest) {
      const why = isSame(this.#known, response)
        ? "the server cannot send only the rest"
        : "it has changed there";
      await this.#startAnew(why);
    }
    this.#known = resourceOf(response);
    await this.#sink.remember(this.#known);
    return "rest";
  }

  /** There is nothing behind what is here: all of it is, or it has changed. */
  async #endOf(response: WebResponse): Promise<"whole"> {
    const range = response.field("content-range");
    if (range === `bytes */${this.#sink.length}`) return "whole";
    await this.#startAnew("it has changed there");
    throw cut("The rest was not there");
  }

  #fits(response: WebResponse): boolean {
    const range = response.field("content-range") ?? "";
    const parts = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(range);
    if (parts === null || Number(parts[1]) !== this.#sink.length) return false;
    if (parts[2] === "*") return true;
    const { validator, total = Number(parts[2]) } = this.#known ?? {};
    this.#known = { validator, total };
    return Number(parts[2]) === total;
  }

  async #startAnew(why: string): Promise<void> {
    if (!await this.#sink.restart()) {
      throw new CommandError(`Cannot go on: ${why}`, {
        hint: "--output FILE can begin again from the start",
      });
    }
    this.#known = undefined;
    await this.#plan.note(`${why}; it begins again from the start`);
  }

  async #carry(response: WebResponse, patience: Patience): Promise<void> {
    const total = response.ok ? this.#known?.total : undefined;
    this.#plan.moved(this.#sink.length, total);
    for (;;) {
      const bytes = await next(response, patience);
      if (bytes === undefined) break;
      await this.#sink.write(bytes);
      this.#plan.moved(this.#sink.length, total);
    }
    // A part may be shorter than what was asked for.
    if (response.status === 206 && this.#sink.length !== total) {
      throw cut("The server sent less than it was asked");
    }
  }
}

function cut(why: string): CutError {
  return new CutError("Cut", { cause: new Error(why) });
}

async function next(
  response: WebResponse,
  patience: Patience,
): Promise<Uint8Array | undefined> {
  try {
    return await patience.within(response.read());
  } catch (cause) {
    throw new CutError("Cut", { cause });
  }
}
