import { utf8 } from "../../../lib/protocol/mod.ts";

/** Tells the parent something in one write, which a kill cannot tear. */
export function tell(line: string): void {
  Deno.stdout.writeSync(utf8(`${line}\n`));
}
