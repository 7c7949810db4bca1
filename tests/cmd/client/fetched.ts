import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { runFetch } from "../../../cmd/client/fetch.ts";
import { CommandError, describe } from "../../../cmd/errors.ts";
import type { TestIo, TestWorld } from "../../support/test_io.ts";
import { testIo } from "../../support/test_io.ts";
import type { DirectOnion } from "./direct_onion.ts";

/** Bytes of {@linkcode BODY}. */
export const LENGTH = 3_000_000;
/** What a server has, unless told otherwise. */
export const BODY = Uint8Array.from(
  { length: LENGTH },
  (_, i) => i * 31 + (i >> 9),
);

/** What a server knows of a file. */
export interface Served {
  /** What it can do. */
  readonly ranges?: boolean;
  readonly etag?: string | undefined;
  readonly modified?: string;
  readonly body?: Uint8Array<ArrayBuffer>;
  /** The `Range` of every request. */
  readonly seen: (string | null)[];
}

/** A server of one file, as RFC 9110 §14 has it. */
export function serve(file: Served): (request: Request) => Response {
  return (request) => {
    const { body = BODY, etag, modified } = file;
    const range = request.headers.get("range");
    file.seen.push(range);
    const headers = new Headers({
      ...etag === undefined ? {} : { etag },
      ...modified === undefined ? {} : { "last-modified": modified },
    });
    const condition = request.headers.get("if-range");
    const isSame = condition === null || condition === etag ||
      condition === modified;
    const start = Number(/^bytes=(\d+)-$/.exec(range ?? "")?.[1]);
    if (!file.ranges || !isSame || Number.isNaN(start)) {
      return new Response(body, { headers });
    }
    if (start >= body.length) {
      headers.set("content-range", `bytes */${body.length}`);
      return new Response(null, { status: 416, headers });
    }
    const last = body.length - 1;
    headers.set("content-range", `bytes ${start}-${last}/${body.length}`);
    return new Response(body.slice(start), { status: 206, headers });
  };
}

/** Nobody waits in tests. */
export const noPause = () => Promise.resolve();

/** Runs `sotto client fetch ARGS`, which must succeed. */
export async function fetched(
  onion: DirectOnion,
  args: string[],
  world: TestWorld = {},
): Promise<TestIo> {
  const io = testIo(world);
  assertEquals(await runFetch(args, io, onion.open, noPause), 0);
  assertClosed(onion);
  return io;
}

/** The same for one that must fail, and say so like that. */
export async function fails(
  onion: DirectOnion,
  args: string[],
  says: RegExp,
  world: TestWorld = {},
): Promise<CommandError> {
  const error = await assertRejects(() =>
    runFetch(args, testIo(world), onion.open, noPause)
  );
  assert(error instanceof CommandError, String(error));
  assertMatch(describe(error), says);
  assertClosed(onion);
  return error;
}

/** The onion is closed, and nothing in it open. */
export function assertClosed(onion: DirectOnion): void {
  assertEquals([onion.closed, onion.opener.streams.size], [1, 0]);
  onion.closed = 0;
}

/** Runs `body` with a directory of its own. */
export async function withDirectory(
  body: (directory: string) => Promise<void>,
): Promise<void> {
  const directory = await Deno.makeTempDir();
  try {
    await body(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/** What is in a directory. */
export async function namesIn(directory: string): Promise<string[]> {
  const names = await Array.fromAsync(Deno.readDir(directory), (e) => e.name);
  return names.sort();
}

/** The file holds all of `body`. */
export async function assertWhole(path: string, body = BODY): Promise<void> {
  const got = await Deno.readFile(path);
  assertEquals(got.length, body.length);
  assert(got.every((byte, i) => byte === body[i]), "other bytes");
}
