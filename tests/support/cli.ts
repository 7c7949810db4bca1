/**
 * Runs the command-line scripts under `tests/cli/` (their language: `script.ts`) against a program, in an
 * empty directory and an environment with nothing but PATH and HOME. Commands:
 *
 *     sotto ARG...             run the program; standard input is empty, or what `stdin` named
 *     sotto ARG... &name       start it; waits for a line with "listening" and an address, which becomes
 *                              $NAME (with `&server`: $SERVER)
 *     sotto ARG... &&name      start it and go on at once
 *     wait name 'REGEX'        until something like that has come on either of its streams
 *     finish name              until it ends by itself
 *     stop name [SIGNAL]       SIGTERM or another signal; must end with code 0 (`! stop`: with another)
 *     exec PROGRAM ARG...      any other program
 *     stdin FILE               for the next command
 *     env NAME=VALUE           from now on
 *     machine NAME             from now on HOME is $WORK/NAME, made if it is not there
 *     code N                   the exit code of the last command
 *     stdout 'REGEX'           something like that on the standard output of the last command
 *     stderr 'REGEX'           (`! stdout`: nothing like that)
 *     capture NAME 'REGEX'     the first group, found in the last standard output, becomes $NAME
 *     grep 'REGEX' FILE        something like that in the file
 *     cmp FILE FILE            the same bytes; `stdout` and `stderr` may stand for a file
 *     cp FILE FILE, rm FILE, mkdir DIR, exists FILE, mode FILE 0600
 *
 * $WORK is the directory, $PORT a port where nobody listens; a server that comes back to where it was
 * needs it, as others are given away at random.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { quietPort } from "../../tools/quiet_port.ts";
import { Background } from "./background.ts";
import type { Script, ScriptLine } from "./script.ts";
import { parseScript } from "./script.ts";

/** How the program is called. */
export interface Program {
  /** The executable and the arguments before those of the script. */
  readonly command: readonly string[];
  /** What its environment must have beside PATH and HOME. */
  readonly env: Readonly<Record<string, string>>;
}

const COMMAND_SECONDS = 60;

/**
 * One test for each `*.txt` in `folder`.
 *
 * @param kind Stands in the names of the tests, e.g. "source".
 * @param program Called once, by the first script that runs.
 * @param chosen Tells by name, without ".txt", and place in the alphabet which to run; without it, all.
 * @throws {Error} If there is no script.
 */
export function testScripts(
  folder: URL,
  kind: string,
  program: () => Promise<Program>,
  chosen: (name: string, place: number) => boolean = () => true,
): void {
  const names = Array.from(Deno.readDirSync(folder), ({ name }) => name)
    .filter((name) => name.endsWith(".txt")).sort()
    .map((name) => name.slice(0, -4)).filter(chosen);
  if (names.length === 0) throw new Error(`No script in ${folder.pathname}`);
  for (const name of names) {
    const text = Deno.readTextFileSync(new URL(`${name}.txt`, folder));
    const script = parseScript(text);
    const title = script.title === "" ? "" : `: ${script.title}`;
    Deno.test(`cli ${kind}: ${name}${title}`, async () => {
      await runScript(script, await program());
    });
  }
}

/** Runs one script; rejects with the line that failed and what the last command printed. */
export async function runScript(
  script: Script,
  program: Program,
): Promise<void> {
  const work = await Deno.makeTempDir({ prefix: "sotto-cli-" });
  const run = new ScriptRun(work, program);
  try {
    for (const [name, text] of script.files) {
      const path = `${work}/${name}`;
      await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), {
        recursive: true,
      });
      await Deno.writeTextFile(path, text);
    }
    for (const line of script.lines) await run.line(line);
    await run.close();
  } finally {
    run.kill();
    await Deno.remove(work, { recursive: true });
  }
}

type Action = (args: string[], line: ScriptLine) => Promise<void> | void;

class ScriptRun {
  readonly #work: string;
  readonly #program: Program;
  readonly #env: Record<string, string>;
  readonly #variables = new Map<string, string>();
  readonly #background = new Map<string, Background>();
  #stdin: string | undefined;
  #last = { code: 0, stdout: new Uint8Array(0), stderr: new Uint8Array(0) };

  constructor(work: string, program: Program) {
    this.#work = work;
    this.#program = program;
    this.#env = { PATH: "/usr/bin:/bin", HOME: work, ...program.env };
    this.#variables.set("WORK", work);
    this.#variables.set("PORT", String(quietPort()));
  }

