import { assert, assertEquals } from "@std/assert";
import type { Incoming } from "../../../lib/net/mod.ts";
import { RELAY } from "../../../lib/onion/cell/message.ts";
import type { KeyAcceptance } from "../../../lib/onion/circuit/key_agreement.ts";
import { ServiceMeetings } from "../../../lib/onion/service/service_meetings.ts";
import type { MeetingOptions } from "../../../lib/onion/service/service_meetings.ts";
import type { CircuitStream } from "../../../lib/onion/stream/circuit_stream.ts";
import { randomBytes } from "../../../lib/protocol/mod.ts";
import { printOf } from "../path/relays.ts";
import { FakeNetwork, settle } from "./fake_circuits.ts";

const SECOND = 1_000;
const MINUTE = 60_000;

/** A handshake that always works. */
const ACCEPTANCE = {
  finish: () =>
    Promise.resolve({ answer: new Uint8Array(9), keys: { forward: 1 } }),
} as unknown as KeyAcceptance;

function meetingAt(relay: number, hops = 3) {
  return { relay: printOf(relay), cookie: randomBytes(32), hops };
}

function meetingsIn(
  network: FakeNetwork,
  options: Partial<MeetingOptions> = {},
) {
  const failures: unknown[] = [];
  const meetings = new ServiceMeetings({
    circuits: network,
    now: () => network.clock,
    accept: () => Promise.resolve(),
    failed: (error) => void failures.push(error),
    ...options,
  });
  const meet = async (count = 1) => {
    for (let i = 0; i < count; i++) {
      assert(meetings.admit());
      meetings.meet(meetingAt(1), ACCEPTANCE);
    }
    await settle();
  };
  return { meetings, meet, failures };
}

/** A stream that a client opens; how it ended. */
function fakeStream(endings: string[]): CircuitStream {
  return {
    id: 1,
    abort: (reason: string) => void endings.push(reason),
    closeWrite: () => Promise.resolve(),
    close: () => void endings.push("closed"),
  } as unknown as CircuitStream;
}

Deno.test("meetings: the service goes where the client waits, over as many relays", async () => {
  const network = new FakeNetwork(3);
  const { meetings } = meetingsIn(network);
  const meeting = meetingAt(2, 5);
  meetings.meet(meeting, ACCEPTANCE);
  await settle();
  const [circuit] = network.standing;
  assertEquals([circuit!.to, circuit!.length], [2, 5]);
  assertEquals(circuit!.sent.map(({ command }) => command), [RELAY.RENDEZVOUS]);
  assertEquals(circuit!.sent[0]!.data.slice(0, 32), meeting.cookie);
  assert(circuit!.acceptor !== undefined);
  assertEquals(meetings.size, 1);
  await meetings.close();
  assertEquals([meetings.size, network.standing.length], [0, 0]);
});

Deno.test("meetings: a circuit on which nothing is said goes after half a minute, later one after a quarter of an hour", async () => {
  const network = new FakeNetwork(3);
  const { meetings, meet } = meetingsIn(network);
  await meet(2);
  const used = network.standing[0]!;
  const endings: string[] = [];
  used.acceptor!.begin(fakeStream(endings), { host: "service", port: 7607 });
  await settle();
  assertEquals(endings, ["closed"]);
  network.clock += 30 * SECOND;
  meetings.retire();
  assertEquals(meetings.size, 2);
  network.clock += 1;
  meetings.retire();
  assertEquals([meetings.size, used.failure], [1, undefined]);
  // As long as there is a stream, it stays.
  used.streams.size = 1;
  network.clock += 60 * MINUTE;
  meetings.retire();
  used.streams.size = 0;
  network.clock += 15 * MINUTE;
  meetings.retire();
  assertEquals(meetings.size, 1);
  network.clock += 1;
  meetings.retire();
  assertEquals(meetings.size, 0);
});

