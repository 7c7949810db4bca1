import { DatabaseSync } from "node:sqlite";
import { sourceProgram } from "../support/program.ts";

/** An entry of `client inbox --all --json`. */
export interface Shown {
  readonly number: number;
  readonly direction: "in" | "out";
  readonly text: string;
  readonly state: string;
}

/** A process that is fed lines and may be killed at any moment. */
export interface Running {
  readonly child: Deno.ChildProcess;
  readonly ended: Promise<Deno.CommandStatus>;
  /** Writes a line to its standard input; a process that is gone takes none. */
  line(text: string): Promise<void>;
  kill(): Promise<void>;
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
    const child = new Deno.Command(command[0]!, {
      args: [...command.slice(1), ...args],
      env: { ...env, SOTTO_HOME: `${this.directory}/${home}` },
      stdin: "piped",
      stdout: "null",
      stderr: "null",
    }).spawn();
    const input = child.stdin.getWriter();
    // The pipe breaks when the process is killed.
    input.closed.catch(() => {});
    let gone = false;
    const ended = child.status.then(async (status) => {
      gone = true;
      await input.close().catch(() => {});
      return status;
    });
    return {
      child,
      ended,
      async line(text) {
        if (gone) return;
        await input.write(new TextEncoder().encode(`${text}\n`)).catch(
          () => {},
        );
      },
      async kill() {
        try {
          child.kill("SIGKILL");
        } catch {
          // It has ended by itself.
        }
        await ended;
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

  /** Makes an account, once the server answers. */
  async register(name: string): Promise<void> {
    const at = `127.0.0.1:${this.port}`;
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
