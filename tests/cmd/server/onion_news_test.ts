import { assertEquals } from "@std/assert";
import { Log } from "../../../cmd/log.ts";
import { OnionNews } from "../../../cmd/server/onion_news.ts";
import { StreamError } from "../../../lib/onion/stream/stream_error.ts";
import { testIo } from "../../support/test_io.ts";

/** News that are written down; times are cut off. */
function newsWith(patience?: number) {
  const io = testIo();
  const log = new Log({
    level: "info",
    format: "text",
    out: io.stderr,
    now: io.now,
  });
  let told = 0;
  const news = new OnionNews(log, () => void told++, patience);
  const end = async () => {
    news.close();
    await log.close();
    return { told, lines: io.err.replace(/^\S+ /gm, "").trim().split("\n") };
  };
  return { news, end };
}

const SEEN = new StreamError("no-circuit", "Cannot build a circuit: no relays");

Deno.test("onion news: it is said once that a server can be reached, and whenever it no longer can", async () => {
  const { news, end } = newsWith();
  news.changed({ points: 3, stores: 0 });
  news.changed({ points: 3, stores: 1 });
  news.changed({ points: 3, stores: 4 });
  news.failed(SEEN);
  news.changed({ points: 0, stores: 0 });
  news.changed({ points: 1, stores: 2 });
  assertEquals(await end(), {
    told: 1,
    lines: [
      "info  reachable through the onion network",
      'warn  no longer reachable through the onion network why="Cannot build a circuit: no relays"',
      "info  reachable through the onion network",
    ],
  });
});

Deno.test("onion news: a server that cannot be reached says so after a while, and why", async () => {
  const { news, end } = newsWith(5);
  news.failed(SEEN);
  news.changed({ points: 1, stores: 0 });
  await new Promise((resolve) => setTimeout(resolve, 20));
  assertEquals(await end(), {
    told: 0,
    lines: [
      'warn  not reachable through the onion network yet why="Cannot build a circuit: no relays"',
    ],
  });
});

Deno.test("onion news: what is no weather is a failure", async () => {
  const { news, end } = newsWith();
  news.failed(new TypeError("oops"));
  assertEquals((await end()).lines, ['error failed why="TypeError: oops"']);
});
