import { accountLink } from "../../lib/account/mod.ts";
import { listen } from "../../lib/net/mod.ts";
import {
  answer,
  Caller,
  CommandWriter,
  sha256,
} from "../../lib/protocol/mod.ts";
import type { Bytes, CommandChannel, Message } from "../../lib/protocol/mod.ts";
import {
  DATA_LENGTH,
  KO,
  OK,
  VERIFICATION_SHA256,
} from "../../lib/account/mod.ts";
import {
  BLOB,
  BLOB_DIGEST,
  BLOB_HEADER,
  BLOB_SIZE,
  EXPIRES_AT,
  FETCHED,
  PIECE,
  PUT,
} from "../../lib/transfer/commands.ts";
import { TRANSFER_VOCABULARY } from "../../lib/transfer/mod.ts";
import {
  CHUNKS_PER_PIECE,
  PIECE_PLAINTEXT,
} from "../../lib/transfer/pieces.ts";
import { sealRun } from "../../lib/transfer/sealed_blob/chunk_run.ts";
import { testNodeKeyring } from "../support/keyrings.ts";
import { ROOMY } from "../support/server.ts";
import type { TestBlob } from "./file_server.ts";

/** A server that holds its keys and lies about files. */
export interface LyingServer {
  link(): Promise<CommandChannel>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Hands each connection, with its first command, to `script`; then it is closed. */
export async function lyingServer(
  script: (link: CommandChannel, first: Message) => Promise<void>,
): Promise<LyingServer> {
  const node = await testNodeKeyring();
  const listener = listen(
    { hostname: "127.0.0.1", port: 0 },
    ROOMY,
    async (incoming) => {
      const channel = await answer(incoming, {
        static: node.dh,
        certificate: node.certificate.bytes,
      });
      if (channel === undefined) return;
      const link = accountLink(channel, TRANSFER_VOCABULARY);
      const first = await link.next();
      if (first !== null) await script(link, first);
      await link.close();
    },
    () => {/* clients leave when they notice it */},
  );
  return {
    async link() {
      const connection = await Deno.connect({
        hostname: "127.0.0.1",
        port: listener.port,
      });
      const caller = new Caller(connection);
      return accountLink(
        await caller.connect(node.certificate.dhKey),
        TRANSFER_VOCABULARY,
      );
    },
    [Symbol.asyncDispose]: () => listener.close(),
  };
}

/** The pieces of a blob as its writer would send them. */
export async function sealedPieces(
  blob: TestBlob,
  bytes: Bytes,
): Promise<Bytes[]> {
  const { count } = blob.cutting;
  return await Promise.all(
    Array.from({ length: count }, (_, index) =>
      sealRun(
        blob.key,
        index * CHUNKS_PER_PIECE,
        bytes.slice(index * PIECE_PLAINTEXT, (index + 1) * PIECE_PLAINTEXT),
        index === count - 1,
      )),
  );
}

/** A piece as it is sent. */
export interface SentPiece {
  readonly index: number;
  readonly body: Bytes;
  /** Of the body, unless given. */
  readonly hash?: Bytes;
}

/** What the server says of a blob. */
export interface Lies {
  readonly header: Bytes;
  readonly size: bigint;
  /** In their order. */
  readonly pieces: Iterable<SentPiece> | AsyncIterable<SentPiece>;
  /** What is sent when a piece is asked for again. */
  again(index: number): SentPiece | undefined;
  /** Whether it is said at once that all was fetched. */
  readonly early?: boolean;
}

/** Serves a blob as `lies` has it. */
export async function serveLies(
  link: CommandChannel,
  lies: Lies,
): Promise<void> {
  await link.send(
    new CommandWriter().set(BLOB_HEADER, lies.header)
      .set(BLOB_SIZE, lies.size).set(EXPIRES_AT, 2n ** 41n).verb(BLOB).done(),
  );
  const ok = async () => {
    const digest = await sha256(new Uint8Array(0));
    await link.send(
      new CommandWriter().set(BLOB_DIGEST, digest).verb(OK).done(),
    );
  };
  if (lies.early) await ok();
  const sending = (async () => {
    for await (const piece of lies.pieces) await put(link, piece);
  })();
  sending.catch(() => {/* the client is gone */});
  for (let message; (message = await link.next()) !== null;) {
    if (message.verb === FETCHED) return await ok();
    if (message.verb !== KO) continue;
    const piece = lies.again(message.need(PIECE));
    if (piece === undefined) return;
    await put(link, piece);
  }
}

async function put(
  link: CommandChannel,
  { index, body, hash }: SentPiece,
): Promise<void> {
  await link.sendWithBody(
    new CommandWriter().set(PIECE, index).set(DATA_LENGTH, body.length)
      .set(VERIFICATION_SHA256, hash ?? await sha256(body)).verb(PUT).done(),
    body,
  );
}

/** A record that is being opened when it leaves is waited for. */
export async function leave(link: CommandChannel): Promise<void> {
  link.abort();
  await new Promise((resolve) => setTimeout(resolve, 10));
}
