import { assert, assertEquals } from "@std/assert";
import { RELAY } from "../../../lib/onion/cell/message.ts";
import { indexOf, periodAt } from "../../../lib/onion/service/service_ring.ts";
import { utf8, writeAll } from "../../../lib/protocol/mod.ts";
import { readExactly } from "../streams.ts";
import { ServiceNetwork } from "./service_network.ts";

/** A message that a relay was given. */
interface Heard {
  readonly relay: number;
  readonly command: number;
  /** In hexadecimal digits. */
  readonly data: string;
}

/** Whatever is said to relays while a service starts and somebody talks to it. */
async function listen() {
  const network = await ServiceNetwork.start(8);
  const heard: Heard[] = [];
  for (const relay of network.relays.nodes.keys()) {
    network.lie(relay, ({ command, data }) => {
      heard.push({ relay, command, data: data.toHex() });
      return false;
    });
  }
  const service = await network.service();
  const stream = await network.client().open(service.fingerprint, "");
  await writeAll(stream, utf8("between the two of us"));
  assertEquals(
    await readExactly(stream, 21),
    utf8("between the two of us"),
  );
  return { network, service, heard };
}

Deno.test("S4: no relay is told whose service it helps, or who comes to it", async () => {
  const { network, service, heard } = await listen();
  await using _ = network;
  const { certificate } = network.keyringOf(service);
  const secrets: Record<string, Uint8Array> = {
    fingerprint: certificate.fingerprint,
    "part of the fingerprint": certificate.fingerprint.subarray(8, 24),
    "signing key": certificate.signingKey,
    "agreement key": certificate.dhKey,
    certificate: certificate.bytes.subarray(0, 64),
    "RSA key": certificate.rsaKey.subarray(40, 72),
    text: utf8("between the two of us"),
  };
  for (const { command, data, relay } of heard) {
    for (const [what, bytes] of Object.entries(secrets)) {
      assert(
        !data.includes(bytes.toHex()),
        `relay ${relay} is told the ${what} by message ${command}`,
      );
    }
  }
  // All of it was heard.
  const commands = new Set(heard.map(({ command }) => command));
  for (
    const command of [
      RELAY.ESTABLISH_INTRO,
      RELAY.PUBLISH,
      RELAY.FETCH,
      RELAY.ESTABLISH_RENDEZVOUS,
      RELAY.INTRODUCE,
      RELAY.RENDEZVOUS,
    ]
  ) assert(commands.has(command), String(command));
  // Streams are said to the service, and to no relay.
  for (const command of [RELAY.BEGIN, RELAY.DATA, RELAY.END, RELAY.SENDME]) {
    assert(!commands.has(command), String(command));
  }
});

Deno.test("S4: what one relay is told of a meeting does not lead to the others", async () => {
  const { network, service, heard } = await listen();
  await using _ = network;
  const said = (command: number) =>
    heard.filter((each) => each.command === command);
  // Every introduction point has another key, and they have nothing in common.
  const keys = said(RELAY.ESTABLISH_INTRO).map(({ data }) => data.slice(0, 64));
  assertEquals(new Set(keys).size, keys.length);
  const [introduction] = said(RELAY.INTRODUCE);
  const [waiting] = said(RELAY.ESTABLISH_RENDEZVOUS);
  const cookie = waiting!.data;
  assert(!introduction!.data.includes(cookie));
  const meeting = network.relays.nodes[waiting!.relay]!.descriptor.identity;
  assert(!introduction!.data.includes(meeting.fingerprint.toHex()));
  // Both who come to the rendezvous know the cookie, and nobody else hears of it.
  const others = heard.filter(({ data }) => data.includes(cookie));
  assertEquals(
    others.map(({ command, relay }) => [command, relay]),
    [
      [RELAY.ESTABLISH_RENDEZVOUS, waiting!.relay],
      [RELAY.RENDEZVOUS, waiting!.relay],
    ],
  );
  // What is published in two places, or for two days, looks like nothing that was seen before.
  const blobs = said(RELAY.PUBLISH).map(({ data }) => data.slice(64));
  assertEquals(new Set(blobs).size, blobs.length);
  const now = Math.floor(network.time / 1_000);
  const period = periodAt(service.fingerprint, now);
  const indices = await Promise.all(
    [period, period + 1].map(async (each) =>
      (await indexOf(service.fingerprint, each)).toHex()
    ),
  );
  const used = new Set(
    said(RELAY.PUBLISH).map(({ data }) => data.slice(0, 64)),
  );
  assertEquals([...used].sort(), indices.sort());
});
