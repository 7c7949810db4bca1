import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  BODY_BYTES,
  CELL,
  HEADER_BYTES,
  LARGE,
  SMALL,
} from "../../lib/onion/cell/cell.ts";
import { CircuitError } from "../../lib/onion/client/circuit_error.ts";
import { ClientCircuit } from "../../lib/onion/client/client_circuit.ts";
import { grantLink } from "../../lib/onion/link/link_commands.ts";
import type { Channel } from "../../lib/protocol/mod.ts";
import {
  answer,
  ChannelError,
  MalformedError,
  randomBytes,
  writeAll,
} from "../../lib/protocol/mod.ts";
import { RawLink } from "../onion/raw_link.ts";
import type { RawCell } from "../onion/raw_link.ts";
import { CLIENT, RelayNetwork } from "../onion/relay_network.ts";
import { pause, readExactly, until, within } from "../onion/streams.ts";
import { memoryConnection } from "../support/memory_stream.ts";
import { memoryInUse } from "./memory.ts";
import { Random } from "./random.ts";

const INPUTS = Number(Deno.env.get("SOTTO_FUZZ_INPUTS") ?? 300);
/** Set it to the seed of a failure to see that again. */
const SEED = Number(
  Deno.env.get("SOTTO_FUZZ_SEED") ??
    crypto.getRandomValues(new Uint32Array(1))[0],
);
const MIB = 1_048_576;

/** One attacker's connection, from its beginning to its end. */
type Attack = (network: RelayNetwork, random: Random) => Promise<void>;

/** Waits until the other side hangs up. */
async function hungUp(channel: Channel): Promise<void> {
  try {
    while (await channel.receive() !== null);
  } catch {
    // It broke off.
  }
}

const ATTACKS: Readonly<Record<string, Attack>> = {
  async "bytes before anything was said"(network, random) {
    const stream = await network.connect(CLIENT, 0);
    try {
      await writeAll(stream, random.bytes(1 + random.length(4_096)));
    } catch {
      // It has had enough.
    }
    await pause(0);
    stream.close();
  },
  async "records before a link was asked for"(network, random) {
    const channel = await network.bareChannel();
    await channel.send(random.bytes(1 + random.length(2_000))).catch(() => {});
    await channel.close();
  },
  async "headers on a link"(network, random) {
    const channel = await network.channel();
    const count = 1 + random.below(20);
    const headers = random.bytes(count * HEADER_BYTES - random.below(2));
    // Now and then what could be a command and a size.
    for (let at = 0; at + HEADER_BYTES <= headers.length; at += HEADER_BYTES) {
      headers[at + 4] = random.below(6);
      headers[at + 5] = random.below(3);
    }
    channel.send(headers).catch(() => {});
    for (let i = 0; i < count; i++) {
      const length = random.once(3)
        ? 1 + random.length(8_000)
        : BODY_BYTES[random.once(4) ? LARGE : SMALL];
      channel.sendBody(random.bytes(length)).catch(() => {});
    }
    await channel.flushed().catch(() => {});
    await channel.close();
    await hungUp(channel);
  },
  async "bodies without headers"(network, random) {
    const channel = await network.channel();
    await channel.sendBody(random.bytes(1 + random.length(8_000)))
      .catch(() => {});
    await hungUp(channel);
  },
};

for (const [name, attack] of Object.entries(ATTACKS)) {
  Deno.test(`S2.2: a relay under ${name}: others are served, memory is flat, nothing breaks inside`, async () => {
    await using network = await RelayNetwork.start(2, { hurry: 20 });
    const circuit = await network.circuit(2);
    const stream = await circuit.streams.open({ host: "echo", port: 1 });
    const random = new Random(SEED);
    const inputs = async (count: number) => {
      for (let i = 0; i < count; i++) {
        await within(
          20_000,
          `an attack of seed ${SEED}`,
          attack(network, random),
        );
        network.wires.length = 2;
        // Whoever attacked is told apart from what is wrong inside.
        for (const error of network.broken.splice(0)) {
          assert(
            error instanceof ChannelError || error instanceof MalformedError,
            `${error}`,
          );
        }
      }
      await until(
        () => network.nodes[0]!.relay.status.links <= 2,
        "the attackers are gone",
      );
    };
    await inputs(INPUTS / 3);
    const before = memoryInUse();
    await inputs(INPUTS);
    const after = memoryInUse();
    assert(after.live - before.live < 6 * MIB, "more is live");
    assert(after.resident - before.resident < 96 * MIB, "more is resident");
    await stream.write(Uint8Array.of(7));
    await within(20_000, "the echo", readExactly(stream, 1));
    assertEquals(circuit.failure, undefined);
  });
}

