import { assertEquals } from "@std/assert";
import type { ClientSession, PushHandler } from "../../lib/account/mod.ts";
import { COUNTER, OK, PUSH, SUBMIT } from "../../lib/account/commands.ts";
import { readData, writeData } from "../../lib/account/submission.ts";
import type { Keyring } from "../../lib/identity/mod.ts";
import { CommandWriter, sha256 } from "../../lib/protocol/mod.ts";
import type { Bytes, CommandChannel, Message } from "../../lib/protocol/mod.ts";
import { testKeyring, testNodeKeyring } from "../support/keyrings.ts";
import { scriptedServer } from "../support/scripted_server.ts";
import { sessionOn } from "./people.ts";

/** The next message, which must be a SUBMIT. */
export async function nextSubmit(link: CommandChannel): Promise<Message> {
  const message = await link.next();
  assertEquals(message?.verb, SUBMIT);
  return message!;
}

/** OK for a submission of ECHOs, with their own bytes as the answers. */
export async function sendOk(
  link: CommandChannel,
  submit: Message,
  answers?: Bytes,
): Promise<void> {
  const plaintext = answers ?? (await readData(submit))!;
  const writer = new CommandWriter().set(COUNTER, submit.need(COUNTER));
  writeData(writer, plaintext, await sha256(plaintext));
  await link.send(writer.verb(OK).done());
}

/** PUSH, with any hash. */
export async function sendPush(
  link: CommandChannel,
  counter: bigint,
  plaintext: Bytes,
  hash?: Bytes,
): Promise<void> {
  const writer = new CommandWriter().set(COUNTER, counter);
  writeData(writer, plaintext, hash ?? await sha256(plaintext));
  await link.send(writer.verb(PUSH).done());
}

/** A session with a server that does as `script` says; nobody has logged in. */
export async function withScript(
  script: (link: CommandChannel) => Promise<void>,
  visit: (session: ClientSession) => Promise<void>,
  onPush?: PushHandler,
  keyring?: Keyring,
): Promise<void> {
  const node = await testNodeKeyring();
  await using server = scriptedServer(node, script);
  keyring ??= await testKeyring("alice@test");
  const session = sessionOn(await server.connect(), keyring, onPush);
  try {
    await visit(session);
  } finally {
    session.abort();
    await session.ended;
    // What was being signed, sealed or opened is so to the end, for nobody.
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assertEquals(server.failures, []);
}

/** Swallows what comes until the other side is gone. */
export async function untilGone(link: CommandChannel): Promise<void> {
  try {
    while (await link.next() !== null);
  } catch {
    // Gone.
  }
}
