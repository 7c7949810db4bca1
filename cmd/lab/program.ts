import type { Program } from "../../lib/lab/mod.ts";

/** What members may do: whatever the program may, but not start others. */
const FLAGS: readonly string[] = [
  "--quiet",
  "--no-prompt",
  "--allow-net",
  "--allow-read",
  "--allow-write",
  "--allow-env",
  "--allow-sys",
  // See tools/launcher.ts: less memory for each.
  "--v8-flags=--max-semi-space-size=2,--no-parallel-scavenge",
];
/** A bundle is all there is: nothing of the directory where the person stands must change it. */
const BUNDLED: readonly string[] = [
  "--no-config",
  "--no-lock",
  "--no-remote",
  "--no-npm",
];

/** How this very program is started once more: compiled, from a bundle, or from its source. */
export function thisProgram(): Program {
  const runtime = Deno.execPath();
  const { mainModule } = Deno;
  const env = { DENO_NO_UPDATE_CHECK: "1" };
  if (Deno.build.standalone) return { command: [runtime], env };
  const flags = isSource() ? FLAGS : [...FLAGS, ...BUNDLED];
  return { command: [runtime, "run", ...flags, mainModule], env };
}

/** What a person types to start it. */
export function typedProgram(): string {
  if (!isSource()) return "sotto";
  const path = decodeURIComponent(new URL(Deno.mainModule).pathname);
  return `deno run -A ${path}`;
}

function isSource(): boolean {
  return !Deno.build.standalone && Deno.mainModule.endsWith(".ts");
}
