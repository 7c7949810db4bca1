import { assertEquals } from "@std/assert";
import { decodeHeaders, encodeHeaders } from "../../lib/onion/cell/cell.ts";
import type { CellSize } from "../../lib/onion/cell/cell.ts";
import { decodeMessage, encodeMessage } from "../../lib/onion/cell/message.ts";
import { acceptHop } from "../../lib/onion/circuit/hop_handshake.ts";
import { LayerKey } from "../../lib/onion/circuit/layer_key.ts";
import { importDh } from "../../lib/protocol/mod.ts";
import { BODIES, headerOf, layerLength, unwrap, wrap } from "./naive_cells.ts";
import { NaiveLayer } from "./naive_cells.ts";
import type { NaiveHop } from "./naive_cells.ts";
import { hopPrologue } from "./naive_circuit.ts";
import { hello } from "./naive_handshake.ts";
import {
  COMMANDS,
  createBytes,
  messageBytes,
  readCreate,
  readCreated,
  readMessage,
} from "./naive_messages.ts";
import type { NaiveOnionMessage } from "./naive_messages.ts";
import { join, sha256, unsigned } from "./naive_primitives.ts";
import type { Octets } from "./naive_primitives.ts";
import { Direction } from "./naive_records.ts";

/** A cell with what it says. */
interface Vector {
  /** Of the relay that it is for, or from. */
  readonly position: number;
  readonly command: NaiveOnionMessage["command"];
  readonly stream: number;
  readonly data: string;
  /** Length of the body. */
  readonly body: number;
  /** The body, all of which is layers. */
  readonly hex?: string;
  /** Of a body that is too long to be written down. */
  readonly sha256?: string;
  /** Of the innermost layer. */
  readonly tag: string;
}

/** Cells of version 1 of the protocol, kept so that nothing about them changes unnoticed. */
const { handshake, headers, hops, fromClient, toClient } = JSON.parse(
  await Deno.readTextFile(new URL("onion_vectors.json", import.meta.url)),
) as {
  readonly handshake: Readonly<Record<string, string>> & {
    readonly position: number;
  };
  readonly headers: {
    readonly key: string;
    /** Circuit, command, size and detail of each. */
    readonly cells: readonly (readonly [number, number, CellSize, number])[];
    readonly record: string;
  };
  readonly hops: readonly { forward: string; backward: string }[];
  readonly fromClient: readonly Vector[];
  readonly toClient: readonly Vector[];
};

const hex = (text: string | undefined) => Uint8Array.fromHex(text!);

function layers(): NaiveHop[] {
  return hops.map(({ forward, backward }) => ({
    forward: new NaiveLayer(hex(forward)),
    backward: new NaiveLayer(hex(backward)),
  }));
}

/** What a vector says of a body. */
function assertBody(vector: Vector, body: Octets): void {
  assertEquals(body.length, vector.body);
  if (vector.hex !== undefined) assertEquals(body.toHex(), vector.hex);
  else assertEquals(sha256(body).toHex(), vector.sha256);
}

/** The message of a vector, with zeros. */
function restOf({ position, command, stream, data, body }: Vector): Octets {
  const length = layerLength(body, position + 1);
  return messageBytes({ command, stream, data: hex(data) }, length);
}

Deno.test("SPEC.md §12.3: a handshake that was kept gives the keys that were kept; our relay reads its first message", async () => {
  const { position } = handshake;
  const fingerprint = hex(handshake.fingerprint);
  const onionKey = hex(handshake.onionKey);
  const begun = await hello(onionKey, {
    prologue: hopPrologue(fingerprint),
    payload: unsigned(1, position),
    e: hex(handshake.e),
    e1: hex(handshake.e1),
  });
  const create = hex(handshake.create);
  assertEquals(createBytes(onionKey, begun.hello), create);
  const agreed = await begun.finish(readCreated(hex(handshake.created)));
  assertEquals(agreed.fromClient, hex(handshake.forward));
  assertEquals(agreed.fromServer, hex(handshake.backward));
  assertEquals(agreed.hash, hex(handshake.hash));

  const onion = await importDh(hex(handshake.onionSecret));
  const accepted = await acceptHop(create, fingerprint, [onion]);
  assertEquals(accepted.position, position);
  const same = await hello(readCreate(create).onionKey, {
    prologue: hopPrologue(fingerprint),
    payload: unsigned(1, position),
    e: hex(handshake.e),
    e1: hex(handshake.e1),
  });
  const fresh = await same.finish(readCreated(accepted.answer));
  assertEquals(accepted.keys.binding, fresh.hash);
  assertEquals(
    await accepted.keys.forward.open(
      new NaiveLayer(fresh.fromClient).seal(onionKey),
    ),
    onionKey,
  );
});

