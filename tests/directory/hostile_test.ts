import { assert, assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import { proofOf } from "../../lib/directory/channel_proof.ts";
import {
  BODY_LENGTH,
  DELIBERATE,
  DESCRIPTOR,
  DIRECTORY,
  DIRECTORY_VOCABULARY,
  GET_CONSENSUS,
  LIST_ME,
  PROOF,
  PROVE,
  PROVER,
} from "../../lib/directory/commands.ts";
import { ControllerLink } from "../../lib/directory/controller_link.ts";
import { DirectoryError } from "../../lib/directory/mod.ts";
import type { NodeKeyring } from "../../lib/identity/mod.ts";
import {
  Caller,
  CommandChannel,
  CommandWriter,
  randomBytes,
} from "../../lib/protocol/mod.ts";
import type { Bytes, ByteStream, Shape } from "../../lib/protocol/mod.ts";
import { freshNodeKeyring } from "../support/keyrings.ts";
import { dialTcp, TcpNetwork, until } from "./tcp_network.ts";

/** A channel to the first controller, on which nothing has been said. */
async function channelTo(network: TcpNetwork): Promise<CommandChannel> {
  const stream = await dialTcp(network.addresses[0]!);
  const channel = await new Caller(stream).connect(
    network.keyring(0).certificate.dhKey,
  );
  return new CommandChannel(channel, DIRECTORY_VOCABULARY, {
    messageBytes: 8_192,
    skippedBytes: 65_536,
  });
}

/** Reads until the other side is gone or has said CLOSE; how many answers came. */
async function answers(channel: CommandChannel): Promise<string[]> {
  const names: string[] = [];
  const timer = setTimeout(() => channel.abort(), 1_000);
  try {
    for (;;) {
      const message = await channel.next();
      if (message === null) break;
      names.push(message.verb.name);
    }
  } catch {
    // Hung up on.
  } finally {
    clearTimeout(timer);
    channel.abort();
  }
  return names;
}

/** The controller still does its work, and nothing went wrong inside it. */
async function isWell(network: TcpNetwork): Promise<void> {
  const directory = await network.openDirectory();
  assertEquals((await directory.consensus()).relays.length, 1);
  const { failures } = network.controllers[0]!;
  const inside = failures.filter((error) =>
    !(error instanceof Error) ||
    ![
      "MalformedError",
      "ChannelError",
      "BadResource",
      "ConnectionReset",
      "BrokenPipe",
    ]
      .includes(error.name)
  );
  assertEquals(inside, []);
}

async function provedChannel(
  network: TcpNetwork,
  keyring: NodeKeyring,
): Promise<CommandChannel> {
  const channel = await channelTo(network);
  await channel.send(
    new CommandWriter().set(PROVER, keyring.certificate.bytes)
      .set(PROOF, await proofOf(channel.hash, keyring)).verb(PROVE).done(),
  );
  assertEquals((await channel.next())?.verb.name, "PROVED");
  return channel;
}

Deno.test("S2.2: random bytes at a controller's port break nothing", async () => {
  await using network = await TcpNetwork.of();
  await network.startRelay();
  await network.head((h) => h.relays.length === 1);
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 3_000 }), async (bytes) => {
      const stream = await dialTcp(network.addresses[0]!);
      try {
        await stream.write(bytes);
      } finally {
        stream.close();
      }
    }),
    { numRuns: 200 },
  );
  await isWell(network);
});

const COMMANDS: readonly { readonly id: number; readonly shape?: Shape }[] = [
  ...DIRECTORY.parameters,
  ...DIRECTORY.verbs,
];

/** A stream of commands of the directory, with values of any bytes. */
const SOME_COMMANDS: fc.Arbitrary<Bytes> = fc.array(
  fc.tuple(fc.nat(COMMANDS.length - 1), fc.uint8Array({ maxLength: 600 })),
  { maxLength: 12 },
).map((items) => {
  const parts: number[] = [];
  for (const [index, value] of items) {
    const command = COMMANDS[index]!;
    parts.push(command.id >> 8, command.id & 0xff);
    if (command.shape === undefined) continue;
    const { prefix, counted, fixed } = command.shape;
    const length = counted ? value.length % 200 : fixed;
    for (let i = prefix - 1; i >= 0; i--) {
      parts.push(counted ? length >> 8 * i & 0xff : value[i] ?? 0);
    }
    for (let i = 0; i < length; i++) parts.push(value[i] ?? i & 0xff);
  }
  return new Uint8Array(parts);
});

for (const proved of [false, true]) {
  Deno.test(`S2.2: random commands inside the channel break nothing, ${proved ? "after" : "before"} a proof`, async () => {
    await using network = await TcpNetwork.of();
    await network.startRelay();
    await network.head((h) => h.relays.length === 1);
    const stranger = await freshNodeKeyring();
    await fc.assert(
      fc.asyncProperty(
        SOME_COMMANDS,
        fc.uint8Array({ maxLength: 100 }),
        async (commands, noise) => {
          const channel = proved
            ? await provedChannel(network, stranger)
            : await channelTo(network);
          await channel.send(commands);
          await channel.send(noise.slice()).catch(() => {});
          channel.abort();
        },
      ),
      { numRuns: 60 },
    );
    await isWell(network);
    assertEquals(network.controllers[0]!.controller.registry.size, 1);
  });
}

