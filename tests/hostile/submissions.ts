import {
  COUNTER,
  KO,
  OK,
  REASON,
  SIGNATURE,
  SUBMIT,
  USERNAME,
} from "../../lib/account/commands.ts";
import { signedBytes, writeData } from "../../lib/account/submission.ts";
import {
  ChannelError,
  CommandWriter,
  concat,
  fromUtf8,
  sha256,
  sign,
  utf8,
} from "../../lib/protocol/mod.ts";
import type { Bytes, CommandChannel } from "../../lib/protocol/mod.ts";
import { dictionaryOf } from "./attacker.ts";
import type { Attacker } from "./attacker.ts";
import { aside } from "./connections.ts";
import type { Aside } from "./connections.ts";
import { commands, mutated } from "./inputs.ts";

/** What a submission must be answered with. */
export type Verdict =
  | "taken"
  /** Its content need not make sense. */
  | "taken or malformed"
  | "checksum"
  | "signature"
  | "malformed";

/** A submission, and how it must be answered. */
export async function submission(
  attacker: Attacker,
  link: CommandChannel,
  counter: bigint,
): Promise<{ bytes: Bytes; verdict: Verdict }> {
  const { random, resident, addresses } = attacker;
  const { certificate, signing } = resident.keyring;
  const dictionary = { ...dictionaryOf(attacker), honest: random.once(2) };
  const sense = random.below(4);
  const plaintext = sense === 0
    ? random.bytes(random.length(2_000))
    : sense === 1
    ? mutated(random, commands(random, dictionary))
    : commands(random, dictionary);
  const own = utf8(certificate.address);
  const lie = random.below(12);
  const username = lie === 0 ? utf8(random.pick(addresses)) : own;
  const hash = await sha256(plaintext);
  if (lie === 1) hash[random.below(32)]! ^= 1 << random.below(8);
  const signature = await sign(
    signing.privateKey,
    signedBytes(
      link.hash,
      lie === 2 ? counter + 1n : counter,
      username,
      lie === 3 ? concat(plaintext, new Uint8Array(1)) : plaintext,
    ),
  );
  if (lie === 4) signature[random.below(64)]! ^= 1 << random.below(8);
  const writer = new CommandWriter(plaintext.length + 256)
    .set(USERNAME, username).set(COUNTER, counter)
    .set(SIGNATURE, lie === 5 ? undefined : signature);
  const bytes = writeData(writer, plaintext, hash).verb(SUBMIT).done();
  const foreign = lie === 0 && fromUtf8(username) !== certificate.address;
  const verdict = lie === 1
    ? "checksum"
    : lie === 5
    ? "malformed"
    : foreign || (lie >= 2 && lie <= 4)
    ? "signature"
    : sense >= 2 && dictionary.honest
    ? "taken"
    : "taken or malformed";
  return { bytes, verdict };
}

/** Commands outside of a submission that mean nothing there, or nothing any more. */
export function aimless(attacker: Attacker): Bytes {
  const { random } = attacker;
  if (random.once(3)) {
    return new CommandWriter().set(COUNTER, BigInt(random.u32()))
      .verb(random.pick([OK, KO])).done();
  }
  return commands(random, {
    ...dictionaryOf(attacker),
    without: new Set(["OK", "KO", "SUBMIT"]),
    honest: true,
  });
}

/**
 * Reads what a target says until it, or we, end the connection, and holds every answer to a
 * submission against the verdict that it must be; the first that is different is given back.
 */
export function listen(
  link: CommandChannel,
  verdicts?: Map<bigint, Verdict>,
): Aside<Error | undefined> {
  return aside(hear(link, verdicts));
}

async function hear(
  link: CommandChannel,
  verdicts: Map<bigint, Verdict> | undefined,
): Promise<Error | undefined> {
  let surprise: Error | undefined;
  for (;;) {
    const message = await link.next().catch((error) => {
      if (!(error instanceof ChannelError)) throw error;
      return null;
    });
    if (message === null) return surprise;
    if (verdicts === undefined) continue;
    if (message.verb !== OK && message.verb !== KO) continue;
    const counter = message.need(COUNTER);
    const verdict = verdicts.get(counter);
    const reason = message.get(REASON);
    const said = reason === undefined ? "taken" : fromUtf8(reason);
    if (!verdict?.split(" or ").includes(said)) {
      surprise ??= new Error(`${said} came for a submission: ${verdict}`);
    }
    verdicts.delete(counter);
  }
}

/** Waits until every submission has been answered. */
export async function settled(
  link: CommandChannel,
  verdicts: ReadonlyMap<bigint, Verdict>,
): Promise<void> {
  await link.flushed().catch(() => {});
  for (let i = 0; verdicts.size > 0; i++) {
    if (i === 2_000) throw new Error(`${verdicts.size} were not answered`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
