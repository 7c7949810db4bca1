import { assertEquals } from "@std/assert";
import { loginByKey } from "../../lib/account/mod.ts";
import {
  COUNTER,
  DATA,
  DATA_LENGTH,
  KO,
  OK,
  REASON,
  SIGNATURE,
  SUBMIT,
  USERNAME,
  VERIFICATION_SHA256,
  WHO_AM_I,
  YOU_ARE,
} from "../../lib/account/commands.ts";
import {
  parseCommands,
  readData,
  signedBytes,
} from "../../lib/account/submission.ts";
import { ACCOUNT } from "../../lib/account/mod.ts";
import {
  ChannelError,
  CommandWriter,
  concat,
  fromUtf8,
  sha256,
  sign,
  utf8,
  Vocabulary,
} from "../../lib/protocol/mod.ts";
import type { Bytes, CommandChannel, Message } from "../../lib/protocol/mod.ts";
import { linkTo, localTarget, settle } from "./target.ts";
import type { LocalTarget, Resident } from "./target.ts";

const VOCABULARY = new Vocabulary(ACCOUNT);
const WHO = new CommandWriter().verb(WHO_AM_I).done();

/** The parts of a submission, each of which a test may replace; `null` leaves one out. */
interface Parts {
  readonly username?: string | null;
  readonly length?: number | null;
  readonly pieces?: readonly Bytes[];
  readonly hash?: Bytes | null;
  readonly signature?: Bytes | null;
  readonly signs?: { username?: string; counter?: bigint; plaintext?: Bytes };
}

/** Somebody who is logged in and writes submissions by hand. */
class Hand {
  readonly link: CommandChannel;
  readonly #resident: Resident;

  constructor(link: CommandChannel, resident: Resident) {
    this.link = link;
    this.#resident = resident;
  }

  async submit(
    counter: bigint,
    plaintext: Bytes,
    parts: Parts = {},
  ): Promise<void> {
    const { certificate, signing } = this.#resident.keyring;
    const { signs = {} } = parts;
    const signature = parts.signature === undefined
      ? await sign(
        signing.privateKey,
        signedBytes(
          this.link.hash,
          signs.counter ?? counter,
          utf8(signs.username ?? parts.username ?? certificate.address),
          signs.plaintext ?? plaintext,
        ),
      )
      : parts.signature;
    const hash = parts.hash === undefined
      ? await sha256(plaintext)
      : parts.hash;
    const username = parts.username === undefined
      ? certificate.address
      : parts.username;
    const length = parts.length === undefined ? plaintext.length : parts.length;
    const writer = new CommandWriter()
      .set(USERNAME, username === null ? undefined : utf8(username))
      .set(COUNTER, counter)
      .set(SIGNATURE, signature ?? undefined)
      .set(DATA_LENGTH, length ?? undefined)
      .set(VERIFICATION_SHA256, hash ?? undefined);
    for (const piece of parts.pieces ?? [plaintext]) writer.set(DATA, piece);
    await this.link.send(writer.verb(SUBMIT).done());
  }

  /** The next answer, as counter and reason, or the names of the answers inside. */
  async answer(): Promise<string> {
    const message = await this.link.next();
    if (message === null) return "CLOSE";
    const counter = message.need(COUNTER);
    if (message.verb === KO) {
      return `${counter} KO ${fromUtf8(message.need(REASON))}`;
    }
    assertEquals(message.verb, OK);
    const names = await answersOf(message);
    return `${counter} ${names.join(" ")}`;
  }
}

async function answersOf(message: Message): Promise<string[]> {
  const plaintext = await readData(message);
  assertEquals(
    plaintext === undefined,
    false,
    "the answer did not arrive whole",
  );
  return parseCommands(plaintext!, VOCABULARY).map(({ verb }) => verb.name);
}

async function hand(target: LocalTarget): Promise<Hand> {
  const resident = await settle(target, "mallory@test");
  const link = await linkTo(target);
  await loginByKey(link, resident.keyring, resident.usrKey);
  return new Hand(link, resident);
}

Deno.test("S0.8 S2.6: data that does not match its checksum is answered KO, and taken when it is sent right", async () => {
  await using target = await localTarget();
  const client = await hand(target);
  const wrong = await sha256(utf8("something else"));
  await client.submit(0n, WHO, { hash: wrong });
  assertEquals(await client.answer(), "0 KO checksum");
  await client.submit(1n, WHO, { pieces: [concat(WHO, WHO)] });
  assertEquals(await client.answer(), "1 KO checksum");
  await client.submit(2n, WHO);
  assertEquals(await client.answer(), `2 ${YOU_ARE.name}`);
  await client.link.close();
  assertEquals((await target.condition()).unexpected, []);
});

