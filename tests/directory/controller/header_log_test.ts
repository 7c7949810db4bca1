import { assertEquals } from "@std/assert";
import { CHAIN_LIMIT } from "../../../lib/directory/chain.ts";
import { encodeHeader } from "../../../lib/directory/consensus_header.ts";
import type { ConsensusHeader } from "../../../lib/directory/consensus_header.ts";
import { HeaderLog } from "../../../lib/directory/controller/header_log.ts";
import { concat } from "../../../lib/protocol/mod.ts";
import { consensus, controllers, next, times } from "../relays.ts";

Deno.test("a header log gives the headers of the heights it has, and no others", async () => {
  const by = await controllers(1);
  const chain = [await consensus(by, [])];
  for (let i = 0; i < 5; i++) chain.push(await next(by, chain.at(-1)!));
  const headers = chain.map(encodeHeader);
  const log = await HeaderLog.read(concat(...headers), chain[5]!);
  assertEquals(log.count, 6);
  assertEquals(log.bytes, concat(...headers));
  assertEquals(log.slice(2, 3), concat(...headers.slice(1, 4)));
  for (
    const [first, count] of [[0, 1], [1, 0], [6, 2], [7, 1], [-1, 3], [1, 7]]
  ) {
    assertEquals(log.slice(first!, count!), undefined);
  }
  // What does not lead to the head is left out.
  const short = await HeaderLog.read(concat(...headers), chain[2]!);
  assertEquals(short.bytes, concat(...headers.slice(0, 3)));
  const gap = await HeaderLog.read(
    concat(headers[0]!, ...headers.slice(2)),
    chain[5]!,
  );
  assertEquals(gap.bytes, concat(...headers.slice(2)));
});

Deno.test("a header log forgets the oldest when it is full", () => {
  const log = new HeaderLog();
  const header: ConsensusHeader = { ...times(), contents: new Uint8Array(32) };
  for (let height = 1; height <= CHAIN_LIMIT + 1; height++) {
    log.append({ ...header, height });
  }
  assertEquals(log.count, CHAIN_LIMIT - CHAIN_LIMIT / 10 + 1);
  assertEquals(log.slice(1, 1), undefined);
  assertEquals(
    log.slice(CHAIN_LIMIT + 1, 1),
    encodeHeader({ ...header, height: CHAIN_LIMIT + 1 }),
  );
});
