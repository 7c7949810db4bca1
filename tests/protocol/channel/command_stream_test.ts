import { assertEquals, assertRejects } from "@std/assert";
import { concat } from "../../../lib/protocol/bytes/bytes.ts";
import { MalformedError } from "../../../lib/protocol/bytes/malformed_error.ts";
import {
  CommandStream,
  GREETING_BUDGET,
} from "../../../lib/protocol/channel/command_stream.ts";
import {
  HANDSHAKE,
  HELLO,
  HELO,
  OLEH,
} from "../../../lib/protocol/channel/greeting.ts";
import { CommandWriter } from "../../../lib/protocol/risp/command_writer.ts";
import { memoryConnection } from "../../support/memory_stream.ts";
import { rejectsWith } from "./pair.ts";

const helo = new CommandWriter().verb(HELO).done();

Deno.test("CommandStream: commands in the clear, byte by byte, and what comes behind them", async () => {
  const { left, right } = memoryConnection({ rightward: { readAtMost: 1 } });
  const stream = new CommandStream(right);
  const hello = new CommandWriter().set(HANDSHAKE, new Uint8Array(50))
    .verb(HELLO).done();
  await left.write(concat(helo, hello));
  assertEquals((await stream.next())!.verb, HELO);
  assertEquals((await stream.next())!.need(HANDSHAKE).length, 50);
  assertEquals(stream.remainder().length, 0);

  const other = memoryConnection();
  const whole = new CommandStream(other.right);
  await other.left.write(concat(helo, new Uint8Array([1, 2, 3])));
  assertEquals((await whole.next())!.verb, HELO);
  assertEquals(whole.remainder(), new Uint8Array([1, 2, 3]));
});

Deno.test("CommandStream: the end of the other side is undefined, also inside a command", async () => {
  const { left, right } = memoryConnection();
  await left.write(helo.subarray(0, 1));
  left.close();
  assertEquals(await new CommandStream(right).next(), undefined);
});

Deno.test("CommandStream: what is sent reaches the other side whole, a byte at a time", async () => {
  const { left, right } = memoryConnection({ rightward: { writeAtMost: 1 } });
  await new CommandStream(left).send(
    new CommandWriter().verb(HELO).verb(OLEH).done(),
  );
  const stream = new CommandStream(right);
  assertEquals((await stream.next())!.verb, HELO);
  assertEquals((await stream.next())!.verb, OLEH);
});

Deno.test("S2.2: CommandStream: a greeting is at most 64 KiB, known or not", async () => {
  for (const command of ["7000", "7fff", "0fff00"]) {
    const { left, right } = memoryConnection({
      rightward: { capacity: 200_000 },
    });
    const one = Uint8Array.fromHex(command);
    const count = Math.floor((GREETING_BUDGET + 4_096) / one.length);
    await left.write(concat(...Array.from({ length: count }, () => one)));
    const stream = new CommandStream(right);
    let taken = 0;
    const error = await (async () => {
      for (;;) {
        await stream.next();
        taken++;
      }
    })().catch((error) => error);
    if (!(error instanceof MalformedError)) {
      await rejectsWith(Promise.reject(error), "ERR_CHANNEL_VIOLATION");
    }
    assertEquals(taken * one.length <= GREETING_BUDGET, true);
  }
});

Deno.test("CommandStream: a field longer than any handshake message is malformed before it has come", async () => {
  const { left, right } = memoryConnection();
  await left.write(Uint8Array.fromHex("9001" + "2001"));
  await assertRejects(() => new CommandStream(right).next(), MalformedError);
});
