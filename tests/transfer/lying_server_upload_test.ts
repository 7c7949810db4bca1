import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  AccountError,
  DATA_LENGTH,
  KO,
  MAX_PACKET,
  OK,
  REASON,
} from "../../lib/account/mod.ts";
import {
  ChannelError,
  CommandWriter,
  MalformedError,
  randomBytes,
  utf8,
} from "../../lib/protocol/mod.ts";
import type { Bytes, CommandChannel } from "../../lib/protocol/mod.ts";
import { upload } from "../../lib/transfer/mod.ts";
import {
  ARRIVED,
  BLOB_DIGEST,
  COMPLETE,
  PIECE,
  PIECES,
  PUT,
  READY,
} from "../../lib/transfer/commands.ts";
import { encodePieces, PIECE_PLAINTEXT } from "../../lib/transfer/pieces.ts";
import { noise, sourceOf, testBlob } from "./file_server.ts";
import { leave, lyingServer } from "./lying_server.ts";

// A server that lies to whoever sends: about what it has, what arrived and what is whole.

const COUNT = 6;
const LENGTH = (COUNT - 1) * PIECE_PLAINTEXT + 999;
const BYTES = noise(LENGTH);
const BLOB = await testBlob(LENGTH);

/** Sends to a server that follows a script after UPLOAD. */
async function sendTo(
  script: (link: CommandChannel) => Promise<void>,
): Promise<Bytes> {
  await using server = await lyingServer(script);
  const link = await server.link();
  try {
    return await upload(link, BLOB, sourceOf(BYTES));
  } finally {
    await leave(link);
  }
}

function ready(arrived: Bytes): Bytes {
  return new CommandWriter().set(ARRIVED, arrived).verb(READY).done();
}

/** Reads what is put, with its body; ends when the client leaves. */
async function eachPut(
  link: CommandChannel,
  taken: (index: number) => Promise<void>,
): Promise<void> {
  for (let message; (message = await link.next()) !== null;) {
    if (message.verb !== PUT) continue;
    await link.body(message.need(DATA_LENGTH));
    await taken(message.need(PIECE));
  }
}

const NONSENSE: Readonly<Record<string, Bytes>> = {
  "half a run": new Uint8Array([0, 0, 0, 0, 0, 0]),
  "an empty run": encodePieces([0, 0]),
  "a run beyond the end": encodePieces([3, COUNT - 2]),
  "a run that wraps around": encodePieces([0xffff_ffff, 2]),
  "runs that overlap": encodePieces([0, 3, 2, 1]),
  "runs that fall": encodePieces([3, 1, 0, 1]),
  "random bytes": randomBytes(64),
};

for (const [what, arrived] of Object.entries(NONSENSE)) {
  Deno.test(`S0.9: a server that has received ${what} is found out`, async () => {
    await assertRejects(
      () => sendTo((link) => link.send(ready(arrived))),
      MalformedError,
    );
  });
}

Deno.test("S0.9: a server that calls every piece broken is sent each five times at most", async () => {
  const sent = new Map<number, number>();
  const error = await assertRejects(
    () =>
      sendTo(async (link) => {
        await link.send(ready(new Uint8Array(0)));
        await eachPut(link, async (index) => {
          sent.set(index, (sent.get(index) ?? 0) + 1);
          await link.send(
            new CommandWriter().set(PIECE, index)
              .set(REASON, utf8("checksum")).verb(KO).done(),
          );
        });
      }),
    AccountError,
  );
  assertEquals(error.reason, "checksum");
  assertEquals(Math.max(...sent.values()), 5);
});

Deno.test("S0.9: a server that confirms everything and has something else is found out by its digest", async () => {
  await assertRejects(
    () =>
      sendTo(async (link) => {
        await link.send(ready(new Uint8Array(0)));
        let count = 0;
        await eachPut(link, async (index) => {
          await link.send(
            new CommandWriter().set(
              PIECES,
              encodePieces([index, 77, 0xffff_ffff]),
            )
              .verb(OK).done(),
          );
          if (++count < COUNT) return;
          await link.send(
            new CommandWriter().set(BLOB_DIGEST, randomBytes(32))
              .verb(COMPLETE).done(),
          );
        });
      }),
    MalformedError,
    "something else",
  );
});

Deno.test("S0.9: confirmations of what was never sent, and KOs for it, change nothing", async () => {
  await assertRejects(
    () =>
      sendTo(async (link) => {
        await link.send(ready(new Uint8Array(0)));
        const all = Array.from({ length: 1_000 }, (_, i) => i + COUNT);
        await link.send(
          new CommandWriter().set(PIECES, encodePieces(all)).verb(OK).done(),
        );
        for (const index of all) {
          await link.send(
            new CommandWriter().set(PIECE, index)
              .set(REASON, utf8("checksum")).verb(KO).done(),
          );
        }
        let count = 0;
        await new Promise<void>((resolve) => {
          eachPut(link, () => {
            if (++count === COUNT) resolve();
            return Promise.resolve();
          }).catch(() => {});
        });
        assertEquals(count, COUNT);
      }),
    ChannelError,
  );
});

Deno.test("S0.9: a full server, a refusal in words of the future and another answer are told apart", async () => {
  const ko = (reason: string) => (link: CommandChannel) =>
    link.send(
      new CommandWriter().set(REASON, utf8(reason)).verb(KO).done(),
    );
  const full = await assertRejects(
    () => sendTo(ko("spool-full")),
    AccountError,
  );
  assertEquals(full.reason, "spool-full");
  const odd = await assertRejects(() => sendTo(ko("\x1b[2Jode")), AccountError);
  assert(!odd.message.includes("\x1b"));
  await assertRejects(
    () => sendTo((link) => link.send(new CommandWriter().verb(OK).done())),
    MalformedError,
  );
  await assertRejects(
    () =>
      sendTo((link) =>
        link.send(
          new CommandWriter().set(MAX_PACKET, 10)
            .set(ARRIVED, new Uint8Array(0)).verb(READY).done(),
        )
      ),
    MalformedError,
  );
  await assertRejects(() => sendTo(() => Promise.resolve()), ChannelError);
});

Deno.test("S0.9: a server that falls silent is left after a minute", async () => {
  // A thousand times faster.
  const { setInterval: slowly } = globalThis;
  const now = performance.now.bind(performance);
  globalThis.setInterval =
    ((work: () => void, ms: number) =>
      slowly(work, ms / 1_000)) as typeof setInterval;
  performance.now = () => now() * 1_000;
  try {
    await assertRejects(
      () =>
        sendTo(async (link) => {
          await link.send(ready(new Uint8Array(0)));
          await eachPut(link, () => Promise.resolve()).catch(() => {});
        }),
      ChannelError,
    );
  } finally {
    globalThis.setInterval = slowly;
    performance.now = now;
  }
});