Deno.test("before a proof, nothing but questions for the consensus is heard", async () => {
  await using network = await TcpNetwork.of();
  await network.startRelay();
  const { relays: [relay] } = await network.head((h) => h.relays.length === 1);
  const channel = await channelTo(network);
  await channel.send(
    new CommandWriter().set(DESCRIPTOR, relay!.descriptor.bytes).verb(LIST_ME)
      .done(),
  );
  assertEquals((await channel.next())?.verb.name, "DECLINED");
  await channel.send(
    new CommandWriter().set(BODY_LENGTH, 10).verb(DELIBERATE).done(),
  );
  assertEquals(await answers(channel), []);
  await isWell(network);
});

Deno.test("a proof holds on its own connection only, and for its own key only", async () => {
  await using network = await TcpNetwork.of();
  const keyring = await freshNodeKeyring();
  const other = await freshNodeKeyring();
  const first = await channelTo(network);
  const second = await channelTo(network);
  const proof = await proofOf(first.hash, keyring);
  for (
    const [channel, certificate] of [
      [second, keyring.certificate],
      [first, other.certificate],
    ] as const
  ) {
    await channel.send(
      new CommandWriter().set(PROVER, certificate.bytes).set(PROOF, proof)
        .verb(PROVE).done(),
    );
    assertEquals(await answers(channel), []);
  }
});

Deno.test("who has proved nothing may not send much, nor ask for ever", async () => {
  await using network = await TcpNetwork.of();
  await network.startRelay();
  await network.head((h) => h.relays.length === 1);
  const talker = await channelTo(network);
  for (let i = 0; i < 20; i++) {
    await talker.send(
      new CommandWriter().set(DESCRIPTOR, randomBytes(4_000)).verb(
        GET_CONSENSUS,
      )
        .done(),
    ).catch(() => {});
  }
  assert((await answers(talker).catch(() => [])).length <= 17);
  await isWell(network);
});

Deno.test("a relay that is no controller cannot take part in an agreement", async () => {
  await using network = await TcpNetwork.of();
  await network.startRelay();
  await network.head((h) => h.relays.length === 1);
  const channel = await provedChannel(network, await freshNodeKeyring());
  const body = randomBytes(100);
  await channel.sendWithBody(
    new CommandWriter().set(BODY_LENGTH, body.length).verb(DELIBERATE).done(),
    body,
  ).catch(() => {});
  assertEquals(await answers(channel), []);
  await isWell(network);
});

Deno.test("a controller that deliberates in random bytes is hung up on, and harms nobody", async () => {
  await using network = await TcpNetwork.of({ controllers: 3, interval: 1 });
  await network.startRelay();
  await network.head((h) => h.relays.length === 1, 0, 15_000);
  await network.stopController(2);
  const liar = network.keyring(2);
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 0, max: 8 }),
      fc.uint8Array({ minLength: 1, maxLength: 3_000 }),
      async (kind, bytes) => {
        bytes[0] = kind;
        const channel = await provedChannel(network, liar);
        await channel.sendWithBody(
          new CommandWriter().set(BODY_LENGTH, bytes.length).verb(DELIBERATE)
            .done(),
          bytes.slice(),
        ).catch(() => {});
        channel.abort();
      },
    ),
    { numRuns: 40 },
  );
  const { height } = network.controllers[0]!.controller.head!;
  await network.head((h) => h.height > height + 1, 0, 15_000);
});

Deno.test("too many questions from one address are declined for a while", async () => {
  await using network = await TcpNetwork.of({
    limits: {
      allowPrivate: false,
      fetches: { perSecond: 0.001, burst: 3 },
    },
  });
  const link = await ControllerLink.open(network.addresses[0]!, dialTcp);
  const reasons: string[] = [];
  for (let i = 0; i < 5; i++) {
    const error = await assertRejects(
      () => link.ask(new CommandWriter().verb(GET_CONSENSUS).done(), []),
      DirectoryError,
    );
    reasons.push(error.reason);
  }
  assertEquals(reasons.slice(0, 3), Array(3).fill("no-consensus"));
  assertEquals(reasons.slice(3), Array(2).fill("too-fast"));
  await link.close();
});

Deno.test("S2.2: who says nothing, or a byte now and then, is hung up on", async () => {
  await using network = await TcpNetwork.of({ limits: { guestPatience: 300 } });
  const silent = await dialTcp(network.addresses[0]!);
  const slow = await dialTcp(network.addresses[0]!);
  const inside = await channelTo(network);
  const trickle = setInterval(() => {
    slow.write(new Uint8Array(1)).catch(() => {});
    inside.send(new Uint8Array(1)).catch(() => {});
  }, 50);
  const began = performance.now();
  const ends = async (stream: ByteStream) => {
    const buffer = new Uint8Array(100);
    try {
      while (await stream.read(buffer) !== null);
    } catch {
      // Reset is an end, too.
    }
    stream.close();
  };
  await Promise.all([ends(silent), ends(slow), answers(inside)]);
  clearInterval(trickle);
  assert(performance.now() - began < 2_000);
});

Deno.test("S4.2: no more than so many relays are connected back to at a time", async () => {
  await using network = await TcpNetwork.of({ limits: { probes: 1 } });
  // A tarpit: it takes connections and says nothing.
  const tarpit = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const held: Deno.Conn[] = [];
  const holding = (async () => {
    for await (const each of tarpit) held.push(each);
  })();
  const first = await network.listenAsRelay();
  const { port } = tarpit.addr as Deno.NetAddr;
  network.register(first, { address: { host: "127.0.0.1", port } });
  await until(() => held.length > 0);
  const second = await network.startRelay();
  const state = await until(() => second.states.at(-1));
  assert(
    state.error instanceof DirectoryError && state.error.reason === "too-fast",
  );
  for (const each of held) each.close();
  tarpit.close();
  await holding;
});
