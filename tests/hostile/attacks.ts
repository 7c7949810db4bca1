import { loginByKey } from "../../lib/account/mod.ts";
import { CommandWriter, concat, HELO } from "../../lib/protocol/mod.ts";
import { dictionaryOf } from "./attacker.ts";
import type { Attacker } from "./attacker.ts";
import {
  drain,
  hangUp,
  leave,
  readAtLeast,
  send,
  turn,
  write,
} from "./connections.ts";
import { commands, mutated, noise } from "./inputs.ts";
import { helloTo, logins } from "./openings.ts";
import { aimless, listen, settled, submission } from "./submissions.ts";
import type { Verdict } from "./submissions.ts";
import { dialTarget, linkTo } from "./target.ts";

/**
 * Attacks until `count` inputs were sent. An input counts if the target had not hung up by the time
 * it was sent.
 */
export type Attack = (attacker: Attacker, count: number) => Promise<void>;

/** Inputs that one connection carries at most. */
const PER_CONNECTION = 200;

/** Random bytes, and greetings that were changed, on connections without a handshake. */
export const greetings: Attack = async (attacker, count) => {
  const { target, random } = attacker;
  const hello = new CommandWriter().verb(HELO).done();
  const dictionary = dictionaryOf(attacker);
  const whole = concat(
    await helloTo(target),
    hello,
    Uint8Array.fromHex("7002"),
    Uint8Array.fromHex("8abc03010203"),
  );
  let sent = 0;
  while (sent < count) {
    const connection = await dialTarget(target);
    const drained = drain(connection);
    for (let i = 0; i < PER_CONNECTION && !drained.over; i++) {
      const kind = random.below(4);
      const input = kind === 0
        ? noise(random)
        : kind === 1
        ? mutated(random, whole)
        : kind === 2
        ? commands(random, dictionary)
        : concat(hello, random.bytes(random.length(20)));
      if (!await write(connection, input)) break;
      sent++;
      await turn();
    }
    await hangUp(connection, random);
    await drained.end;
  }
};

/** A valid handshake, and then records that nobody sealed. */
export const records: Attack = async ({ target, random }, count) => {
  let sent = 0;
  while (sent < count) {
    const connection = await dialTarget(target);
    await write(connection, await helloTo(target));
    await readAtLeast(connection, 1_158);
    const drained = drain(connection);
    for (let i = 0; i < 4 && !drained.over; i++) {
      const body = random.bytes(random.length(3_000));
      const length = new Uint8Array(4);
      new DataView(length.buffer).setUint32(
        0,
        random.once(3) ? random.u32() : body.length,
      );
      if (!await write(connection, concat(length, body))) break;
      sent++;
      await turn();
    }
    await hangUp(connection, random);
    await drained.end;
  }
};

/** Commands of every kind inside a channel on which nobody has logged in. */
export const strangers: Attack = async (attacker, count) => {
  const { target, random } = attacker;
  const dictionary = dictionaryOf(attacker);
  let sent = 0;
  while (sent < count) {
    const link = await linkTo(target);
    const listening = listen(link);
    const templates = random.once(20) ? await logins(attacker, link) : [];
    for (let i = 0; i < PER_CONNECTION && !listening.over; i++) {
      const input = templates.length > 0
        ? mutated(random, random.pick(templates))
        : random.once(5)
        ? noise(random)
        : random.once(3)
        ? mutated(random, commands(random, dictionary))
        : commands(random, dictionary);
      if (!await send(link, input)) break;
      sent++;
      await turn();
    }
    await leave(link, random);
    await listening.end;
  }
};

/** Submissions of one who has logged in: signed ones of any content, and those that lie about themselves. */
export const members: Attack = async (attacker, count) => {
  const { target, random, resident } = attacker;
  let sent = 0;
  while (sent < count) {
    const link = await linkTo(target);
    await loginByKey(link, resident.keyring, resident.usrKey);
    const verdicts = new Map<bigint, Verdict>();
    const listening = listen(link, verdicts);
    let counter = 0n;
    for (let i = 0; i < PER_CONNECTION && sent < count; i++) {
      if (listening.over) throw new Error("a member's connection was ended");
      if (random.once(10)) counter += BigInt(random.u32());
      const { bytes, verdict } = await submission(attacker, link, counter);
      verdicts.set(counter, verdict);
      counter++;
      await send(link, bytes);
      if (random.once(8)) await send(link, aimless(attacker));
      sent++;
    }
    await settled(link, verdicts);
    if (random.once(2)) {
      // A counter that was used before ends the connection.
      await send(link, (await submission(attacker, link, 0n)).bytes);
      await listening.end;
    }
    await leave(link, random);
    const surprise = await listening.end;
    if (surprise !== undefined) throw surprise;
  }
};

/** Every attack by name. */
export const ATTACKS: Readonly<Record<string, Attack>> = {
  greetings,
  records,
  strangers,
  members,
};
