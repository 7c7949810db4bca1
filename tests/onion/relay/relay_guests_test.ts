import { assert, assertEquals, assertRejects } from "@std/assert";
import { askForLink } from "../../../lib/onion/link/link_commands.ts";
import type { LinkGuests } from "../../../lib/onion/link/link_guests.ts";
import { Relay } from "../../../lib/onion/relay/relay.ts";
import { DEFAULT_RELAY_LIMITS } from "../../../lib/onion/relay/relay_limits.ts";
import type { ByteStream, Channel } from "../../../lib/protocol/mod.ts";
import {
  bytes,
  Caller,
  ChannelError,
  CommandWriter,
  generateDh,
  MalformedError,
  randomBytes,
  utf8,
  verb,
} from "../../../lib/protocol/mod.ts";
import { testNodeKeyring } from "../../support/keyrings.ts";
import { memoryConnection } from "../../support/memory_stream.ts";
import { hurried } from "../hurry.ts";
import { MemoryIncoming } from "../memory_incoming.ts";
import { within } from "../streams.ts";
import { World } from "../world.ts";

const VISIT = verb(0x7ff0, "VISIT", "a first command of guests");
const LATER = verb(0x7ff1, "LATER", "one that is none");
const GIFT = bytes(0x9ff0, "GIFT", "what a guest brings");

/** Says what it was given, and then what it hears, until the other side ends. */
class Echo implements LinkGuests {
  readonly table = {
    service: "echo",
    parameters: [GIFT],
    verbs: [VISIT, LATER],
  };
  readonly opens = new Set([VISIT.name]);
  visits = 0;

  async welcome(
    channel: Channel,
    first: Parameters<LinkGuests["welcome"]>[1],
    incoming: Parameters<LinkGuests["welcome"]>[2],
  ): Promise<void> {
    this.visits++;
    incoming.deadline(0);
    await channel.send(first.need(GIFT));
    for (;;) {
      const piece = await channel.receive();
      if (piece === null) return;
      await channel.send(piece);
    }
  }
}

async function relayWith(guests: LinkGuests | undefined): Promise<{
  connect(): { stream: ByteStream; ended: Promise<void> };
  linkKey: Awaited<ReturnType<typeof generateDh>>["publicKey"];
  relay: Relay;
}> {
  const keyring = await testNodeKeyring();
  const onionKeys = [await generateDh()];
  const relay = new Relay({
    keyring,
    onionKeys: () => onionKeys,
    find: () => Promise.resolve(undefined),
    dial: () => Promise.reject(new Error("nobody there")),
    exit: new World(),
    limits: DEFAULT_RELAY_LIMITS,
    guests,
    now: () => performance.now(),
    failed: (error) => {
      throw error;
    },
  });
  return {
    relay,
    linkKey: keyring.certificate.dhKey,
    connect() {
      const { left, right } = memoryConnection();
      const incoming = new MemoryIncoming(right, "198.51.100.7", 1);
      const ended = relay.accept(incoming).finally(() => incoming.close());
      ended.catch(() => {/* looked at by the test */});
      return { stream: left, ended };
    },
  };
}

Deno.test("a relay hands a connection to its guests that begins with one of their verbs, and grants links as before", async () => {
  const guests = new Echo();
  const { connect, linkKey, relay } = await relayWith(guests);
  const guest = connect();
  const channel = await new Caller(guest.stream).connect(linkKey);
  await channel.send(
    new CommandWriter().set(GIFT, utf8("flowers")).verb(VISIT).done(),
  );
  assertEquals(await channel.receive(), utf8("flowers"));
  await channel.send(utf8("again"));
  assertEquals(await channel.receive(), utf8("again"));

  const other = connect();
  const link = await askForLink(other.stream, linkKey);
  assertEquals([relay.status.links, guests.visits], [1, 1]);
  await link.close();
  await other.ended;

  await channel.close();
  await guest.ended;
});

Deno.test("a relay closes on first commands that nobody waits for, with guests or without", async () => {
  const guests = new Echo();
  for (
    const [each, first] of [
      [undefined, VISIT],
      [guests, LATER],
    ] as const
  ) {
    const { connect, linkKey } = await relayWith(each);
    const { stream, ended } = connect();
    const channel = await new Caller(stream).connect(linkKey);
    await channel.send(new CommandWriter().verb(first).done());
    await channel.close();
    await ended;
  }
  assertEquals(guests.visits, 0);
});

Deno.test("what a stranger may send before its first command is no more because there are guests", async () => {
  const guests = new Echo();
  const { connect, linkKey } = await relayWith(guests);
  const { stream, ended } = connect();
  const channel = await new Caller(stream).connect(linkKey);
  await channel.send(
    new CommandWriter().set(GIFT, randomBytes(1_100)).verb(VISIT).done(),
  );
  await assertRejects(() => ended, MalformedError);
  assertEquals(guests.visits, 0);
  channel.abort();
});

Deno.test("a guest that says nothing is dropped like anybody else", async () => {
  await hurried(1_000, async () => {
    const { connect, linkKey } = await relayWith(new Echo());
    const { stream, ended } = connect();
    const channel = await new Caller(stream).connect(linkKey);
    const error = await within(
      1_000_000,
      "the deadline",
      assertRejects(() => ended),
    );
    assert(error instanceof ChannelError);
    channel.abort();
  });
});