  async line(line: ScriptLine): Promise<void> {
    try {
      const [name = "", ...args] = line.words.map((pieces) =>
        pieces.map(({ text, quoted }) => quoted ? text : this.#expand(text))
          .join("")
      );
      const action = Object.hasOwn(this.#actions, name)
        ? this.#actions[name]
        : undefined;
      if (action === undefined) throw new Error(`No such command: ${name}`);
      await action(args, line);
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new Error(
        `Line ${line.number}: ${line.text}\n${reason}\n` +
          `--- last code ${this.#last.code}, stdout:\n${this.#text("stdout")}` +
          `--- stderr:\n${this.#text("stderr")}`,
        { cause },
      );
    }
  }

  /** Ends what still runs in the background, which must go without complaint. */
  async close(): Promise<void> {
    for (const [name, process] of this.#background) {
      const { code, stderr } = await process.stop("SIGTERM");
      assertEquals(code, 0, `${name}: ${new TextDecoder().decode(stderr)}`);
    }
    this.#background.clear();
  }

  /** Ends it at once, whatever comes of it. */
  kill(): void {
    for (const process of this.#background.values()) process.kill();
  }

  readonly #actions: Readonly<Record<string, Action>> = {
    sotto: (args, line) =>
      this.#execute([...this.#program.command, ...args], line),
    exec: (args, line) => this.#execute(args, line),
    stop: async ([name = "", signal = "SIGTERM"], line) => {
      const process = this.#running(name);
      this.#background.delete(name);
      this.#last = await process.stop(signal as Deno.Signal);
      this.#judge(line);
    },
    wait: async ([name = "", pattern = ""]) => {
      const process = this.#running(name);
      await process.waitFor(new RegExp(pattern, "m"), COMMAND_SECONDS * 1000);
      this.#last = { code: 0, ...process.output };
    },
    finish: async ([name = ""], line) => {
      const process = this.#running(name);
      const timer = setTimeout(() => process.kill(), COMMAND_SECONDS * 1000);
      this.#last = await process.ending().finally(() => clearTimeout(timer));
      this.#background.delete(name);
      this.#judge(line);
    },
    stdin: ([file = ""]) => {
      this.#stdin = this.#path(file);
    },
    env: ([setting = ""]) => {
      const at = setting.indexOf("=");
      assert(at > 0, "expected NAME=VALUE");
      this.#env[setting.slice(0, at)] = setting.slice(at + 1);
    },
    machine: async ([name = ""]) => {
      const home = this.#path(name);
      await Deno.mkdir(home, { recursive: true, mode: 0o700 });
      this.#env["HOME"] = home;
    },
    code: ([code]) => assertEquals(this.#last.code, Number(code)),
    stdout: ([pattern = ""], line) =>
      this.#match(pattern, this.#text("stdout"), line),
    stderr: ([pattern = ""], line) =>
      this.#match(pattern, this.#text("stderr"), line),
    capture: ([name = "", pattern = ""]) => {
      const found = new RegExp(pattern, "m").exec(this.#text("stdout"))?.[1];
      assert(found !== undefined, "nothing to capture");
      this.#variables.set(name, found);
    },
    grep: async ([pattern = "", file = ""], line) =>
      this.#match(pattern, await Deno.readTextFile(this.#path(file)), line),
    cmp: async ([a = "", b = ""], line) => {
      const same = (await this.#bytes(a)).toHex() ===
        (await this.#bytes(b)).toHex();
      assertEquals(same, !line.mustFail, `${a} and ${b}: same bytes`);
    },
    cp: async ([from = "", to = ""]) =>
      await Deno.writeFile(this.#path(to), await this.#bytes(from)),
    rm: async ([file = ""]) => await Deno.remove(this.#path(file)),
    mkdir: async ([path = ""]) => await Deno.mkdir(this.#path(path)),
    exists: async ([file = ""], line) => {
      const found = await Deno.lstat(this.#path(file)).catch(() => undefined);
      assertEquals(found !== undefined, !line.mustFail, `${file} is there`);
    },
    mode: async ([file = "", mode = ""]) => {
      const found = (await Deno.stat(this.#path(file))).mode! & 0o7777;
      assertEquals(found.toString(8).padStart(4, "0"), mode);
    },
  };

  async #execute(command: readonly string[], line: ScriptLine): Promise<void> {
    const [program = "", ...args] = command;
    const options = {
      args: [...args],
      cwd: this.#work,
      env: this.#env,
      clearEnv: true,
    };
    if (line.background !== undefined) {
      const process = new Background(program, options);
      this.#background.set(line.background, process);
      if (line.patient) {
        const address = await process.address(COMMAND_SECONDS * 1000);
        this.#variables.set(line.background.toUpperCase(), address);
      }
      this.#last = { code: 0, ...process.output };
      return;
    }
    const input = this.#stdin;
    this.#stdin = undefined;
    const child = new Deno.Command(program, {
      ...options,
      stdin: input === undefined ? "null" : "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const timer = setTimeout(
      () => child.kill("SIGKILL"),
      COMMAND_SECONDS * 1000,
    );
    try {
      const fed = input === undefined ? undefined : feed(child, input);
      this.#last = await child.output();
      await fed;
    } finally {
      clearTimeout(timer);
    }
    this.#judge(line);
  }

  #running(name: string): Background {
    const process = this.#background.get(name);
    assert(process !== undefined, `nothing runs as ${name}`);
    return process;
  }

  #judge(line: ScriptLine): void {
    const failed = this.#last.code !== 0;
    if (failed !== line.mustFail) {
      throw new Error(failed ? "it failed" : "it succeeded");
    }
  }

  #match(pattern: string, text: string, line: ScriptLine): void {
    const found = new RegExp(pattern, "m").test(text);
    if (found === line.mustFail) {
      throw new Error(`/${pattern}/ was ${found ? "" : "not "}found`);
    }
  }

  #expand(text: string): string {
    return text.replace(/\$(?:(\w+)|\{(\w+)\})/g, (_, plain, braced) => {
      const name: string = plain ?? braced;
      const value = this.#variables.get(name) ?? this.#env[name];
      assert(value !== undefined, `$${name} is not set`);
      return value;
    });
  }

  #path(name: string): string {
    return name.startsWith("/") ? name : `${this.#work}/${name}`;
  }

  async #bytes(name: string): Promise<Uint8Array> {
    if (name === "stdout" || name === "stderr") return this.#last[name];
    return await Deno.readFile(this.#path(name));
  }

  #text(stream: "stdout" | "stderr"): string {
    return new TextDecoder().decode(this.#last[stream]);
  }
}

/** A program that ends without reading all its input is no failure of the script. */
async function feed(child: Deno.ChildProcess, path: string): Promise<void> {
  using file = await Deno.open(path);
  await file.readable.pipeTo(child.stdin).catch((error) => {
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  });
}
