import { assert, assertEquals, assertRejects } from "@std/assert";
import { CryptoError, generateDh } from "../../lib/protocol/mod.ts";
import { SYSTEM_KEYS } from "../../lib/mailbox/key_source.ts";
import { encrypt, GAP_LIMIT } from "../../lib/mailbox/ratchet.ts";
import { RatchetError } from "../../lib/mailbox/ratchet_error.ts";
import {
  encodeRatchetHeader,
  parseRatchetHeader,
} from "../../lib/mailbox/ratchet_header.ts";
import {
  encodeRatchetState,
  RETIRED_LIMIT,
  SKIPPED_LIMIT,
} from "../../lib/mailbox/ratchet_state.ts";
import { codeOf, flipped, LOW_ORDER_POINTS } from "./people.ts";
import type { Sealed, Side } from "./ratchet_sides.ts";
import { roundTrip, sides } from "./ratchet_sides.ts";

Deno.test("ratchet: the responder cannot write first", async () => {
  const { alice, bob } = await sides();
  assertEquals(await codeOf(() => bob.write()), "ERR_RATCHET_WAITING");
  await bob.read(await alice.write());
  assertEquals(await alice.read(await bob.write("now")), "now");
});

Deno.test("ratchet: headers count as the Double Ratchet says", async () => {
  const { alice, bob } = await sides();
  const seen: number[][] = [];
  const note = async (letter: Sealed, to: Side): Promise<void> => {
    const { previous, number } = parseRatchetHeader(letter.header);
    seen.push([previous, number]);
    await to.read(letter);
  };
  await note(await alice.write(), bob);
  await note(await alice.write(), bob);
  await note(await bob.write(), alice);
  await note(await alice.write(), bob);
  await note(await bob.write(), alice);
  await note(await bob.write(), alice);
  await note(await alice.write(), bob);
  assertEquals(seen, [[0, 0], [0, 1], [0, 0], [2, 0], [1, 0], [1, 1], [1, 0]]);
});

Deno.test("ratchet: a letter opens once, then it is a duplicate, also from chains long finished", async () => {
  const { alice, bob } = await sides();
  const first = await alice.write("1");
  const late = await alice.write("2");
  await bob.read(first);
  assertEquals(await bob.refusal(first), "ERR_RATCHET_USED");
  await alice.read(await bob.write());
  for (let i = 0; i < 5; i++) await roundTrip(alice, bob);
  assertEquals(await bob.refusal(first), "ERR_RATCHET_USED");
  assertEquals(await bob.read(late), "2");
  assertEquals(await bob.refusal(late), "ERR_RATCHET_USED");
});

Deno.test("ratchet: the last 32 finished chains are remembered", async () => {
  const { alice, bob } = await sides();
  const letters: Sealed[] = [];
  for (let i = 0; i <= RETIRED_LIMIT + 1; i++) {
    const letter = await alice.write();
    letters.push(letter);
    await bob.read(letter);
    await alice.read(await bob.write());
  }
  assertEquals(bob.state.retired.length, RETIRED_LIMIT);
  // The newest chain is current, 32 before it are remembered, the oldest is not.
  assertEquals(letters.length, RETIRED_LIMIT + 2);
  assertEquals(await bob.refusal(letters[0]!), "ERR_RATCHET_UNOPENED");
  for (const letter of letters.slice(1)) {
    assertEquals(await bob.refusal(letter), "ERR_RATCHET_USED");
  }
});

Deno.test("ratchet: letters in any order open, the keys of the missing are kept and then gone", async () => {
  const { alice, bob } = await sides();
  const letters: Sealed[] = [];
  for (let i = 0; i < 5; i++) letters.push(await alice.write(`${i}`));
  for (const [i, kept] of [[3, 3], [0, 2], [4, 2], [2, 1], [1, 0]] as const) {
    assertEquals(await bob.read(letters[i]!), `${i}`);
    assertEquals(bob.state.skipped.length, kept);
  }
});

