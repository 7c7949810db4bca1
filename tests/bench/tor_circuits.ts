import type { BuiltCircuits } from "./onion_network.ts";
import { TorControl } from "./tor_control.ts";

/**
 * Lets a Tor client build circuits over the relays of `path`, one after another, and closes them when all
 * are open.
 *
 * @param port its control port.
 */
export async function buildTorCircuits(
  port: number,
  path: readonly string[],
  count: number,
): Promise<BuiltCircuits> {
  using control = await TorControl.connect(port);
  await control.command("SETEVENTS CIRC");
  const hops = path.map((each) => `$${each}`).join(",");
  const took: number[] = [];
  const built = new Set<string>();
  for (let i = 0; i < count; i++) {
    const start = performance.now();
    const [said] = await control.command(`EXTENDCIRCUIT 0 ${hops}`);
    const id = said!.split(" ").at(-1)!;
    if (!await isBuilt(control, id)) continue;
    took.push(performance.now() - start);
    built.add(id);
  }
  await control.command("SETEVENTS");
  const status = await control.command("GETINFO circuit-status");
  const open = status.map((line) => /^(\d+) BUILT /.exec(line)?.[1])
    .filter((id) => id !== undefined && built.has(id)).length;
  for (const id of built) await control.command(`CLOSECIRCUIT ${id}`);
  return { took, open };
}

async function isBuilt(control: TorControl, id: string): Promise<boolean> {
  for (;;) {
    const [, , circuit, state] = (await control.event()).split(" ");
    if (circuit !== id) continue;
    if (state === "BUILT") return true;
    if (state === "FAILED" || state === "CLOSED") return false;
  }
}
