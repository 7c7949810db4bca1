import { assert, assertEquals } from "@std/assert";
import { accountLink, OK } from "../../lib/account/mod.ts";
import { parseNodeCertificate } from "../../lib/identity/mod.ts";
import { Caller, sha256 } from "../../lib/protocol/mod.ts";
import type { Bytes, CommandChannel } from "../../lib/protocol/mod.ts";
import { ARRIVED, PIECES, READY } from "../../lib/transfer/commands.ts";
import {
  ask,
  PIECE_PLAINTEXT,
  reserveCommand,
  RESERVED,
  TRANSFER_VOCABULARY,
  upload,
} from "../../lib/transfer/mod.ts";
import {
  missingPieces,
  parsePieces,
  PIECE_BYTES,
  pieceLength,
} from "../../lib/transfer/pieces.ts";
import { noise, sourceOf, testBlob } from "../transfer/file_server.ts";
import { Network, sleep } from "./network.ts";
import type { Running } from "./network.ts";

/** Kills in one run; the long run is SOTTO_KILLS=50. */
const KILLS = Number(Deno.env.get("SOTTO_KILLS") ?? "6");
const COUNT = 60;
const HASH_BYTES = 32;

/** A connection for files, as soon as the server answers. */
async function connect(port: number): Promise<CommandChannel> {
  for (let tries = 0;; tries++) {
    try {
      const connection = await Deno.connect({ hostname: "127.0.0.1", port });
      const caller = new Caller(connection);
      const { dhKey } = await parseNodeCertificate(await caller.publicKey());
      return accountLink(await caller.connect(dhKey), TRANSFER_VOCABULARY);
    } catch (error) {
      if (tries > 200) throw error;
      await sleep(50);
    }
  }
}

/** The same connection; `told` hears of every piece that is confirmed or was there already. */
function tapped(
  link: CommandChannel,
  told: (pieces: readonly number[]) => void,
): CommandChannel {
  return new Proxy(link, {
    get(target, name) {
      const value = Reflect.get(target, name, target);
      if (typeof value !== "function") return value;
      if (name !== "next") return value.bind(target);
      return async () => {
        const message = await target.next();
        if (message?.verb === OK) told(parsePieces(message.need(PIECES)));
        if (message?.verb === READY) {
          const missing = new Set(missingPieces(message.need(ARRIVED), COUNT));
          told(
            Array.from({ length: COUNT }, (_, i) => i)
              .filter((i) => !missing.has(i)),
          );
        }
        return message;
      };
    },
  });
}

Deno.test(`S0.9: a server is killed ${KILLS} times while it takes pieces in, and each that it has confirmed is on its disk, as it was sent`, async () => {
  await using network = await Network.make();
  let server: Running = await network.server();
  const spool = `${network.directory}/server/spool`;
  const bytes = noise(COUNT * PIECE_PLAINTEXT - 100);
  let inTheMiddle = 0;
  try {
    for (let kill = 0; kill < KILLS; kill++) {
      const blob = await testBlob(bytes.length);
      assertEquals(blob.cutting.count, COUNT);
      const reserving = await connect(network.port);
      await ask(
        reserving,
        await reserveCommand(blob, { downloads: 1, lifetime: 600 }),
        RESERVED,
        "reserve",
      );
      await reserving.close();
      const confirmed = new Set<number>();
      const first = await connect(network.port);
      let begun = () => {};
      const isBegun = new Promise<void>((resolve) => begun = resolve);
      const sending = upload(
        tapped(first, (pieces) => {
          for (const piece of pieces) confirmed.add(piece);
          if (confirmed.size > 0) begun();
        }),
        blob,
        sourceOf(bytes),
        { pace: { take: () => sleep(10) } },
      ).then(() => true, () => false);
      await isBegun;
      await sleep(Math.random() * 100);
      await server.kill();
      const isWhole = await sending;
      first.abort();
      if (confirmed.size < COUNT) inTheMiddle++;

      const path = `${spool}/${blob.id.toHex()}`;
      const map = await Deno.readFile(`${path}.map`);
      const data = await Deno.readFile(`${path}.blob`);
      const hashOf = (index: number): Bytes =>
        map.subarray(index * HASH_BYTES, (index + 1) * HASH_BYTES);
      for (const index of confirmed) {
        const at = index * PIECE_BYTES;
        const piece = data.slice(at, at + pieceLength(blob.cutting, index));
        assertEquals(await sha256(piece), hashOf(index), `piece ${index}`);
      }

      server = await network.server();
      const second = await connect(network.port);
      let had: readonly number[] | undefined;
      // What is missing is sent, and no more is needed.
      await upload(
        tapped(second, (pieces) => had ??= pieces),
        blob,
        sourceOf(bytes),
      );
      await second.close();
      assert(new Set(had).isSupersetOf(confirmed));
      assert(!isWhole || had!.length === COUNT);
    }
    assert(inTheMiddle > 0, "no kill was in the middle");
  } finally {
    await server.kill();
  }
});