Deno.test("ratchet: letters of a finished chain that come after the next still open", async () => {
  const { alice, bob } = await sides();
  await roundTrip(alice, bob);
  const old = [await alice.write("a"), await alice.write("b")];
  await alice.read(await bob.write());
  const next = [await alice.write("c"), await alice.write("d")];
  assertEquals(await bob.read(next[1]!), "d");
  assertEquals(await bob.read(old[1]!), "b");
  assertEquals(await bob.read(next[0]!), "c");
  assertEquals(await bob.read(old[0]!), "a");
  assertEquals(bob.state.skipped, []);
});

Deno.test("ratchet: 1,000 letters may be missing before one, not 1,001", async () => {
  assertEquals(GAP_LIMIT, 1_000);
  const { alice, bob } = await sides();
  const letters: Sealed[] = [];
  for (let i = 0; i <= 2_002; i++) letters.push(await alice.write(`${i}`));
  // On a new chain.
  assertEquals(await bob.refusal(letters[1_001]!), "ERR_RATCHET_TOO_FAR");
  assertEquals(await bob.read(letters[1_000]!), "1000");
  assertEquals(bob.state.skipped.length, 1_000);
  // On the current one.
  assertEquals(await bob.refusal(letters[2_002]!), "ERR_RATCHET_TOO_FAR");
  assertEquals(await bob.read(letters[2_001]!), "2001");

  // 2,000 are kept in all; one more throws the oldest away.
  assertEquals(SKIPPED_LIMIT, 2_000);
  assertEquals(bob.state.skipped.length, 2_000);
  assertEquals(await bob.read(await alice.write("last")), "last");
  assertEquals(bob.state.skipped.length, 2_000);
  assertEquals(await bob.refusal(letters[0]!), "ERR_RATCHET_USED");
  assertEquals(await bob.read(letters[1]!), "1");
  assertEquals(await bob.read(letters[2_000]!), "2000");
  assertEquals(bob.state.skipped.length, 1_998);
});

Deno.test("ratchet: 1,000 letters may be missing at the end of a chain, not 1,001", async () => {
  for (const missing of [1_000, 1_001]) {
    const { alice, bob } = await sides();
    await roundTrip(alice, bob);
    await bob.read(await alice.write());
    for (let i = 0; i < missing; i++) await alice.write();
    await alice.read(await bob.write());
    const next = await alice.write("next");
    if (missing <= GAP_LIMIT) {
      assertEquals(await bob.read(next), "next");
      assertEquals(bob.state.skipped.length, missing);
    } else {
      assertEquals(await bob.refusal(next), "ERR_RATCHET_TOO_FAR");
    }
  }
});

Deno.test("ratchet: counters at their end are refused, not wrapped", async () => {
  const { alice, bob } = await sides();
  await roundTrip(alice, bob);
  await alice.write();
  const sending = { ...alice.state.sending!, next: 0xfffffffe };
  alice.state = { ...alice.state, sending };
  const last = await alice.write();
  assertEquals(parseRatchetHeader(last.header).number, 0xfffffffe);
  const before = alice.state;
  assertEquals(await codeOf(() => alice.write()), "ERR_RATCHET_END");
  assertEquals(alice.state, before);
  assertEquals(await bob.refusal(last), "ERR_RATCHET_TOO_FAR");
  // A header with the very last number, on a chain that has come that far.
  const receiving = { ...bob.state.receiving!, next: 0xffffffff };
  bob.state = { ...bob.state, receiving };
  const key = bob.state.remote!;
  const header = encodeRatchetHeader({ key, previous: 0, number: 0xffffffff });
  assertEquals(
    await bob.refusal({ header, sealed: last.sealed }),
    "ERR_RATCHET_END",
  );
});

