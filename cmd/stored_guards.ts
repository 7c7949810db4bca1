import { readPrivateFile, writePrivateFile } from "../lib/identity/mod.ts";
import { Guards } from "../lib/onion/mod.ts";
import { MalformedError } from "../lib/protocol/mod.ts";
import { CommandError } from "./errors.ts";

/** The guards of whoever builds circuits, in a file. */
export class StoredGuards {
  /** As they were at the last start. */
  readonly guards: Guards;
  readonly #path: string;

  private constructor(guards: Guards, path: string) {
    this.guards = guards;
    this.#path = path;
  }

  /**
   * Those in the file `path`, or none yet.
   *
   * @throws {CommandError} if the file cannot be read, or is damaged.
   */
  static async open(path: string): Promise<StoredGuards> {
    let text: string;
    try {
      text = await readPrivateFile(path);
    } catch (cause) {
      if (cause instanceof Deno.errors.NotFound) {
        return new StoredGuards(new Guards(), path);
      }
      throw new CommandError(`Cannot use ${path}`, { cause });
    }
    try {
      return new StoredGuards(new Guards(JSON.parse(text)), path);
    } catch (cause) {
      if (
        cause instanceof MalformedError || cause instanceof SyntaxError
      ) {
        throw new CommandError(`Cannot use ${path}: it is damaged`, {
          cause,
          hint: "remove it; other guards are chosen then",
        });
      }
      throw cause;
    }
  }

  /** Writes them, when they have changed. */
  async keep(guards: Guards): Promise<void> {
    await writePrivateFile(this.#path, `${JSON.stringify(guards)}\n`);
  }
}
