import type { Berths } from "./berths.ts";
import type { Crew, MemberCommand } from "./crew.ts";
import { LabError } from "./lab_error.ts";
import type { Member } from "./member.ts";

/** What a member says that ends for that reason. */
const TAKEN = /cannot listen on .*address already in use/i;
const ATTEMPTS = 5;

/**
 * The member whose port somebody else has taken between the moment in which it was found free and the
 * one in which the member listened.
 *
 * @param error why a member did not get ready.
 * @returns `undefined` if that is not why.
 */
function portTaken(error: unknown): string | undefined {
  if (!(error instanceof LabError) || error.code !== "ERR_LAB_ENDED") {
    return undefined;
  }
  for (const [name, text] of error.logs) if (TAKEN.test(text)) return name;
  return undefined;
}

/**
 * Does `work`; as long as a member that may move finds its port taken, once more with another port.
 *
 * @throws {unknown} whatever `work` throws else.
 */
export async function withFreePorts<T>(
  berths: Berths,
  work: () => Promise<T>,
): Promise<T> {
  for (let attempt = 1;; attempt++) {
    try {
      return await work();
    } catch (error) {
      const name = portTaken(error);
      if (name === undefined || attempt === ATTEMPTS) throw error;
      if (!berths.move(name)) throw error;
    }
  }
}

/**
 * Starts a member, at another port if its own is taken.
 *
 * @param command made anew for each attempt.
 * @throws {LabError} as `Crew.start` does.
 */
export async function startAtFreePort(
  crew: Crew,
  berths: Berths,
  name: string,
  command: () => MemberCommand,
): Promise<Member> {
  return await withFreePorts(berths, () => crew.start(name, command()));
}
