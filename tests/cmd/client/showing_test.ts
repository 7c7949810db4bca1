import { assertEquals, assertRejects } from "@std/assert";
import { Showing } from "../../../cmd/client/showing.ts";
import type { ShownText } from "../../../cmd/client/showing.ts";
import type { HistoryEntry } from "../../../lib/mailbox/mod.ts";

/** The conversation with Alice, to be shown on a screen that a test holds up. */
class Conversation {
  readonly entries: HistoryEntry[] = [];
  readonly shown: string[] = [];
  /** What `markRead` was called with. */
  readonly marked: number[] = [];
  /** What printing waits for. */
  screen: Promise<void> = Promise.resolve();
  readonly showing = new Showing({
    print: async ({ entry }) => {
      await this.screen;
      this.shown.push(entry.text);
    },
    markRead: (address, last) => {
      assertEquals(address, "alice@test");
      this.marked.push(last);
      for (const [i, entry] of this.entries.entries()) {
        const isMarked = entry.number <= last;
        if (isMarked) this.entries[i] = { ...entry, state: "shown" };
      }
      return Promise.resolve();
    },
  });

  /** Alice's next text is in the vault, and nobody was told. */
  save(): ShownText {
    const number = this.entries.length + 1;
    const entry: HistoryEntry = {
      number,
      outgoing: false,
      textId: new Uint8Array(8),
      text: `${number}`,
      sentAt: 0,
      at: 0,
      state: "received",
      reason: "",
      unposted: 0,
    };
    this.entries.push(entry);
    return { address: "alice@test", entry };
  }

  unread(): ShownText[] {
    return this.entries.filter(({ state }) => state === "received")
      .map((entry) => ({ address: "alice@test", entry }));
  }

  come(): void {
    this.showing.arrived(this.save());
  }

  find(): Promise<void> {
    return this.showing.found(() => Promise.resolve(this.unread()));
  }
}

/** Whatever can happen without the screen has happened. */
function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

Deno.test("S0.6: what comes while texts are being shown stands behind them, and each is shown once", async () => {
  const talk = new Conversation();
  const held = Promise.withResolvers<void>();
  for (let i = 0; i < 3; i++) talk.come();
  await talk.showing.settled();
  talk.screen = held.promise;
  for (let i = 0; i < 3; i++) talk.come();
  await turn();
  const found = talk.find();
  talk.come();
  await turn();
  assertEquals(talk.shown, ["1", "2", "3"]);
  held.resolve();
  await found;
  await talk.showing.settled();
  assertEquals(talk.shown, ["1", "2", "3", "4", "5", "6", "7"]);
});

Deno.test("only what was shown is marked as read, and what was shown together is marked together", async () => {
  const talk = new Conversation();
  const held = Promise.withResolvers<void>();
  talk.screen = held.promise;
  talk.come();
  talk.come();
  await turn();
  talk.come();
  talk.save();
  assertEquals(talk.marked, []);
  held.resolve();
  await talk.showing.settled();
  assertEquals(talk.marked, [2, 3]);
  assertEquals(talk.unread().map(({ entry }) => entry.text), ["4"]);
});

Deno.test("what had come before is shown before what comes", async () => {
  const talk = new Conversation();
  talk.save();
  talk.save();
  const found = talk.find();
  talk.come();
  await found;
  await talk.showing.settled();
  assertEquals(talk.shown, ["1", "2", "3"]);
  assertEquals(talk.unread(), []);
});

Deno.test("whoever looks hears that it failed, and what comes behind is shown", async () => {
  const talk = new Conversation();
  const broken = talk.showing.found(() => Promise.reject(new Error("closed")));
  talk.come();
  await assertRejects(() => broken, Error, "closed");
  await talk.showing.settled();
  assertEquals(talk.shown, ["1"]);
});
