import type { AnyParameter, Verb } from "./command.ts";

/** The commands of one service: what SPEC.md's table of that service says, as data. */
export interface CommandTable {
  /** The name of the service. */
  readonly service: string;
  /** Everything that can be set. */
  readonly parameters: readonly AnyParameter[];
  /** Everything that can be executed. */
  readonly verbs: readonly Verb[];
}

/** The commands that a decoder knows, by id: one or several tables that share a connection. */
export class Vocabulary {
  readonly #parameters = new Map<number, AnyParameter>();
  readonly #verbs = new Map<number, Verb>();

  /**
   * Knows the commands of all `tables`.
   *
   * @throws {RangeError} if two of them give one id to different commands.
   */
  constructor(...tables: readonly CommandTable[]) {
    for (const table of tables) {
      for (const parameter of table.parameters) {
        claim(this.#parameters, parameter);
      }
      for (const verb of table.verbs) claim(this.#verbs, verb);
    }
  }

  /** The parameter of an id, if it is known. */
  parameter(id: number): AnyParameter | undefined {
    return this.#parameters.get(id);
  }

  /** The verb of an id, if it is known. */
  verb(id: number): Verb | undefined {
    return this.#verbs.get(id);
  }
}

function claim<C extends { readonly id: number; readonly name: string }>(
  map: Map<number, C>,
  command: C,
): void {
  const other = map.get(command.id);
  if (other !== undefined && other !== command) {
    throw new RangeError(
      `Cannot name ${command.name}: its id belongs to ${other.name}`,
    );
  }
  map.set(command.id, command);
}