Deno.test("S2.6: DATA-LENGTH is that of all pieces together, not more, not less, and within the limit before anything is looked at", async () => {
  await using target = await localTarget();
  const client = await hand(target);
  const cases: readonly (readonly [Parts, string])[] = [
    [{ length: WHO.length + 1 }, "KO checksum"],
    [{ length: WHO.length - 1 }, "KO checksum"],
    [{ length: 0 }, "KO checksum"],
    [{ length: 262_145 }, "KO too-large"],
    [{ length: 0xffffffff }, "KO too-large"],
    [{ length: null }, "KO malformed"],
    [{ hash: null }, "KO malformed"],
    [{ pieces: [] }, "KO checksum"],
    [{ pieces: [WHO.slice(1), WHO.slice(0, 1)] }, "KO checksum"],
    [{ pieces: [WHO.slice(0, 1), WHO.slice(1)] }, YOU_ARE.name],
    [{ pieces: [new Uint8Array(0), WHO] }, YOU_ARE.name],
  ];
  for (const [i, [parts, expected]] of cases.entries()) {
    await client.submit(BigInt(i), WHO, parts);
    assertEquals(await client.answer(), `${i} ${expected}`);
  }
  await client.link.close();
});

Deno.test("S0.7: a submission under another's name, or nobody's, is refused, whoever signed it", async () => {
  await using target = await localTarget();
  await settle(target, "alice@test");
  const client = await hand(target);
  const names = [
    "alice@test",
    "nobody@test",
    "",
    "mallory@test ",
    "MALLORY@test",
  ]
    .concat("\ufeffmallory@test");
  let counter = 0n;
  for (const username of names) {
    for (const signs of [{}, { username: "mallory@test" }]) {
      await client.submit(counter, WHO, { username, signs });
      assertEquals(await client.answer(), `${counter} KO signature`);
      counter++;
    }
  }
  await client.submit(counter, WHO, { username: null });
  assertEquals(await client.answer(), `${counter} KO malformed`);
  await client.submit(counter + 1n, WHO);
  assertEquals(await client.answer(), `${counter + 1n} ${YOU_ARE.name}`);
  await client.link.close();
});

Deno.test("S1.4: a signature over anything else, or none, is refused", async () => {
  await using target = await localTarget();
  const client = await hand(target);
  const cases: readonly (readonly [Parts, string])[] = [
    [{ signature: new Uint8Array(64) }, "KO signature"],
    [{ signature: null }, "KO malformed"],
    [{ signs: { counter: 99n } }, "KO signature"],
    [{ signs: { plaintext: utf8("x") } }, "KO signature"],
    [{ signs: { username: "alice@test" } }, "KO signature"],
    [{}, YOU_ARE.name],
  ];
  for (const [i, [parts, expected]] of cases.entries()) {
    await client.submit(BigInt(i), WHO, parts);
    assertEquals(await client.answer(), `${i} ${expected}`);
  }
  await client.link.close();
});

Deno.test("S1.4: a counter may leap, but one that was used before, or passed over, ends the connection", async () => {
  await using target = await localTarget();
  const resident = await settle(target, "mallory@test");
  for (
    const [first, second] of [
      [0n, 0n],
      [5n, 4n],
      [7n, 0n],
      [0xffffffffffffffffn, 0xffffffffffffffffn],
      [0xffffffffffffffffn, 0n],
    ]
  ) {
    const link = await linkTo(target);
    await loginByKey(link, resident.keyring, resident.usrKey);
    const client = new Hand(link, resident);
    await client.submit(first!, WHO);
    assertEquals(await client.answer(), `${first} ${YOU_ARE.name}`);
    await client.submit(second!, WHO);
    const end = await client.answer().catch((error) => error);
    assertEquals(end instanceof ChannelError && end.code, "ERR_CHANNEL_CUT");
  }
  assertEquals((await target.condition()).unexpected, []);
});

Deno.test("S1.4: a refused submission has used its counter up, too", async () => {
  await using target = await localTarget();
  const client = await hand(target);
  await client.submit(3n, WHO, { signature: new Uint8Array(64) });
  assertEquals(await client.answer(), "3 KO signature");
  await client.submit(3n, WHO);
  const end = await client.answer().catch((error) => error);
  assertEquals(end instanceof ChannelError, true);
});
