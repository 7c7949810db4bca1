import { assert, assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import { InterruptedError, OutputClosedError } from "../../../cmd/io.ts";
import type { Conversation } from "../../../cmd/terminal/conversation.ts";
import { openConversation } from "../../../cmd/terminal/open_conversation.ts";
import { Screen } from "../../support/screen.ts";
import type { TestIo, TestWorld } from "../../support/test_io.ts";
import { testIo } from "../../support/test_io.ts";

/** Runs `body` with a conversation on a terminal, and gives what the person then sees. */
async function onTerminal(
  size: { columns: number; rows: number },
  body: (talk: Conversation, io: TestIo) => void | Promise<void>,
  stdin: TestWorld["stdin"] = [],
): Promise<{ screen: Screen; io: TestIo }> {
  const io = testIo({ terminal: true, ...size, stdin });
  const talk = openConversation(io, "bob> ");
  assert(io.raw);
  await body(talk, io);
  await talk.close();
  assert(!io.raw);
  const screen = new Screen(size.columns, size.rows);
  screen.write(io.out);
  assert(!screen.paste);
  return { screen, io };
}

async function collect(talk: Conversation): Promise<string[]> {
  return await Array.fromAsync(talk.messages());
}

const SIZE = { columns: 20, rows: 6 };

Deno.test("conversation: what is typed comes as messages; Ctrl-D ends it", async () => {
  let messages: string[] = [];
  await onTerminal(SIZE, async (talk) => {
    messages = await collect(talk);
  }, [
    "hel",
    "lo\rsecond\x1b[200~ with\nthree\nlines\x1b[201~\r\r",
    "\x04not read\r",
  ]);
  assertEquals(messages, ["hello", "second with\nthree\nlines", ""]);
});

Deno.test("conversation: lines go above, the prompt and what is typed stay below", async () => {
  const screen = new Screen(20, 6);
  await onTerminal(SIZE, async (talk, io) => {
    talk.print("alice: hi");
    await collect(talk);
    talk.print("bob: ho");
    talk.setPrompt("carol> ");
    await settled();
    screen.write(io.out);
  }, ["typed", "\x1b[D"]);
  assertEquals(screen.rows, ["alice: hi", "bob: ho", "carol> typed"]);
  assertEquals(screen.cursor, [2, 11]);
  assert(screen.paste);
});

Deno.test("conversation: afterwards the prompt is gone and the lines are there", async () => {
  const { screen } = await onTerminal(SIZE, (talk) => void talk.print("hi"));
  assertEquals(screen.rows, ["hi", ""]);
});

Deno.test("conversation: a printed line is changed where it stands", async () => {
  const { screen } = await onTerminal(SIZE, (talk) => {
    const first = talk.print("me: one");
    const second = talk.print("me: 0123456789ABCDEFGHIJ"); // two rows
    talk.print("bob: x");
    talk.change(first, "me: one ✓");
    talk.change(second, "me: abcdefghijklmnopqrs");
    talk.change(first, "me: 1");
  });
  assertEquals(screen.rows, [
    "me: 1",
    "me: abcdefghijklmnop",
    "qrs",
    "bob: x",
    "",
  ]);
});

Deno.test("conversation: a line that is out of sight is printed again and changed there", async () => {
  const { screen } = await onTerminal({ columns: 20, rows: 3 }, (talk) => {
    const first = talk.print("me: one");
    for (const line of ["a", "b", "c"]) talk.print(line);
    talk.change(first, "me: one ✓");
    talk.change(first, "me: one ✓✓");
    talk.change(first, "me: one, and much longer");
  });
  assertEquals(screen.rows, [
    "me: one",
    "a",
    "b",
    "c",
    "me: one, and much lo",
    "nger",
    "",
  ]);
});

Deno.test("conversation: a line that grew pushes down what was printed after it", async () => {
  const { screen } = await onTerminal({ columns: 20, rows: 8 }, (talk) => {
    const first = talk.print("me: one");
    talk.print("bob: two");
    talk.change(first, "me: one, and much longer");
    talk.print("bob: three");
    talk.change(first, "me: one");
  });
  assertEquals(screen.rows, ["me: one", "bob: two", "bob: three", "", ""]);
});

Deno.test("conversation: another size shows the prompt anew, and forgets where lines stand", async () => {
  const { screen, io } = await onTerminal(SIZE, (talk, io) => {
    const id = talk.print("hi");
    io.resize(30, 6);
    talk.change(id, "hi ✓");
  });
  assertEquals(screen.rows, ["hi", "hi ✓", ""]);
  assertEquals(io.out.split("\x1b[?2004h").length, 3);
});

Deno.test("conversation: an interruption ends the messages, without a word", async () => {
  const controller = new AbortController();
  const stdin = new ReadableStream<string>({
    start(source) {
      source.enqueue("a\r");
      controller.signal.addEventListener(
        "abort",
        () => source.error(new InterruptedError()),
      );
    },
  });
  await onTerminal(SIZE, async (talk) => {
    const got: string[] = [];
    for await (const message of talk.messages()) {
      got.push(message);
      controller.abort();
    }
    assertEquals(got, ["a"]);
  }, stdin);
});

Deno.test("conversation: a lone Escape changes nothing that comes after", async () => {
  let source: ReadableStreamDefaultController<string> | undefined;
  const stdin = new ReadableStream<string>({
    start(controller) {
      source = controller;
    },
  });
  await onTerminal(SIZE, async (talk) => {
    const all = collect(talk);
    source!.enqueue("a\x1b");
    await new Promise((resolve) => setTimeout(resolve, 120));
    source!.enqueue("[b\r");
    source!.close();
    assertEquals(await all, ["a[b"]);
  }, stdin);
});

Deno.test("conversation: a terminal that went away is said when it is closed", async () => {
  const io = testIo({ terminal: true, stdoutClosesAfter: 1 });
  const talk = openConversation(io, "> ");
  talk.print("a");
  await assertRejects(() => talk.close(), OutputClosedError);
  assert(!io.raw);
});

Deno.test("conversation: without a terminal lines come and go as they are", async () => {
  const io = testIo({ stdin: "one\ntwo\n" });
  const talk = openConversation(io, "bob> ");
  const id = talk.print("hi");
  assertEquals(await collect(talk), ["one", "two"]);
  talk.change(id, "hi ✓");
  talk.setPrompt("x");
  await talk.close();
  assertEquals([io.out, io.raw, talk.colours], ["hi\nhi ✓\n", false, false]);
});

Deno.test("conversation: whatever is printed and changed, the screen shows it in order", async () => {
  const text = fc.string({
    unit: fc.constantFrom("a", "b", " ", "中", "👍"),
    maxLength: 50,
  })
    .map((each) => `:${each}.`);
  const act = fc.oneof(
    text.map((each) => ({ print: each })),
    fc.record({ change: fc.nat({ max: 9 }), text }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(act, { maxLength: 30 }), async (acts) => {
      const ids: number[] = [];
      const expected = new Map<number, string>();
      const { screen } = await onTerminal({ columns: 20, rows: 50 }, (talk) => {
        for (const each of acts) {
          if ("print" in each) {
            ids.push(talk.print(each.print));
            expected.set(ids.at(-1)!, each.print);
            continue;
          }
          const id = ids[each.change];
          if (id === undefined) continue;
          talk.change(id, each.text);
          expected.set(id, each.text);
        }
      });
      // The newest state of every line is on the screen, and the screen ends with the last of them.
      const shown = screen.rows.join("").replaceAll(" ", "");
      for (const each of expected.values()) {
        assert(shown.includes(each.replaceAll(" ", "")), `${each} in ${shown}`);
      }
      assertEquals(screen.rows.at(-1), "");
    }),
  );
});

async function settled(): Promise<void> {
  for (let i = 0; i < 10; i++) await Promise.resolve();
}
