/**
 * A site for where there is no nginx. Argument: the lengths of its files by their names, as JSON.
 *
 * @module
 */
import { answerQuestions } from "./subprocess.ts";

const BLOCK = crypto.getRandomValues(new Uint8Array(65_536));

if (import.meta.main) await main(JSON.parse(Deno.args[0]!));

async function main(files: Readonly<Record<string, number>>): Promise<void> {
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    ({ url }) => answer(files[new URL(url).pathname.slice(1)]),
  );
  await answerQuestions(
    { port: server.addr.port },
    () => Promise.resolve({}),
  );
  await server.shutdown();
}

function answer(length: number | undefined): Response {
  if (length === undefined) return new Response(null, { status: 404 });
  let left = length;
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull(controller) {
      const block = BLOCK.slice(0, left);
      controller.enqueue(block);
      left -= block.length;
      if (left === 0) controller.close();
    },
  });
  return new Response(body, { headers: { "content-length": String(length) } });
}