Deno.test("S3.4: ratchet: whatever is altered, the letter is refused and the state unchanged", async () => {
  const { alice, bob } = await sides();
  await roundTrip(alice, bob);
  const kept = await alice.write("kept");
  await bob.read(await alice.write());
  const current = await alice.write("current");
  await alice.read(await bob.write());
  const turning = await alice.write("turning");
  let refused = 0;
  for (const letter of [kept, current, turning]) {
    for (let bit = 0; bit < 40 * 8; bit++) {
      const header = flipped(letter.header, bit);
      const code = await bob.refusal({ header, sealed: letter.sealed });
      assert(code.startsWith("ERR_RATCHET_"), code);
      refused++;
    }
    for (let bit = 0; bit < letter.sealed.length * 8; bit++) {
      const sealed = flipped(letter.sealed, bit);
      assertEquals(
        await bob.refusal({ header: letter.header, sealed }),
        "ERR_RATCHET_UNOPENED",
      );
      refused++;
    }
    // The header of another letter.
    for (const other of [kept, current, turning]) {
      if (other === letter) continue;
      assertEquals(
        await bob.refusal({ header: other.header, sealed: letter.sealed }),
        "ERR_RATCHET_UNOPENED",
      );
      refused++;
    }
  }
  assertEquals(refused, 3 * (40 * 8 + 2) + (20 + 23 + 23) * 8);
  assertEquals(await bob.read(turning), "turning");
  assertEquals(await bob.read(current), "current");
  assertEquals(await bob.read(kept), "kept");
});

Deno.test("ratchet: a new chain out of turn is refused", async () => {
  const { alice, bob } = await sides();
  // Alice has never been answered: nobody can have a chain for her.
  const stranger = await generateDh();
  const letter = await alice.write();
  const header = encodeRatchetHeader({
    key: stranger.publicKey,
    previous: 0,
    number: 0,
  });
  assertEquals(
    await alice.refusal({ header, sealed: letter.sealed }),
    "ERR_RATCHET_UNOPENED",
  );
  // Her own letter coming back, and one that claims the prekey's chain.
  assertEquals(await alice.refusal(letter), "ERR_RATCHET_UNOPENED");
  const prekey = encodeRatchetHeader({
    key: bob.state.local!.publicKey,
    previous: 0,
    number: 0,
  });
  assertEquals(
    await alice.refusal({ header: prekey, sealed: letter.sealed }),
    "ERR_RATCHET_UNOPENED",
  );
  // Bob has turned and not written: Alice cannot have turned again.
  await bob.read(letter);
  assertEquals(bob.state.local, null);
  assertEquals(
    await bob.refusal({ header, sealed: letter.sealed }),
    "ERR_RATCHET_UNOPENED",
  );
});

Deno.test("ratchet: header keys of low order are refused", async () => {
  const { alice, bob } = await sides();
  const { sealed } = await alice.write();
  for (const key of LOW_ORDER_POINTS) {
    const header = encodeRatchetHeader({ key, previous: 0, number: 0 });
    const error = await assertRejects(
      () => bob.read({ header, sealed }),
      RatchetError,
    );
    assertEquals(error.code, "ERR_RATCHET_UNOPENED");
    assert(error.cause instanceof CryptoError);
  }
});

Deno.test("ratchet: what fails while a letter is composed leaves the state as it was", async () => {
  const { alice, bob } = await sides();
  await roundTrip(alice, bob);
  const before = encodeRatchetState(alice.state);
  await assertRejects(
    () => encrypt(alice.state, () => Promise.reject(new Error("no paper"))),
    Error,
    "no paper",
  );
  await assertRejects(
    () =>
      encrypt(
        alice.state,
        (header) => Promise.resolve({ plaintext: header, associated: header }),
        { ...SYSTEM_KEYS, dh: () => Promise.reject(new Error("no keys")) },
      ),
    Error,
    "no keys",
  );
  assertEquals(encodeRatchetState(alice.state), before);
  assertEquals(await bob.read(await alice.write("still")), "still");
});
