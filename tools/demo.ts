/**
 * `deno task demo`: a server, two people and a network of relays as processes of their own, in a
 * temporary directory, with the commands that a user would type. Every claim is checked; exit code 0 if all hold.
 *
 * @module
 */
import { Page } from "./demo_page.ts";
import { Stage } from "./demo_stage.ts";
import { tellStory } from "./demo_story.ts";

if (import.meta.main) Deno.exit(await main());

async function main(): Promise<number> {
  const begin = performance.now();
  const page = new Page(print, Deno.stdout.isTerminal() && !Deno.noColor);
  const interrupted = Promise.withResolvers<"interrupted">();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    Deno.addSignalListener(signal, () => interrupted.resolve("interrupted"));
  }
  const stage = await Stage.open();
  try {
    const story = tellStory(page, stage);
    const end = await Promise.race([story, interrupted.promise]);
    if (end === "interrupted") return 130;
  } catch (error) {
    page.answer(error instanceof Error ? error.message : String(error));
    page.check(false, "the demo comes to its end");
  } finally {
    await stage.close();
  }
  page.summary((performance.now() - begin) / 1000);
  return page.failures === 0 ? 0 : 1;
}

function print(text: string): void {
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length;) {
    at += Deno.stdout.writeSync(bytes.subarray(at));
  }
}
