import { assertEquals } from "@std/assert";
import type { Lab } from "../../../lib/lab/mod.ts";
import { sourceProgram } from "../../support/program.ts";

/** Something that `client chat --private --json` says. */
export interface ChatEvent {
  readonly event: string;
  readonly [name: string]: unknown;
}

const PATIENCE = 90_000;

/** A person's `client chat --private` as a process, with a test at its keyboard. */
export class Chatter {
  /** All that it has said so far. */
  readonly events: ChatEvent[] = [];
  readonly #child: Deno.ChildProcess;
  readonly #keys: WritableStreamDefaultWriter<Uint8Array>;
  readonly #reading: Promise<void>;
  readonly #errors: Promise<string>;
  #ended = false;

  private constructor(child: Deno.ChildProcess) {
    this.#child = child;
    this.#keys = child.stdin.getWriter();
    this.#reading = this.#read();
    this.#errors = new Response(child.stderr).text();
  }

  /** Starts it for somebody of a lab. */
  static async start(
    lab: Lab,
    person: string,
    ...args: string[]
  ): Promise<Chatter> {
    const { command: [program = "", ...rest], env } = await sourceProgram();
    const child = new Deno.Command(program, {
      args: [...rest, "client", "chat", "--private", "--json", ...args],
      env: { ...env, ...lab.environment(person) },
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    return new Chatter(child);
  }

  /** Types a line. */
  async type(line: string): Promise<void> {
    await this.#keys.write(new TextEncoder().encode(`${line}\n`));
  }

  /** Types a line that is a text; its id. */
  async say(text: string): Promise<string> {
    await this.type(text);
    const { id } = await this.waitFor("said", (each) => each["text"] === text);
    return String(id);
  }

  /** Those of a kind, as of `from` in `events`. */
  of(event: string, from = 0): ChatEvent[] {
    return this.events.slice(from).filter((each) => each.event === event);
  }

  /** Texts that have come, in order. */
  get shown(): string[] {
    return this.of("text").map(({ text }) => String(text));
  }

  /** States that a text of one's own has been in. */
  statesOf(id: string): string[] {
    return this.of("state").filter((each) => each["id"] === id)
      .map(({ state }) => String(state));
  }

  /** How exchange rounds have ended that were over as of `from` in `events`. */
  outcomes(from = 0): string[] {
    return this.of("round-over", from)
      .filter((each) => each["kind"] === "exchange")
      .map(({ outcome }) => String(outcome));
  }

  /**
   * Waits for something of a kind, said already or not, as of `from` in `events`.
   *
   * @throws {Error} with the latest that it has said, if it ends without or 90 seconds pass.
   */
  async waitFor(
    event: string,
    fits: (event: ChatEvent) => boolean = () => true,
    from = 0,
  ): Promise<ChatEvent> {
    const deadline = Date.now() + PATIENCE;
    for (;;) {
      const ended = this.#ended;
      const found = this.of(event, from).find(fits);
      if (found !== undefined) return found;
      if (ended || Date.now() > deadline) {
        const latest = this.events.slice(-30).map((each) =>
          JSON.stringify(each)
        );
        const errors = ended ? await this.#errors : "";
        throw new Error(
          `${ended ? "It ended" : "Time passed"} without ${event} after\n${
            latest.join("\n")
          }\n${errors}`,
        );
      }
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  /** Waits until a text of one's own is known to have been shown. */
  async delivered(id: string): Promise<void> {
    await this.waitFor(
      "state",
      (each) => each["id"] === id && each["state"] === "delivered",
    );
  }

  /** Leaves in an orderly way. */
  async quit(): Promise<void> {
    await this.type("/quit");
    const { code } = await this.#child.status;
    await this.#reading;
    assertEquals([code, await this.#errors], [0, ""]);
    await this.#keys.close().catch(() => {}); // the reader went first
  }

  /** Ends it, whatever it does. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch (error) {
      if (!(error instanceof TypeError)) throw error; // it has ended already
    }
    await this.#child.status;
    await Promise.all([this.#reading, this.#errors]);
    await this.#keys.close().catch(() => {});
  }

  async #read(): Promise<void> {
    const decoder = new TextDecoder();
    let open = "";
    for await (const bytes of this.#child.stdout) {
      const lines = (open + decoder.decode(bytes, { stream: true }))
        .split("\n");
      open = lines.pop()!;
      for (const line of lines) this.events.push(JSON.parse(line));
    }
    this.#ended = true;
  }
}
