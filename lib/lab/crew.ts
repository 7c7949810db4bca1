import { LabError } from "./lab_error.ts";
import type { Launch } from "./launch.ts";
import { Member } from "./member.ts";

/** What a crew is made of. */
export interface CrewOptions {
  /** Starts processes. */
  readonly launch: Launch;
  /** Where everything lies; it is made if it is not there. */
  readonly directory: string;
  /** How long anything may take, in milliseconds. */
  readonly patience: number;
  /** Told of a member that has ended and was not told to. */
  readonly ended: (member: Member) => void;
}

/** How a member is started, each time. */
export interface MemberCommand {
  /** What is said to the program. */
  readonly args: readonly string[];
  /** A line in which this is found tells that it is ready. */
  readonly ready: RegExp;
}

/** What a command has printed, on either stream, and how it has ended. */
export interface Ran {
  /** The exit code. */
  readonly code: number;
  /** What it has printed. */
  readonly text: string;
}

/** How long a member may take to end by itself, in milliseconds. */
const GRACE = 5_000;
/** What makes a command end when its standard input does, and so with the lab, however that ends. */
const BOUND = ["lab", "member"];

/**
 * The processes of a lab. Each member has a directory, which is its SOTTO_HOME, and a log; both outlive
 * it, and it can be started again.
 */
export class Crew {
  readonly #options: CrewOptions;
  readonly #commands = new Map<string, MemberCommand>();
  readonly #members = new Map<string, Member>();
  readonly #passing = new Set<Member>();
  #closed: Promise<void> | undefined;

  private constructor(options: CrewOptions) {
    this.#options = options;
  }

  /** A crew without members. */
  static async gather(options: CrewOptions): Promise<Crew> {
    const crew = new Crew(options);
    const path = `${options.directory}/logs`;
    await Deno.mkdir(path, { recursive: true, mode: 0o700 });
    return crew;
  }

  /** Those that were started, by name, in that order; also those that have ended. */
  get members(): ReadonlyMap<string, Member> {
    return this.#members;
  }

  /** Where everything lies. */
  get directory(): string {
    return this.#options.directory;
  }

  /** The directory of a member. */
  home(name: string): string {
    return `${this.directory}/${name}`;
  }

  /** @throws {LabError} `ERR_LAB_MEMBER` if there is none of this name. */
  member(name: string): Member {
    const member = this.#members.get(name);
    if (member !== undefined) return member;
    throw new LabError("ERR_LAB_MEMBER", `Cannot find ${name} in this lab`);
  }

  /**
   * Starts a member, and waits until it says that it is ready.
   *
   * @throws {LabError} `ERR_LAB_ENDED` or `ERR_LAB_LATE` if it does not get ready; `ERR_LAB_MEMBER` if
   * it runs already.
   */
  async start(name: string, command: MemberCommand): Promise<Member> {
    if (this.#members.get(name)?.running) {
      throw new LabError("ERR_LAB_MEMBER", `Cannot start ${name}: it runs`);
    }
    this.#commands.set(name, command);
    const args = [...BOUND, ...command.args];
    const member = this.#launch(name, args, { SOTTO_HOME: this.home(name) });
    this.#members.set(name, member);
    member.ended.then(() => {
      if (!member.stopping) this.#options.ended(member);
    }, () => {});
    await member.says(command.ready, this.#options.patience);
    return member;
  }

  /** Ends a member, if there is one of this name. */
  async stop(name: string): Promise<void> {
    await this.#members.get(name)?.stop(GRACE);
  }

  /** Starts a member as it was started before; if it still runs, it is ended first. */
  async restart(name: string): Promise<Member> {
    await this.member(name).stop(GRACE);
    return await this.start(name, this.#commands.get(name)!);
  }

  /** Runs the program to its end, with nothing on its standard input. */
  async run(
    name: string,
    args: readonly string[],
    env: Readonly<Record<string, string>>,
  ): Promise<Ran> {
    const member = this.#launch(name, args, env);
    this.#passing.add(member);
    await member.closeInput();
    const late = setTimeout(
      () => member.kill("SIGKILL"),
      this.#options.patience,
    );
    try {
      const { code } = await member.ended;
      return { code, text: member.output.text };
    } finally {
      clearTimeout(late);
      this.#passing.delete(member);
    }
  }

  /**
   * Ends all of them, those that do not end by themselves after a while by SIGKILL. May be called
   * again.
   */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    const all = [...this.#members.values(), ...this.#passing];
    await Promise.all(all.map((each) => each.stop(GRACE)));
  }

  #launch(
    name: string,
    args: readonly string[],
    env: Readonly<Record<string, string>>,
  ): Member {
    if (this.#closed !== undefined) {
      throw new LabError("ERR_LAB_MEMBER", `Cannot start ${name}: it is over`);
    }
    const log = Deno.openSync(`${this.directory}/logs/${name}.log`, {
      create: true,
      append: true,
      mode: 0o600,
    });
    try {
      const own = { SOTTO_PROFILE: "", SOTTO_PASSPHRASE_FILE: "", ...env };
      return new Member(name, this.#options.launch(name, args, own), log);
    } catch (cause) {
      log.close();
      throw new LabError("ERR_LAB_MEMBER", `Cannot start ${name}`, { cause });
    }
  }
}
