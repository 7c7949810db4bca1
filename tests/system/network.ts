import { DatabaseSync } from "node:sqlite";
import { sourceProgram } from "../support/program.ts";

/** An entry of `client inbox --all --json`. */
export interface Shown {
  readonly number: number;
  readonly direction: "in" | "out";
  readonly text: string;
  readonly state: string;
}

/** A process that may be killed at any moment. */
export interface Running {
  /** Whole lines that it has printed so far; all of them once `kill` has resolved. */
  lines(): string[];
  /** Ends it, as a power switch would unless told otherwise. */
  kill(signal?: Deno.Signal): Promise<void>;
}

/** A server and people as real processes, in a directory of their own. */
export class Network {
  readonly directory: string;
  readonly port: number;

  private constructor(directory: string, port: number) {
    this.directory = directory;
    this.port = port;
  }

  static async make(): Promise<Network> {
    const directory = await Deno.makeTempDir({ prefix: "sotto-system-" });
    await Deno.writeTextFile(`${directory}/passphrase`, "correct horse");
    const probe = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = probe.addr as Deno.NetAddr;
    probe.close();
    return new Network(directory, port);
  }

  /** The server, with limits that a test does not run into. */
  server(): Promise<Running> {
    return this.spawn("server", [
      "server",
      "--data",
      `${this.directory}/server`,
      "--listen",
      `127.0.0.1:${this.port}`,
      "--registration-rate",
      "1000",
      "--connection-rate",
      "1000",
      "--quiet",
    ]);
  }

  /** A command of somebody that is left running. */
  async spawn(home: string, args: readonly string[]): Promise<Running> {
    const { command, env } = await sourceProgram();
    return this.#start(home, [...command, ...args], env);
  }

  /** The script `children/NAME.ts` over the profile of somebody, left running. */
  async script(
    home: string,
    name: string,
    args: readonly string[],
  ): Promise<Running> {
    const { command, env } = await sourceProgram();
    const path = new URL(`children/${name}.ts`, import.meta.url).pathname;
    return this.#start(home, [...command.slice(0, -1), path, ...args], env);
  }

  #start(
    home: string,
    [program, ...args]: readonly string[],
    env: Readonly<Record<string, string>>,
  ): Running {
    const child = new Deno.Command(program!, {
      args,
      env: { ...env, SOTTO_HOME: `${this.directory}/${home}` },
      stdin: "null",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    let printed = "";
    const output = (async () => {
      const decoder = new TextDecoder();
      for await (const chunk of child.stdout) {
        printed += decoder.decode(chunk, { stream: true });
      }
    })();
    return {
      lines: () => printed.split("\n").slice(0, -1),
      async kill(signal = "SIGKILL") {
        try {
          child.kill(signal);
        } catch {
          // It has ended by itself.
        }
        await Promise.all([child.status, output]);
      },
    };
  }

  /** A command of somebody, to its end; its standard output. */
  async run(home: string, args: readonly string[]): Promise<string> {
    const { command, env } = await sourceProgram();
    const { code, stdout, stderr } = await new Deno.Command(command[0]!, {
      args: [...command.slice(1), ...args],
      env: { ...env, SOTTO_HOME: `${this.directory}/${home}` },
      stdin: "null",
    }).output();
    const text = new TextDecoder();
    if (code !== 0) {
      throw new Error(`sotto ${args.join(" ")}: ${text.decode(stderr)}`);
    }
    return text.decode(stdout);
  }

  /** Makes an account, once the server answers at `port`, where it will be looked for from then on. */
  async register(name: string, port: number = this.port): Promise<void> {
    const at = `127.0.0.1:${port}`;
    for (let tries = 0;; tries++) {
      try {
        await this.run(name, ["client", "ping", at]);
        break;
      } catch (error) {
        if (tries > 50) throw error;
        await sleep(100);
      }
    }
    await this.run(name, [
      "client",
      "register",
      name,
      "--server",
      at,
      "--passphrase-file",
      `${this.directory}/passphrase`,
    ]);
  }

  /** The whole conversation as `name` has it. */
  async conversation(name: string, other: string): Promise<Shown[]> {
    const args = ["client", "inbox", other, "--all", "--keep-unread", "--json"];
    const lines = (await this.run(name, args)).trim().split("\n");
    return lines.filter((line) => line !== "")
      .map((line) => JSON.parse(line) as Shown);
  }

  /** The database files of everybody, for a look at their health. */
  databases(): string[] {
    const found = [`${this.directory}/server/server.db`];
    for (const { name } of Deno.readDirSync(this.directory)) {
      const vault = `${this.directory}/${name}/data/profiles/default/vault.db`;
      try {
        Deno.statSync(vault);
        found.push(vault);
      } catch {
        // No person.
      }
    }
    return found;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.directory, { recursive: true });
  }
}

/** What SQLite says of a file; "ok" if nothing is wrong. */
export function integrity(path: string): string {
  const db = new DatabaseSync(path);
  try {
    return String(db.prepare("pragma integrity_check").get()?.integrity_check);
  } finally {
    db.close();
  }
}

export function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
