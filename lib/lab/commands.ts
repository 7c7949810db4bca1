import type { LabPlan } from "./plan.ts";

/** What is said to members: what they listen on, where they keep what, and whom they believe. */
export interface Place {
  /** host:port. */
  readonly listen: string;
  /** The directory of the member. */
  readonly home: string;
  /** The addresses of all controllers. */
  readonly controllers: readonly string[];
}

/** Milliseconds may pass for a while on a busy machine; a relay that is gone is to be gone soon. */
const SIGNS_OF_LIFE = ["--alive-every", "1s", "--forget-after", "5s"];
/** All members of a lab have one address, so that limits for each address would be limits for all. */
const NO_LIMIT = "100000";
/** All mixes of a lab share one machine. */
const MIX_NOISE = ["--mix-noise", "lab"];

/** A controller that lists relays at private addresses. */
export function controllerCommand(
  { listen, home, controllers }: Place,
  { interval, quorum }: LabPlan,
): string[] {
  return [
    ...["controller", "--data", home, "--listen", listen],
    ...["--interval", `${interval}s`, "--allow-private", ...SIGNS_OF_LIFE],
    ...["--max-per-address", NO_LIMIT],
    ...controllers.flatMap((each) => ["--peer", each]),
    ...quorumFlags(quorum),
  ];
}

/**
 * A relay that connects to anything as an exit, private addresses included. If there is a chain of mixes it is
 * one, so that another can take the place of one that is ended.
 */
export function relayCommand(
  { listen, home, controllers }: Place,
  { mix, quorum }: LabPlan,
): string[] {
  return [
    ...["relay", "--data", home, "--listen", listen],
    ...mix === 1 ? [] : ["--mix", ...MIX_NOISE],
    ...["--exit", "accept *:*", "--exit-private", "--drain", "1s"],
    ...["--max-per-address", NO_LIMIT, "--circuit-rate", NO_LIMIT],
    ...controllerFlags(controllers),
    ...quorumFlags(quorum),
  ];
}

/** A server at which anybody may register. */
export function serverCommand(
  { listen, home, controllers }: Place,
  { mix, quorum }: LabPlan,
): string[] {
  return [
    ...[...serverAt(home, mix), "--listen", listen],
    ...mix === 1 ? [] : controllerFlags(controllers),
    ...mix === 1 ? [] : quorumFlags(quorum),
  ];
}

/** The same without an address. */
export function onionServerCommand(
  { home, controllers }: Omit<Place, "listen">,
  { mix, quorum }: LabPlan,
): string[] {
  return [
    ...serverAt(home, mix),
    ...["--onion", "--no-listen"],
    ...controllerFlags(controllers),
    ...quorumFlags(quorum),
  ];
}

function serverAt(home: string, mix: number): string[] {
  return [
    ...["server", "--data", home, "--registration-rate", NO_LIMIT],
    ...["--max-per-address", NO_LIMIT, "--connection-rate", NO_LIMIT],
    ...mix === 1 ? [] : ["--mixes", String(mix), ...MIX_NOISE],
  ];
}

/** Clients without people, who take part in rounds. */
export function crowdCommand(
  server: string,
  controllers: readonly string[],
  { cover, quorum }: LabPlan,
): string[] {
  return [
    ...["crowd", "--server", server, "--clients", String(cover)],
    ...controllerFlags(controllers),
    ...quorumFlags(quorum),
  ];
}

/** A proxy into the onion. */
export function proxyCommand(
  { listen, controllers }: Place,
  { quorum }: LabPlan,
): string[] {
  return [
    ...["client", "proxy", "--listen", listen, "--allow-remote"],
    ...controllerFlags(controllers),
    ...quorumFlags(quorum),
  ];
}

function controllerFlags(addresses: readonly string[]): string[] {
  return addresses.flatMap((each) => ["--controller", each]);
}

function quorumFlags(quorum: number | undefined): string[] {
  return quorum === undefined ? [] : ["--quorum", String(quorum)];
}
