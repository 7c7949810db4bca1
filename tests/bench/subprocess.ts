import { RUNTIME_FLAGS } from "../../tools/launcher.ts";

/** A question to another process of the benchmark, and its answer: one line of JSON each. */
export type Json = Readonly<Record<string, unknown>>;

/**
 * Another process of the benchmark: a script of this folder that answers questions on its standard
 * input. What it writes to standard error is shown.
 */
export class Subprocess implements AsyncDisposable {
  readonly pid: number;
  /** What it said first, when it was ready. */
  readonly greeting: Json;
  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #lines: AsyncIterator<string>;

  private constructor(
    child: Deno.ChildProcess,
    lines: AsyncIterator<string>,
    greeting: Json,
  ) {
    this.#child = child;
    this.#input = child.stdin.getWriter();
    this.#lines = lines;
    this.pid = child.pid;
    this.greeting = greeting;
  }

  /** Starts `script` (a file beside this one) and waits until it is ready. */
  static async start(
    script: string,
    args: readonly string[] = [],
    flags: readonly string[] = [],
  ): Promise<Subprocess> {
    const path = new URL(script, import.meta.url).pathname;
    const child = new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "-A",
        "--no-check",
        ...RUNTIME_FLAGS,
        ...flags,
        path,
        ...args,
      ],
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
      // As the single file is started.
      env: { DENO_NO_UPDATE_CHECK: "1", MALLOC_ARENA_MAX: "2" },
    }).spawn();
    const lines = linesOf(child.stdout);
    const greeting = await nextAnswer(lines, script);
    return new Subprocess(child, lines, greeting);
  }

  async ask(question: Json): Promise<Json> {
    const line = new TextEncoder().encode(JSON.stringify(question) + "\n");
    await this.#input.write(line);
    return await nextAnswer(this.#lines, String(question.ask));
  }

  /** Closes its input, which makes it end. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#input.close().catch(() => {/* it has ended already */});
    await this.#lines.return?.();
    await this.#child.status;
  }
}

/**
 * The other side of a `Subprocess`: says `greeting`, then answers until the input ends. An answer
 * that fails ends the process.
 */
export async function answerQuestions(
  greeting: Json,
  answer: (question: Json) => Promise<Json>,
): Promise<void> {
  await say(greeting);
  const lines = linesOf(Deno.stdin.readable);
  for (;;) {
    const { value, done } = await lines.next();
    if (done) return;
    await say(await answer(JSON.parse(value)));
  }
}

/** A number in an answer. */
export function numberOf(answer: Json, name: string): number {
  const value = answer[name];
  if (typeof value === "number") return value;
  throw new TypeError(`Cannot read ${name}: it is no number`);
}

/** Numbers in an answer. */
export function numbersOf(answer: Json, name: string): number[] {
  const value = answer[name];
  if (Array.isArray(value)) return value.map(Number);
  throw new TypeError(`Cannot read ${name}: it is no list`);
}

/** A text in an answer. */
export function textOf(answer: Json, name: string): string {
  const value = answer[name];
  if (typeof value === "string") return value;
  throw new TypeError(`Cannot read ${name}: it is no text`);
}

async function say(message: Json): Promise<void> {
  const bytes = new TextEncoder().encode(JSON.stringify(message) + "\n");
  for (let at = 0; at < bytes.length;) {
    at += await Deno.stdout.write(bytes.subarray(at));
  }
}

async function nextAnswer(
  lines: AsyncIterator<string>,
  what: string,
): Promise<Json> {
  const { value, done } = await lines.next();
  if (done) throw new Error(`Cannot measure: ${what} ended`);
  return JSON.parse(value);
}

async function* linesOf(
  stream: ReadableStream<Uint8Array>,
): AsyncGenerator<string, void> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of stream) {
    const parts = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = parts.pop()!;
    yield* parts;
  }
}
