/** A program of `children/` that runs as a process of its own. */
export interface Child {
  /** Resolves at its first line, or at its end. */
  readonly started: Promise<void>;
  /** Ends it as a power switch would, and resolves to the whole lines that it told. */
  kill(): Promise<string[]>;
  /** Waits for its end, and resolves to what it told. Throws if it failed. */
  finish(): Promise<string[]>;
}

/** Starts `tests/store/children/NAME.ts`. */
export function startChild(name: string, ...args: string[]): Child {
  const script = new URL(`children/${name}.ts`, import.meta.url).pathname;
  const process = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--allow-all", script, ...args],
    env: { DENO_NO_UPDATE_CHECK: "1" },
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const { promise: started, resolve: start } = Promise.withResolvers<void>();
  const output = text(process.stdout, start);
  const errors = text(process.stderr, () => {});
  const end = async () => {
    const [told, complaint, status] = await Promise.all([
      output,
      errors,
      process.status,
    ]);
    return { lines: told.split("\n").slice(0, -1), complaint, status };
  };
  return {
    started,
    async kill() {
      process.kill("SIGKILL");
      const { lines, complaint, status } = await end();
      if (status.signal !== "SIGKILL") throw new Error(complaint);
      return lines;
    },
    async finish() {
      const { lines, complaint, status } = await end();
      if (!status.success) throw new Error(complaint);
      return lines;
    },
  };
}

async function text(
  stream: ReadableStream<Uint8Array>,
  arrived: () => void,
): Promise<string> {
  const decoder = new TextDecoder();
  let whole = "";
  for await (const part of stream) {
    whole += decoder.decode(part, { stream: true });
    arrived();
  }
  arrived();
  return whole;
}
