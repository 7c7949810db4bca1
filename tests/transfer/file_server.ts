import { accountLink } from "../../lib/account/mod.ts";
import { Caller, randomBytes } from "../../lib/protocol/mod.ts";
import type { Bytes, CommandChannel } from "../../lib/protocol/mod.ts";
import {
  ask,
  BlobKey,
  blobKeys,
  cutting,
  DEFAULT_TRANSFER_LIMITS,
  newSecret,
  reserveCommand,
  sealedLength,
  TRANSFER_VOCABULARY,
  TransferService,
} from "../../lib/transfer/mod.ts";
import type {
  BlobKeys,
  ByteSink,
  ByteSource,
  Reservation,
  TransferLimits,
  WritableBlob,
} from "../../lib/transfer/mod.ts";
import { RESERVED } from "../../lib/transfer/commands.ts";
import type { ByteStream } from "../../lib/protocol/mod.ts";
import { testServer } from "../support/server.ts";
import type { TestServer } from "../support/server.ts";

/** A server that keeps files, over real sockets. */
export interface FileServer extends TestServer {
  readonly files: TransferService;
  /** What connections failed with, in the end. */
  readonly dropped: unknown[];
  /** Where the blobs lie. */
  readonly spool: string;
  /** A connection for files; `through` may stand in its way. */
  link(
    through?: (stream: ByteStream) => ByteStream,
  ): Promise<CommandChannel>;
}

export async function fileServer(
  options: {
    readonly limits?: Partial<TransferLimits>;
    readonly maxPacket?: number;
    readonly now?: () => number;
  } = {},
): Promise<FileServer> {
  const spool = await Deno.makeTempDir({ prefix: "sotto-spool-" });
  let files: TransferService | undefined;
  const failures: unknown[] = [];
  const server = await testServer({
    maxPacket: options.maxPacket ?? 65_536,
    withServices: (store) => {
      files = new TransferService(
        store,
        spool,
        { ...DEFAULT_TRANSFER_LIMITS, ...options.limits },
        options.now ?? Date.now,
        (error) => failures.push(error),
      );
      return { services: [files], tables: [files.table], guests: [files] };
    },
  });
  return {
    ...server,
    failures,
    dropped: server.failures,
    files: files!,
    spool,
    async link(through = (stream) => stream) {
      const caller = new Caller(through(await server.dial()));
      return accountLink(
        await caller.connect(server.node.dh.publicKey),
        TRANSFER_VOCABULARY,
      );
    },
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await Deno.remove(spool, { recursive: true });
    },
  };
}

/** A blob that nobody has sent yet, with the keys of both sides. */
export interface TestBlob extends WritableBlob {
  readonly keys: BlobKeys;
}

/** A blob for `length` bytes of plaintext. */
export async function testBlob(length: number): Promise<TestBlob> {
  const keys = await blobKeys(newSecret());
  return {
    keys,
    id: keys.id,
    writeCapability: newSecret(),
    key: await BlobKey.create(keys.inputKey, keys.context),
    cutting: cutting(sealedLength(length)),
  };
}

/** Keeps room for a blob, as a guest. */
export async function reserve(
  server: FileServer,
  blob: WritableBlob,
  reservation: Reservation = { downloads: 1, lifetime: 3_600 },
): Promise<void> {
  const link = await server.link();
  const command = await reserveCommand(blob, reservation);
  try {
    await ask(link, command, RESERVED, "reserve");
  } finally {
    await link.close();
  }
}

/** Bytes in memory, as a source. */
export function sourceOf(bytes: Bytes): ByteSource {
  return {
    length: bytes.length,
    read: (offset, length) =>
      Promise.resolve(bytes.slice(offset, offset + length)),
  };
}

/** A sink in memory, for `length` bytes. */
export class MemorySink implements ByteSink {
  readonly bytes: Bytes;
  /** Up to where it was written, and made durable. */
  written = 0;
  synced = 0;

  constructor(length: number) {
    this.bytes = new Uint8Array(length);
  }

  write(offset: number, bytes: Bytes): Promise<void> {
    if (offset !== this.written) throw new Error(`written at ${offset}`);
    this.bytes.set(bytes, offset);
    this.written += bytes.length;
    return Promise.resolve();
  }

  sync(): Promise<void> {
    this.synced = this.written;
    return Promise.resolve();
  }
}

/** `length` random bytes, cheaply. */
export function noise(length: number): Bytes {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at += 65_536) {
    bytes.set(randomBytes(Math.min(65_536, length - at)), at);
  }
  return bytes;
}

/** Resolves when nothing lies in the spool any more: the server cleans up behind its answer. */
export async function spoolEmptied({ spool }: FileServer): Promise<void> {
  for (;;) {
    const left = await Array.fromAsync(Deno.readDir(spool));
    if (left.length === 0) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
