import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  BODY_LENGTH,
  CONSENSUS_IS,
  DECLINE_REASON,
  DECLINED,
  DIRECTORY_VOCABULARY,
  GET_HEADERS,
  HEADERS_ARE,
  NOT_MODIFIED,
  NOTED,
} from "../../lib/directory/commands.ts";
import { CONSENSUS_LIMIT } from "../../lib/directory/consensus.ts";
import type { Consensus } from "../../lib/directory/consensus.ts";
import { encodeHeader } from "../../lib/directory/consensus_header.ts";
import {
  ConsensusError,
  Directory,
  DirectoryError,
} from "../../lib/directory/mod.ts";
import {
  answer,
  CommandChannel,
  CommandWriter,
  concat,
  MalformedError,
  utf8,
} from "../../lib/protocol/mod.ts";
import type { Bytes, Verb } from "../../lib/protocol/mod.ts";
import { memoryConnection } from "../support/memory_stream.ts";
import { consensus, controllers, next, NOW, relays } from "./relays.ts";
import type { Controllers } from "./relays.ts";

/** What a scripted controller says to a question. */
type Script = (verb: Verb) => readonly [Bytes, Bytes?];

/** A client of one controller, which says what `script` has it say. */
async function told(
  by: Controllers,
  script: Script,
  head?: Consensus,
): Promise<{ directory: Directory; failures: unknown[] }> {
  const failures: unknown[] = [];
  const [keyring] = by.keyrings;
  const directory = await Directory.open({
    network: by.network,
    dial: () => {
      const { left, right } = memoryConnection();
      (async () => {
        const channel = await answer(right, {
          static: keyring!.dh,
          certificate: keyring!.certificate.bytes,
        });
        const link = new CommandChannel(channel!, DIRECTORY_VOCABULARY, {
          messageBytes: 8_192,
          skippedBytes: 8_192,
        });
        for (;;) {
          const message = await link.next();
          if (message === null) return await link.close();
          const [commands, body] = script(message.verb);
          if (body === undefined) await link.send(commands);
          else await link.sendWithBody(commands, body);
        }
      })().catch(() => {});
      return Promise.resolve(left);
    },
    cache: {
      read: () => Promise.resolve(head?.bytes),
      write: () => Promise.resolve(),
    },
    now: () => (NOW + 900) * 1_000,
    failed: (error) => failures.push(error),
  });
  return { directory, failures };
}

/** Closes it, and lets signatures that were being verified beside a bad one be done. */
async function ended(directory: Directory): Promise<void> {
  directory.close();
  await new Promise((resolve) => setTimeout(resolve, 5));
}

function body(
  bytes: Bytes,
  verb: Verb = CONSENSUS_IS,
): readonly [Bytes, Bytes] {
  return [
    new CommandWriter().set(BODY_LENGTH, bytes.length).verb(verb).done(),
    bytes,
  ];
}

function plain(verb: Verb): readonly [Bytes] {
  return [new CommandWriter().verb(verb).done()];
}

const BY = await controllers(1);
const FIRST = await consensus(BY, await relays(2));
const SECOND = await next(BY, FIRST);
const FOURTH = await next(BY, await next(BY, SECOND));

Deno.test("what a lying controller says is an error with a reason, whatever it is", async () => {
  const reason = (text: string): readonly [Bytes] => [
    new CommandWriter().set(DECLINE_REASON, utf8(text)).verb(DECLINED).done(),
  ];
  const lies: readonly Script[] = [
    () => plain(NOT_MODIFIED),
    () => plain(NOTED),
    () => plain(CONSENSUS_IS),
    () => body(FIRST.bytes.subarray(1)),
    () => body(concat(FIRST.bytes, new Uint8Array(1))),
    () => body(new Uint8Array(300)),
    () => [
      new CommandWriter().set(BODY_LENGTH, CONSENSUS_LIMIT + 1)
        .verb(CONSENSUS_IS).done(),
    ],
    () => reason("\x1b[31mred"),
    () => plain(DECLINED),
  ];
  for (const [i, lie] of lies.entries()) {
    const { directory, failures } = await told(BY, lie);
    const error = await assertRejects(() => directory.consensus(), Error);
    assert(
      error instanceof DirectoryError || error instanceof ConsensusError,
      `${i}: ${error}`,
    );
    for (const each of [error, ...failures]) {
      // deno-lint-ignore no-control-regex -- what must not come through
      assert(each instanceof Error && !/\x1b/.test(each.message));
    }
    await ended(directory);
  }
});

Deno.test("the way from the known head is shown whole, or what is at its end is not taken", async () => {
  const third = await next(BY, SECOND);
  const way = [SECOND, third].map(encodeHeader);
  const offer = (headers: readonly Bytes[]): Script => (verb) =>
    verb === GET_HEADERS
      ? body(concat(...headers), HEADERS_ARE)
      : body(FOURTH.bytes);
  const good = await told(BY, offer(way), FIRST);
  assertEquals((await good.directory.refresh()).height, 4);
  await ended(good.directory);
  const twin = await next(BY, await consensus(BY, []));
  for (
    const headers of [
      [way[1]!, way[0]!],
      [way[0]!, way[0]!],
      [encodeHeader(twin), way[1]!],
    ]
  ) {
    const { directory } = await told(BY, offer(headers), FIRST);
    const error = await assertRejects(
      () => directory.refresh(),
      ConsensusError,
    );
    assertEquals(error.code, "ERR_CONSENSUS_FORKED");
    await ended(directory);
  }
  // Too few of them, or bytes that are none: the copy is still good.
  for (const headers of [way.slice(1), [way[0]!, new Uint8Array(97)]]) {
    const { directory, failures } = await told(BY, offer(headers), FIRST);
    assertEquals((await directory.refresh()).height, 1);
    assert(failures[0] instanceof MalformedError, `${failures[0]}`);
    await ended(directory);
  }
});

Deno.test("an older consensus than the known one is not taken, and is not called a fork", async () => {
  const { directory, failures } = await told(
    BY,
    () => body(FIRST.bytes),
    SECOND,
  );
  assertEquals((await directory.refresh()).height, 2);
  assert(failures[0] instanceof DirectoryError);
  assertEquals(failures[0].code, "ERR_DIRECTORY_BEHIND");
  await ended(directory);
});

Deno.test("a consensus that lacks a descriptor's own signature is not taken, though controllers signed it", async () => {
  const [one, two] = FIRST.relays;
  const forged = one!.descriptor.bytes.slice();
  forged.set(two!.descriptor.onionKey, 1 + 559);
  const lie = await consensus(BY, [
    { ...one!, descriptor: { ...one!.descriptor, bytes: forged } },
    two!,
  ]);
  const { directory } = await told(BY, () => body(lie.bytes));
  const error = await assertRejects(
    () => directory.consensus(),
    ConsensusError,
  );
  assertEquals(error.code, "ERR_CONSENSUS_MALFORMED");
  await ended(directory);
});