Deno.test("S4: whoever comes and says nothing does not keep others out", async () => {
  const network = new FakeNetwork(3);
  const { meetings, meet } = meetingsIn(network, { meetings: 3 });
  await meet(1);
  network.clock++;
  await meet(2);
  const [oldest, ...others] = network.standing;
  await meet(1);
  assertEquals(oldest!.failure?.reason, "requested");
  assert(others.every(({ failure }) => failure === undefined));
  assertEquals(meetings.size, 3);
  // Those who have streams stay, and then it is full.
  for (const circuit of network.standing) circuit.streams.size = 1;
  assert(!meetings.admit());
  assertEquals(meetings.size, 3);
});

Deno.test("S4: clients are taken on at a pace, and none at the end", async () => {
  const network = new FakeNetwork(3);
  const { meetings } = meetingsIn(network, {
    rate: { perSecond: 1, burst: 2 },
  });
  const admitted = () => [1, 2, 3].map(() => meetings.admit());
  assertEquals(admitted(), [true, true, false]);
  network.clock += SECOND;
  assertEquals(admitted(), [true, false, false]);
  network.clock += 60 * SECOND;
  meetings.stop();
  assertEquals(admitted(), [false, false, false]);
  await meetings.close();
});

Deno.test("meetings: a client that cannot be met, or is gone, is one failure and no more", async () => {
  const network = new FakeNetwork(3);
  network.unreachable.add(1);
  const { meetings, meet, failures } = meetingsIn(network);
  await meet(1);
  assertEquals([meetings.size, failures.length], [0, 1]);
  network.unreachable.clear();
  meetings.meet(meetingAt(1), {
    finish: () => {
      network.standing[0]!.destroy("link-gone");
      return ACCEPTANCE.finish();
    },
  } as unknown as KeyAcceptance);
  await settle();
  assertEquals([meetings.size, failures.length], [0, 2]);
  // A circuit of another length than was asked for is of no use.
  network.circuitTo =
    ((inner) => (last, ended, signal) => inner(last, ended, signal, 3))(
      network.circuitTo.bind(network),
    );
  meetings.meet(meetingAt(1, 4), ACCEPTANCE);
  await settle();
  assertEquals([meetings.size, network.standing.length], [0, 0]);
});

Deno.test("S4: only what belongs to the service is there: no other port, and no names", async () => {
  const network = new FakeNetwork(3);
  const accepted: Incoming[] = [];
  const { meet } = meetingsIn(network, {
    accept: (incoming) => Promise.resolve(void accepted.push(incoming)),
  });
  await meet(1);
  const { acceptor, streams } = network.standing[0]!;
  const endings: string[] = [];
  for (const port of [1, 80, 7606, 7608, 65_535]) {
    acceptor!.begin(fakeStream(endings), { host: "service", port });
  }
  assertEquals(endings, Array(5).fill("exit-policy"));
  const answers: unknown[] = [];
  streams.sendEnd = ((...end: unknown[]) => void answers.push(end)) as never;
  acceptor!.resolve(7, "example.org");
  assertEquals(answers, [[7, "resolve-failed"]]);
  assertEquals(accepted, []);
  for (const host of ["service", "127.0.0.1", "anything"]) {
    acceptor!.begin(fakeStream([]), { host, port: 7607 });
  }
  assertEquals(accepted.length, 3);
});

Deno.test("meetings: streams are closed at the end, and waited for", async () => {
  const network = new FakeNetwork(3);
  const endings: string[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  const { meetings, meet } = meetingsIn(network, { accept: () => promise });
  await meet(1);
  const { acceptor } = network.standing[0]!;
  acceptor!.begin(fakeStream(endings), { host: "service", port: 7607 });
  let isClosed = false;
  const closing = meetings.close().then(() => isClosed = true);
  await settle();
  assertEquals([endings, isClosed], [["closed"], false]);
  resolve();
  await closing;
});
