import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import {
  formatRelayAddress,
  readRelayAddress,
  relayAddress,
  writeRelayAddress,
} from "../../lib/directory/relay_address.ts";
import { MalformedError, Reader, Writer } from "../../lib/protocol/mod.ts";

Deno.test("an address has one text and one encoding", () => {
  for (
    const [host, port, text, bytes] of [
      ["192.0.2.1", 7607, "192.0.2.1:7607", 7],
      ["2001:DB8:0:0::1", 1, "[2001:db8::1]:1", 19],
      ["::ffff:192.0.2.1", 65_535, "192.0.2.1:65535", 7],
      ["::", 80, "[::]:80", 19],
    ] as const
  ) {
    const address = relayAddress(host, port);
    assertEquals(formatRelayAddress(address), text);
    const writer = new Writer();
    writeRelayAddress(writer, address);
    assertEquals(writer.length, bytes);
    assertEquals(readRelayAddress(new Reader(writer.done())), address);
  }
});

Deno.test("what is no IP address, or no port, is no address", () => {
  for (
    const host of ["", "a.example", "1.2.3", "1.2.3.4.5", "[::1]", "::1%eth0"]
  ) {
    assertThrows(() => relayAddress(host, 80), MalformedError);
  }
  for (const port of [0, -1, 65_536, 1.5, NaN]) {
    assertThrows(() => relayAddress("192.0.2.1", port), MalformedError);
  }
  const mapped = new Uint8Array([
    6,
    ...new Uint8Array(10),
    255,
    255,
    1,
    2,
    3,
    4,
    0,
    80,
  ]);
  for (
    const bytes of [mapped, [5, 1, 2, 3, 4, 0, 80], [4, 1, 2, 3, 4, 0, 0], [
      4,
      1,
    ]]
  ) {
    assertThrows(
      () => readRelayAddress(new Reader(new Uint8Array(bytes))),
      MalformedError,
    );
  }
});

Deno.test("whatever bytes are an address, they are the only ones for it", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 7, maxLength: 19 }), (bytes) => {
      if (bytes.length > 0) bytes[0] = bytes.length === 7 ? 4 : 6;
      const reader = new Reader(bytes);
      try {
        const address = readRelayAddress(reader);
        reader.end();
        const writer = new Writer();
        writeRelayAddress(writer, address);
        assertEquals(writer.done(), new Uint8Array(bytes));
      } catch (error) {
        if (!(error instanceof MalformedError)) throw error;
      }
    }),
  );
});
