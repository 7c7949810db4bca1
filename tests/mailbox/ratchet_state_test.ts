import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import type { Bytes } from "../../lib/protocol/mod.ts";
import { MalformedError } from "../../lib/protocol/mod.ts";
import type { RatchetState } from "../../lib/mailbox/ratchet_state.ts";
import {
  decodeRatchetState,
  encodeRatchetState,
  RETIRED_LIMIT,
  SKIPPED_LIMIT,
} from "../../lib/mailbox/ratchet_state.ts";

const u32 = fc.integer({ min: 0, max: 0xffffffff });

function bytes(length: number): fc.Arbitrary<Bytes> {
  return fc.uint8Array({ minLength: length, maxLength: length })
    .map((raw) => new Uint8Array(raw));
}

const chain = fc.record({ key: bytes(32), next: u32 });
const local = fc.record({ privateKey: bytes(32), publicKey: bytes(32) });

/** One of the combinations of parts that the ratchet passes through. */
const parts: fc.Arbitrary<
  Pick<RatchetState, "local" | "remote" | "sending" | "receiving">
> = fc.oneof(
  fc.record({
    local: none(),
    remote: bytes(32),
    sending: none(),
    receiving: none(),
  }),
  fc.record({ local, remote: none(), sending: none(), receiving: none() }),
  fc.record({ local, remote: bytes(32), sending: chain, receiving: none() }),
  fc.record({
    local: none(),
    remote: bytes(32),
    sending: none(),
    receiving: chain,
  }),
  fc.record({ local, remote: bytes(32), sending: chain, receiving: chain }),
);

const states: fc.Arbitrary<RatchetState> = fc.tuple(
  parts,
  fc.record({
    root: bytes(32),
    previous: u32,
    retired: fc.array(bytes(32), { maxLength: RETIRED_LIMIT }),
    skipped: fc.array(
      fc.record({ remote: bytes(32), number: u32, messageKey: bytes(44) }),
      { maxLength: 5 },
    ),
  }),
).map(([held, rest]) => ({ ...held, ...rest }));

Deno.test("ratchet state: every state comes back from its bytes", () => {
  fc.assert(fc.property(states, (state) => {
    assertEquals(decodeRatchetState(encodeRatchetState(state)), state);
  }));
});

Deno.test("ratchet state: cut at any byte or with one more it is malformed", () => {
  for (const state of fc.sample(states, 5)) {
    const encoded = encodeRatchetState(state);
    for (let length = 0; length < encoded.length; length++) {
      assertThrows(
        () => decodeRatchetState(encoded.subarray(0, length)),
        MalformedError,
      );
    }
    assertThrows(
      () => decodeRatchetState(new Uint8Array([...encoded, 0])),
      MalformedError,
    );
  }
});

Deno.test("ratchet state: the limits are kept, one more is malformed", () => {
  const [state] = fc.sample(states, 1);
  const skipped = {
    remote: new Uint8Array(32),
    number: 1,
    messageKey: new Uint8Array(44),
  };
  const with_ = (skippedCount: number, retiredCount: number): RatchetState => ({
    ...state!,
    skipped: Array(skippedCount).fill(skipped),
    retired: Array(retiredCount).fill(new Uint8Array(32)),
  });
  const full = with_(SKIPPED_LIMIT, RETIRED_LIMIT);
  assertEquals(decodeRatchetState(encodeRatchetState(full)), full);
  for (
    const over of [
      with_(SKIPPED_LIMIT + 1, 0),
      with_(0, RETIRED_LIMIT + 1),
    ]
  ) {
    assertThrows(
      () => decodeRatchetState(encodeRatchetState(over)),
      MalformedError,
      "at most",
    );
  }
});

Deno.test("ratchet state: only five combinations of parts exist", () => {
  const allowed = new Set<number>();
  for (let has = 0; has < 256; has++) {
    const encoded = new Uint8Array(1024);
    encoded[0] = 1;
    encoded[1] = has;
    try {
      decodeRatchetState(encoded);
    } catch (error) {
      // A combination that exists goes on to the end and finds too many bytes.
      if (String(error).includes("too many")) allowed.add(has);
    }
  }
  assertEquals([...allowed], [0b0001, 0b0010, 0b0111, 0b1010, 0b1111]);
  assertThrows(
    () => decodeRatchetState(new Uint8Array([2, 1])),
    MalformedError,
    "version 2",
  );
});

function none(): fc.Arbitrary<null> {
  return fc.constant(null);
}
