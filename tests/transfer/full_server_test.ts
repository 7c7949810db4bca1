import { assert, assertEquals, assertRejects } from "@std/assert";
import { AccountError } from "../../lib/account/mod.ts";
import {
  download,
  newSecret,
  PIECE_PLAINTEXT,
  upload,
} from "../../lib/transfer/mod.ts";
import {
  fileServer,
  MemorySink,
  noise,
  reserve,
  sourceOf,
  testBlob,
} from "./file_server.ts";

/** Every write to a file fails as on a full disk from the one on with number `from`. */
class FullDisk implements Disposable {
  readonly #write = Deno.FsFile.prototype.write;
  #writes = 0;

  constructor(from: number) {
    const write = this.#write;
    const count = () => ++this.#writes;
    Deno.FsFile.prototype.write = function (bytes) {
      if (count() < from) return write.call(this, bytes);
      const error = new Error("No space left on device (os error 28)");
      return Promise.reject(Object.assign(error, { code: "ENOSPC" }));
    };
  }

  [Symbol.dispose](): void {
    Deno.FsFile.prototype.write = this.#write;
  }
}

Deno.test("S0.9: a server whose disk is full says so, keeps what it has, and goes on when there is room", async () => {
  await using server = await fileServer();
  const bytes = noise(20 * PIECE_PLAINTEXT);
  const blob = await testBlob(bytes.length);
  await reserve(server, blob);
  let stored = 0;
  {
    using _disk = new FullDisk(8);
    const link = await server.link();
    const error = await assertRejects(
      () =>
        upload(link, blob, sourceOf(bytes), {
          onStored: (count) => stored = count,
        }),
      AccountError,
    );
    assertEquals(error.reason, "spool-full");
    await link.close();
  }
  // The operator has heard of it, once.
  assertEquals(server.failures.length, 1);
  let had: number | undefined;
  const link = await server.link();
  await upload(link, blob, sourceOf(bytes), {
    onStored: (count) => had ??= count,
  });
  await link.close();
  assert(had! > 0 && had! >= stored, `${had} of ${stored} bytes are there`);
  const sink = new MemorySink(bytes.length);
  const down = await server.link();
  await download(down, { keys: blob.keys, claim: newSecret(), from: 0 }, sink);
  await down.close();
  assertEquals(sink.bytes, bytes);
});
