import { assertEquals } from "@std/assert";
import { Conversation } from "../../../lib/mix/conversation/conversation.ts";
import type { ConversationEvent } from "../../../lib/mix/conversation/conversation_event.ts";
import {
  callSecret,
  dialToken,
} from "../../../lib/mix/conversation/pair_secret.ts";
import { pairSecret } from "../../../lib/mix/conversation/pair_secret.ts";
import { Direction } from "../../../lib/mix/conversation/round_seal.ts";
import type { Bytes } from "../../../lib/protocol/mod.ts";
import { randomBytes } from "../../../lib/protocol/mod.ts";
import { testKeyring } from "../../support/keyrings.ts";

/** When the call of the tests was dialed; 20 s into a minute. */
export const DIALED = 1_800_000_020_000;
/** From round to round. */
export const PERIOD = 2_000;

/** One side and all that was told of it. */
export interface Side {
  readonly conversation: Conversation;
  readonly events: ConversationEvent[];
}

/** Texts that a side was told, in order. */
export function shown({ events }: Side): string[] {
  return events.filter((event) => event.kind === "text")
    .map(({ text }) => text);
}

/** States that a side was told of its text. */
export function statesOf({ events }: Side, id: string): string[] {
  return events.filter((event) => event.kind === "state")
    .filter((event) => event.id === id)
    .map(({ state }) => state);
}

/** Outcomes of its rounds. */
export function outcomes({ events }: Side): string[] {
  return events.filter((event) => event.kind === "round")
    .map(({ outcome }) => outcome);
}

/** Alice has called Bob; `refuses` makes him hang up at once. */
export async function conversation(
  options: { readonly refuses?: "refused" | "busy" } = {},
): Promise<{ alice: Side; bob: Side; call: Bytes }> {
  const [a, b] = await Promise.all([
    testKeyring("alice@example.org"),
    testKeyring("bob@example.org"),
  ]);
  const pair = await pairSecret(a, b.certificate);
  assertEquals(pair, await pairSecret(b, a.certificate));
  const token = await dialToken(pair, DIALED, a.certificate.id);
  const call = await callSecret(pair, token);
  const side = async (isAlice: boolean): Promise<Side> => {
    const events: ConversationEvent[] = [];
    const [own, peer] = isAlice ? [a, b] : [b, a];
    return {
      events,
      conversation: await Conversation.begin({
        secret: call,
        dialedAt: DIALED,
        direction: isAlice ? Direction.CALLER : Direction.CALLEE,
        signing: own.signing,
        peer: peer.certificate,
        random: randomBytes,
        onEvent: (event) => events.push(event),
        ...(isAlice ? {} : options),
      }),
    };
  };
  return { alice: await side(true), bob: await side(false), call };
}

/** What the two left in a round, and what each gets back: the other's, or its own if it was alone. */
export interface Met {
  readonly start: number;
  readonly left: readonly (Bytes | undefined)[];
  readonly replies: readonly (Bytes | undefined)[];
}

/** Both, or those that are named, leave something at the drop of the round that starts then. */
export async function meet(
  sides: readonly Side[],
  start: number,
  present: readonly boolean[] = [true, true],
): Promise<Met> {
  const given = await Promise.all(
    sides.map(({ conversation }, i) =>
      present[i] === true ? conversation.outgoing(start) : undefined
    ),
  );
  for (const each of given) {
    if (each === undefined) continue;
    assertEquals([each.drop.length, each.sealed.length], [16, 496]);
  }
  const [a, b] = given;
  const together = a !== undefined && b !== undefined;
  if (together) assertEquals(a.drop, b.drop);
  return {
    start,
    left: given.map((each) => each?.sealed),
    replies: together
      ? [b.sealed, a.sealed]
      : given.map((each) => each?.sealed),
  };
}

/** So many rounds without any loss, from the one that starts at `from`; returns the start of the next. */
export async function calm(
  sides: readonly Side[],
  from: number,
  rounds: number,
  watch: (met: Met) => void = () => {},
): Promise<number> {
  for (let i = 0; i < rounds; i++) {
    const met = await meet(sides, from + i * PERIOD);
    watch(met);
    await Promise.all(sides.map(async ({ conversation }, side) => {
      const reply = met.replies[side];
      if (reply !== undefined) await conversation.incoming(met.start, reply);
    }));
  }
  return from + rounds * PERIOD;
}