Deno.test("S2.2: whoever says a byte now and then, or nothing, is hung up on when the time is over", async () => {
  // Ten seconds are a tenth of one.
  await using network = await RelayNetwork.start(1, { hurry: 100 });
  const slow = Array.from({ length: 20 }, async (_, i) => {
    const start = performance.now();
    const stream = await network.connect(CLIENT, 0);
    const reading = stream.read(new Uint8Array(10)).catch(() => null);
    let isOver = false;
    reading.then(() => isOver = true);
    while (!isOver) {
      await pause(10);
      if (i % 2 === 0) await stream.write(randomBytes(1)).catch(() => {});
    }
    stream.close();
    return performance.now() - start;
  });
  // Whoever has shaken hands and asks for no link is no better.
  const channel = await network.bareChannel();
  await within(20_000, "the end", hungUp(channel));
  for (const took of await Promise.all(slow)) {
    assert(took < 20_000, `it took ${took} ms`);
  }
  assertEquals(network.nodes[0]!.relay.status.links, 0);
});

/** A relay in place of relay 1 that does with a CREATE what it likes. */
function liar(
  network: RelayNetwork,
  lie: (link: RawLink, create: RawCell) => void,
): AsyncDisposable {
  const { keyring } = network.nodes[1]!;
  const { left, right } = memoryConnection();
  network.strange = () => Promise.resolve(left);
  const standing = (async () => {
    const channel = await answer(right, {
      static: keyring.dh,
      certificate: keyring.certificate.bytes,
    });
    assert(channel !== undefined && await grantLink(channel));
    return new RawLink(channel);
  })();
  const lying = (async () => {
    const link = await standing;
    await until(() => link.of(CELL.CREATE).length > 0, "a CREATE comes");
    lie(link, link.of(CELL.CREATE)[0]!);
  })();
  return {
    async [Symbol.asyncDispose]() {
      await lying;
      await (await standing)[Symbol.asyncDispose]();
    },
  };
}

const NOISE = () => randomBytes(BODY_BYTES[SMALL]);
const LIES: Readonly<
  Record<string, readonly [(link: RawLink, create: RawCell) => void, string]>
> = {
  "answers with noise": [
    (link, { circuit }) => link.send(circuit, CELL.CREATED, SMALL, NOISE()),
    "protocol",
  ],
  "answers with what it was sent": [
    (link, { circuit, body }) => link.send(circuit, CELL.CREATED, SMALL, body),
    "protocol",
  ],
  "sends a cell before it has answered": [
    (link, { circuit }) => link.send(circuit, CELL.RELAY, SMALL, NOISE()),
    "protocol",
  ],
  "makes a circuit where only the other side does": [
    (link, { circuit }) => link.send(circuit + 1, CELL.CREATE, SMALL, NOISE()),
    "link-gone",
  ],
  "hangs up": [(link) => link.channel.abort(), "link-gone"],
};

for (const [name, [lie, reason]] of Object.entries(LIES)) {
  Deno.test(`S4.4: a relay that ${name} gets no hop, and the client is told`, async () => {
    await using network = await RelayNetwork.start(2);
    const link = await network.link();
    await using _ = liar(network, lie);
    const error = await within(
      20_000,
      "the refusal",
      assertRejects(
        () => ClientCircuit.build(link, network.path(0, 1)),
        CircuitError,
      ),
    );
    assertEquals([error.reason, error.hop], [reason, 2]);
    await until(() => network.circuits[0] === 0, "the circuit is gone");
    assertEquals(link.ended, false);
  });
}
