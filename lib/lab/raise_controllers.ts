import type { Bytes } from "../protocol/mod.ts";
import type { Berths } from "./berths.ts";
import { controllerCommand } from "./commands.ts";
import { makeControllerKeys } from "./controller_keys.ts";
import type { Crew, MemberCommand } from "./crew.ts";
import type { Kept } from "./kept.ts";
import { LabError } from "./lab_error.ts";
import type { Member } from "./member.ts";
import { numbered } from "./plan.ts";
import type { LabPlan } from "./plan.ts";
import { withFreePorts } from "./port_taken.ts";

const LISTENING = /^listening on (\S+)/;

/** What controllers are raised with. */
export interface ControllersOptions {
  readonly plan: LabPlan;
  readonly crew: Crew;
  readonly berths: Berths;
  /** What was there before. */
  readonly kept: Kept;
  /** Flags that a member gets beside its own. */
  readonly more: (name: string) => readonly string[];
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Notes the addresses of new controllers, before anybody is told. */
  readonly keep: (addresses: readonly string[]) => Promise<void>;
}

/** Controllers that are up. */
export interface Controllers {
  /** Their addresses, with their fingerprints. */
  readonly addresses: readonly string[];
  readonly members: readonly Member[];
}

/**
 * Starts the controllers, whose keys are made if there are none: everybody must be told their addresses,
 * they themselves each other's.
 *
 * @throws {LabError} if one does not start, or there were more or fewer of them before.
 */
export async function raiseControllers(
  options: ControllersOptions,
): Promise<Controllers> {
  const { plan, crew, berths, kept, keep } = options;
  const names = numbered("controller", plan.controllers);
  const prints = await controllerKeys(names, options);
  return await withFreePorts(berths, async () => {
    const addresses = prints === undefined
      ? kept.controllers
      : names.map((name, i) => berths.address(name, prints[i]!));
    if (prints !== undefined) await keep(addresses);
    const starting = names.map((name) =>
      crew.start(name, commandOf(name, addresses, options))
    );
    try {
      return { addresses, members: await Promise.all(starting) };
    } catch (error) {
      // All of them have been told the address that one of them could not have.
      await Promise.allSettled(starting);
      await Promise.all(names.map((name) => crew.stop(name)));
      throw error;
    }
  });
}

/** Makes the keys of controllers and gives their fingerprints; `undefined` if there are keys already. */
async function controllerKeys(
  names: readonly string[],
  { kept: { controllers }, crew, now }: ControllersOptions,
): Promise<readonly Bytes[] | undefined> {
  if (controllers.length === names.length) return undefined;
  if (controllers.length > 0) {
    throw new LabError(
      "ERR_LAB_PLAN",
      `Cannot raise ${names.length} controllers here: there were ${controllers.length}`,
    );
  }
  const seconds = Math.floor(now() / 1_000);
  return await Promise.all(
    names.map((name) => makeControllerKeys(crew.home(name), seconds)),
  );
}

function commandOf(
  name: string,
  controllers: readonly string[],
  { berths, crew, more, plan }: ControllersOptions,
): MemberCommand {
  const listen = berths.of(name);
  const place = { listen, home: crew.home(name), controllers };
  const args = [...controllerCommand(place, plan), ...more(name)];
  return { args, ready: LISTENING };
}
