import { assertEquals } from "@std/assert";
import { pause } from "../raw_mailbox.ts";
import { lyingServer } from "./lies.ts";
import { Machine } from "./machine.ts";

/** A server that a test can make lie. */
export type Lying = Awaited<ReturnType<typeof lyingServer>>;

/** Two people at it. */
export interface Two {
  readonly server: Lying;
  readonly alice: Machine;
  /** Away, unless the test connects him. */
  readonly bob: Machine;
}

/** A server that does not lie yet, Alice, who is online, and Bob, who is not. */
export async function withTwo(
  body: (two: Two) => Promise<void>,
): Promise<void> {
  await using server = await lyingServer();
  await using alice = await Machine.enrol(server, "alice@test");
  await using bob = await Machine.enrol(server, "bob@test");
  await bob.connect();
  await bob.disconnect();
  await alice.connect();
  await body({ server, alice, bob });
  assertEquals(server.failures, []);
}

/** Both have written, so that letters no longer open a session; then nothing waits for anybody. */
export async function converse({ server, alice, bob }: Two): Promise<void> {
  await bob.connect();
  const toBob = await alice.mailbox.send("bob@test", "hello");
  await alice.reached(toBob, "delivered");
  const toAlice = await bob.mailbox.send("alice@test", "hello yourself");
  await bob.reached(toAlice, "delivered");
  await emptied(server, "alice@test");
  await emptied(server, "bob@test");
  await bob.disconnect();
}

/** Resolves when nothing waits for somebody any more. */
export async function emptied(
  server: Lying,
  address: string,
): Promise<void> {
  for (;;) {
    const { letters } = await server.store.letters.usage(address);
    if (letters === 0) break;
    await pause(5);
  }
}

/** Alice writes `texts` to Bob, who is away. */
export async function write(
  alice: Machine,
  texts: readonly string[],
): Promise<void> {
  for (const text of texts) await alice.mailbox.send("bob@test", text);
  await alice.mailbox.settled();
}
