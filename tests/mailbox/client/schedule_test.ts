import { assertEquals } from "@std/assert";
import * as fc from "fast-check";
import { enrol } from "../../account/people.ts";
import type { Member } from "../../account/people.ts";
import { mailboxServer, pause } from "../raw_mailbox.ts";
import type { MailboxServer } from "../raw_mailbox.ts";
import { Machine } from "./machine.ts";

/** Schedules of each kind in one run; the long run is SOTTO_SCHEDULES=100. */
const SCHEDULES = Number(Deno.env.get("SOTTO_SCHEDULES") ?? "5");

/** What may happen to one of two people. */
type Step =
  | { readonly what: "write"; readonly count: number }
  /** The connection is there, ends in order, breaks, or the process ends and comes back. */
  | { readonly what: "connect" | "disconnect" | "lose" | "restart" | "read" }
  | { readonly what: "pause"; readonly ms: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    arbitrary: fc.record({
      what: fc.constant("write" as const),
      count: fc.integer({ min: 1, max: 6 }),
    }),
    weight: 5,
  },
  {
    arbitrary: fc.record({
      what: fc.constantFrom(
        "connect" as const,
        "connect" as const,
        "disconnect" as const,
        "lose" as const,
        "restart" as const,
        "read" as const,
      ),
    }),
    weight: 5,
  },
  {
    arbitrary: fc.record({
      what: fc.constant("pause" as const),
      ms: fc.integer({ min: 0, max: 10 }),
    }),
    weight: 2,
  },
);

/** Somebody who does one step after the other, on one machine. */
class Actor {
  readonly written: string[] = [];
  readonly #server: MailboxServer;
  readonly #member: Member;
  readonly #vaultPath: string;
  readonly #other: string;
  #machine: Machine | undefined;
  #online = false;

  constructor(
    server: MailboxServer,
    member: Member,
    vaultPath: string,
    other: string,
  ) {
    this.#server = server;
    this.#member = member;
    this.#vaultPath = vaultPath;
    this.#other = other;
  }

  async machine(): Promise<Machine> {
    this.#machine ??= await Machine.of(this.#server, this.#member, {
      vaultPath: this.#vaultPath,
    });
    return this.#machine;
  }

  async connect(): Promise<void> {
    const machine = await this.machine();
    if (!this.#online) await machine.connect();
    this.#online = true;
  }

  async close(): Promise<void> {
    await this.#machine?.[Symbol.asyncDispose]();
    this.#machine = undefined;
    this.#online = false;
  }

  async take(step: Step): Promise<void> {
    const machine = await this.machine();
    switch (step.what) {
      case "write":
        await Promise.all(
          Array.from({ length: step.count }, () => {
            const text = `${this.written.length}`;
            this.written.push(text);
            return machine.mailbox.send(this.#other, text);
          }),
        );
        break;
      case "connect":
        return await this.connect();
      case "disconnect":
        await machine.disconnect();
        this.#online = false;
        break;
      case "lose":
        await machine.lose();
        this.#online = false;
        break;
      case "restart":
        return await this.close();
      case "read":
        return await machine.mailbox.markRead(this.#other);
      case "pause":
        return await pause(step.ms);
    }
  }

  /** Whether all that was written has come to the other, who said so. */
  async isDone(): Promise<boolean> {
    const history = await (await this.machine()).history(this.#other);
    return history.filter(({ outgoing }) => outgoing)
      .every(({ state }) => state === "delivered" || state === "read");
  }
}

/** Two people take their steps at the same time; then both are online until all has arrived. */
async function play(
  server: MailboxServer,
  schedule: readonly (readonly Step[])[],
  names: readonly string[],
): Promise<{ actors: Actor[]; directory: string }> {
  const directory = await Deno.makeTempDir({ prefix: "sotto-test-" });
  const members = await Promise.all(names.map((name) => enrol(server, name)));
  const actors = members.map((member, i) =>
    new Actor(server, member, `${directory}/${i}.db`, names[1 - i]!)
  );
  // Everybody has logged in once, so that there are prekeys.
  for (const actor of actors) await actor.connect();
  for (const actor of actors) await actor.close();
  await Promise.all(
    actors.map(async (actor, i) => {
      for (const step of schedule[i]!) await actor.take(step);
    }),
  );
  const deadline = performance.now() + 15_000;
  for (;;) {
    for (const actor of actors) await actor.connect();
    const done = await Promise.all(actors.map((actor) => actor.isDone()));
    if (done.every((each) => each)) return { actors, directory };
    if (performance.now() > deadline) throw new Error("Not all has arrived");
    await pause(10);
  }
}

for (
  const { name, letters, ordered } of [
    {
      name: "S0.6, S3.4: whenever connections come, end and break, and " +
        "processes end, every text arrives once and in order",
      letters: 10_000,
      ordered: true,
    },
    {
      name:
        "S0.6: with mailboxes that are always full, every text arrives once",
      letters: 4,
      ordered: false,
    },
  ]
) {
  Deno.test(name, async () => {
    let run = 0;
    await using server = await mailboxServer({
      limits: { quota: { letters, bytes: 100_000_000 } },
    });
    const schedules = fc.tuple(
      fc.array(step, { minLength: 3, maxLength: 14 }),
      fc.array(step, { minLength: 3, maxLength: 14 }),
    );
    await fc.assert(
      fc.asyncProperty(schedules, async (schedule) => {
        const names = [`alice${++run}@test`, `bob${run}@test`];
        const { actors, directory } = await play(server, schedule, names);
        for (const [i, actor] of actors.entries()) {
          const machine = await actor.machine();
          const received = await machine.received(names[1 - i]!);
          const written = actors[1 - i]!.written;
          if (ordered) assertEquals(received, written);
          else {
            assertEquals(
              received.toSorted((a, b) => Number(a) - Number(b)),
              written,
            );
          }
          assertEquals(machine.count("unreadable"), 0);
        }
        for (const actor of actors) await actor.close();
        await Deno.remove(directory, { recursive: true });
      }),
      { numRuns: SCHEDULES, endOnFailure: true },
    );
  });
}
