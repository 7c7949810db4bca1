import type { Launch } from "./launch.ts";
import type { Member } from "./member.ts";
import type { LabPlan } from "./plan.ts";

/** What lab is raised, and how. What is missing of the plan is as in `DEFAULT_PLAN`. */
export interface LabOptions extends Partial<LabPlan> {
  /** Starts processes. */
  readonly launch: Launch;
  /**
   * Where everything lies, absolute. What an earlier lab has left there is raised again, with the same
   * keys, ports and accounts. If not given, a temporary directory that is removed at the end.
   */
  readonly directory?: string | undefined;
  /**
   * The IP address of each member, by its name; 127.0.0.1 if not given. Whoever raises the lab must be
   * able to reach controllers and server there, and relays must connect from there, as they do in a
   * network namespace: controllers take the address from which they see them.
   */
  readonly host?: (name: string) => string;
  /** Flags that a member gets beside its own, by its name. The last one of a kind counts. */
  readonly flags?: (name: string) => readonly string[];
  /** How long any one thing may take, in milliseconds; a minute if not given. */
  readonly patience?: number;
  /** Ends everything when it fires before the lab is up. */
  readonly signal?: AbortSignal;
  /** Told of a member that has ended and was not told to. */
  readonly ended?: (member: Member) => void;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}