Deno.test("SPEC.md §12.2: headers that were kept", () => {
  const cells = headers.cells.map(([circuit, command, size, detail]) => ({
    circuit,
    command,
    size,
    detail,
  }));
  const plaintext = join(...cells.map(({ size, ...cell }) => {
    const body = new Uint8Array(BODIES[size]!);
    return headerOf({ ...cell, body });
  }));
  const record = hex(headers.record);
  assertEquals(new Direction(hex(headers.key)).seal(plaintext), record);
  assertEquals(encodeHeaders(cells), plaintext);
  assertEquals(decodeHeaders(plaintext), cells);
});

Deno.test("SPEC.md §12.4: cells from a client that were kept, sealed by the text and by us", async () => {
  const theirs = layers();
  const ours = await Promise.all(
    hops.map(({ forward }) => LayerKey.of(hex(forward))),
  );
  for (const vector of fromClient) {
    const { position, command, stream, data } = vector;
    const sealed = wrap(theirs, position, restOf(vector));
    assertBody(vector, sealed.body);
    assertEquals(sealed.tag.toHex(), vector.tag);

    const number = COMMANDS.indexOf(command);
    const message = { command: number, stream, data: hex(data) };
    const size = BODIES.indexOf(vector.body) as CellSize;
    let body = encodeMessage(message, size, position);
    for (let p = position; p >= 1; p--) {
      body = await ours[p - 1]!.seal(body);
      if (p > 1) body = join(unsigned(1, 0), body);
    }
    assertBody(vector, body);
  }
});

Deno.test("SPEC.md §12.4: cells to a client that were kept, sealed by us and opened by the text", async () => {
  const theirs = layers();
  const [sealing, opening] = [
    await Promise.all(
      hops.map(({ backward }) => LayerKey.of(hex(backward))),
    ),
    await Promise.all(
      hops.map(({ backward }) => LayerKey.of(hex(backward))),
    ),
  ];
  for (const vector of toClient) {
    const { position, command, stream, data } = vector;
    const number = COMMANDS.indexOf(command);
    const message = { command: number, stream, data: hex(data) };
    const size = BODIES.indexOf(vector.body) as CellSize;
    let body = encodeMessage(message, size, position);
    for (let p = position; p >= 1; p--) {
      body = await sealing[p - 1]!.seal(body);
      if (p > 1) body = join(unsigned(1, 0), body);
    }
    assertBody(vector, body);

    const opened = unwrap(theirs, body);
    assertEquals(opened.position, position);
    assertEquals(opened.tag.toHex(), vector.tag);
    assertEquals(opened.rest, restOf(vector));
    assertEquals(readMessage(opened.rest), {
      command,
      stream,
      data: hex(data),
    });
    let layer = body;
    for (let p = 1; p <= position; p++) {
      layer = await opening[p - 1]!.open(p > 1 ? layer.slice(1) : layer);
    }
    assertEquals(decodeMessage(layer), message);
  }
});

Deno.test("SPEC.md §12.4: keys that follow each other are those of the text", async () => {
  const raw = hex(hops[0]!.forward);
  for (const lasts of [1, 2, 3]) {
    const theirs = new NaiveLayer(raw, lasts);
    const ours = await LayerKey.of(raw, lasts);
    for (let i = 0; i < 8; i++) {
      const plaintext = unsigned(4, i);
      assertEquals(await ours.seal(plaintext), theirs.seal(plaintext));
    }
  }
});
