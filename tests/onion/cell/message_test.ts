import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import {
  BODY_BYTES,
  HOPS_LIMIT,
  LARGE,
  LAYER_OVERHEAD,
  sealedLength,
  SMALL,
} from "../../../lib/onion/cell/cell.ts";
import {
  blankLayer,
  capacity,
  decodeMessage,
  encodeMessage,
  HERE,
  MESSAGE_HEADER_BYTES,
  sizeFor,
} from "../../../lib/onion/cell/message.ts";
import {
  AEAD_TAG_BYTES,
  MalformedError,
  randomBytes,
} from "../../../lib/protocol/mod.ts";

const sizes = [SMALL, LARGE] as const;

Deno.test("messages come out as they went in, at every position, up to what fits", () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...sizes),
      fc.integer({ min: 1, max: HOPS_LIMIT }),
      fc.nat(255),
      fc.nat(0xffff),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (size, position, command, stream, part) => {
        const most = capacity(size, position);
        const data = randomBytes(Math.round(part * most));
        const layer = encodeMessage({ command, stream, data }, size, position);
        assertEquals(
          layer.length + AEAD_TAG_BYTES,
          sealedLength(size, position),
        );
        assertEquals(layer[0], HERE);
        const read = decodeMessage(layer);
        assertEquals([read.command, read.stream], [command, stream]);
        assertEquals(read.data.toHex(), data.toHex());
        // What fills it up says nothing.
        const rest = layer.subarray(MESSAGE_HEADER_BYTES + data.length);
        assert(rest.every((byte) => byte === 0));
      },
    ),
  );
});

Deno.test("what does not fit is not written", () => {
  for (const size of sizes) {
    for (let position = 1; position <= HOPS_LIMIT; position++) {
      const most = capacity(size, position);
      const message = { command: 0, stream: 1 };
      const data = new Uint8Array(most);
      encodeMessage({ ...message, data }, size, position);
      assertThrows(
        () =>
          encodeMessage(
            { ...message, data: new Uint8Array(most + 1) },
            size,
            position,
          ),
        RangeError,
      );
    }
  }
});

Deno.test("a length that passes the end of the layer is refused, whatever it is", () => {
  for (const size of sizes) {
    for (const position of [1, HOPS_LIMIT]) {
      const layer = blankLayer(size, position);
      const most = layer.length - MESSAGE_HEADER_BYTES;
      for (const length of [0, 1, most - 1, most, most + 1, 0xffff]) {
        layer[4] = length >> 8;
        layer[5] = length & 0xff;
        if (length <= most) {
          assertEquals(decodeMessage(layer).data.length, length);
        } else assertThrows(() => decodeMessage(layer), MalformedError);
      }
    }
  }
});

Deno.test("the smallest cell is taken that holds the data", () => {
  for (let position = 1; position <= HOPS_LIMIT; position++) {
    const most = capacity(SMALL, position);
    assertEquals(sizeFor(0, position), SMALL);
    assertEquals(sizeFor(most, position), SMALL);
    assertEquals(sizeFor(most + 1, position), LARGE);
    assertEquals(
      BODY_BYTES[SMALL] - most,
      (position - 1) * LAYER_OVERHEAD + AEAD_TAG_BYTES + MESSAGE_HEADER_BYTES,
    );
  }
});
