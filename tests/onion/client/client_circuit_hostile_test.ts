import { assertEquals, assertRejects } from "@std/assert";
import { CELL } from "../../../lib/onion/cell/cell.ts";
import { RELAY } from "../../../lib/onion/cell/message.ts";
import { encodeEnd } from "../../../lib/onion/stream/stream_message.ts";
import { StreamError } from "../../../lib/onion/stream/stream_error.ts";
import { pause, readExactly, until, within } from "../streams.ts";
import { FakeGuard } from "./fake_guard.ts";

const NOTHING = new Uint8Array(0);
const DATA = { command: RELAY.DATA, stream: 1, data: Uint8Array.of(1, 2, 3) };

/** What a guard or an exit must not say to a client. */
const LIES: Readonly<
  Record<string, (guard: FakeGuard) => Promise<void> | void>
> = {
  "data from the guard, as if it were the exit": (guard) => guard.asGuard(DATA),
  "an end from the guard": (guard) =>
    guard.asGuard({ command: RELAY.END, stream: 1, data: encodeEnd("done") }),
  "padding of a circuit from the guard": (guard) =>
    guard.asGuard({ command: RELAY.DROP, stream: 0, data: NOTHING }),
  "a layer with a mark that nobody knows": (guard) => guard.asGuard(DATA, 7),
  "noise as if it were the exit's": (guard) => guard.noise(),
  "noise as a cell": (guard) => guard.cell(CELL.RELAY),
  "a second CREATED": (guard) => guard.cell(CELL.CREATED),
  "a stream that the exit opens": (guard) =>
    guard.asExit({
      command: RELAY.BEGIN,
      stream: 9,
      data: Uint8Array.of(0, 80, 1, 97),
    }),
  "an EXTENDED that nobody has asked for": (guard) =>
    guard.asExit({ command: RELAY.EXTENDED, stream: 0, data: NOTHING }),
  "an EXTEND to the client": (guard) =>
    guard.asExit({ command: RELAY.EXTEND, stream: 0, data: NOTHING }),
  "a command that nobody knows": (guard) =>
    guard.asExit({ command: 250, stream: 0, data: NOTHING }),
  "a SENDME that answers nothing": (guard) =>
    guard.asExit({ command: RELAY.SENDME, stream: 0, data: NOTHING }),
};

/** A stream that the guard, as the exit, has said yes to. */
async function opened(guard: FakeGuard) {
  const opening = guard.circuit.streams.open({ host: "a", port: 80 });
  await guard.asExit({ command: RELAY.CONNECTED, stream: 1, data: NOTHING });
  return await within(20_000, "a stream", opening);
}

for (const [name, lie] of Object.entries(LIES)) {
  Deno.test(`S4.6: ${name} destroys the circuit at the client`, async () => {
    await using guard = await FakeGuard.start();
    const stream = await opened(guard);
    await lie(guard);
    await until(() => guard.circuit.failure !== undefined, "it is destroyed");
    assertEquals(guard.circuit.failure!.reason, "protocol");
    const error = await assertRejects(
      () => stream.read(new Uint8Array(10)),
      StreamError,
    );
    assertEquals(error.reason, "circuit-gone");
    await until(() => guard.raw.reasons.length === 1, "the guard is told");
  });
}

Deno.test("what an exit may say is taken: data, padding, what comes for streams that are closed", async () => {
  await using guard = await FakeGuard.start();
  const stream = await opened(guard);
  await guard.asExit({ command: RELAY.DROP, stream: 0, data: NOTHING });
  await guard.asExit({ ...DATA, stream: 77 });
  await guard.asExit({
    command: RELAY.END,
    stream: 77,
    data: encodeEnd("misc"),
  });
  await guard.asExit({ command: RELAY.SENDME, stream: 77, data: NOTHING });
  await guard.asExit(DATA);
  assertEquals(await readExactly(stream, 3), DATA.data);
  await guard.asExit({
    command: RELAY.END,
    stream: 1,
    data: encodeEnd("done"),
  });
  assertEquals(await stream.read(new Uint8Array(1)), null);
  await pause(1);
  assertEquals(guard.circuit.failure, undefined);
});
