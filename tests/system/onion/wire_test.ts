import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { concat, MalformedError } from "../../../lib/protocol/mod.ts";
import type { Bytes } from "../../../lib/protocol/mod.ts";
import { parsePcap } from "./pcap.ts";
import type { TcpSegment } from "./pcap.ts";
import { tcpStreams } from "./tcp_streams.ts";
import { HELLO } from "../../../lib/protocol/channel/greeting.ts";
import { CommandWriter } from "../../../lib/protocol/risp/command_writer.ts";
import { wireRecords } from "./wire_records.ts";

// What the captures are read with: one that saw too little would find nothing wrong.

const HERE = { host: "10.0.0.1", port: 1_000 };
const THERE = { host: "10.0.0.2", port: 2_000 };
const START = 0xffff_fff0;

/** A segment from here to there; `at` counts from the first byte of the stream. */
function segment(at: number, text: string): TcpSegment {
  return {
    from: HERE,
    to: THERE,
    sequence: (START + 1 + at) >>> 0,
    isSyn: false,
    payload: new TextEncoder().encode(text),
  };
}

const SYN: TcpSegment = { ...segment(-1, ""), isSyn: true };

Deno.test("captures: streams are put together from segments in any order, repeated, overlapping, past 2^32", () => {
  const parts = [
    segment(20, "uvwxyz"),
    segment(0, "abcdefghij"),
    SYN,
    segment(5, "fghijklmnopqrst"),
    segment(0, "abc"),
  ];
  const [stream, ...others] = tcpStreams(parts);
  assertEquals(others, []);
  assertEquals([stream!.from, stream!.to], [HERE, THERE]);
  const text = new TextDecoder().decode(stream!.bytes);
  assertEquals(text, "abcdefghijklmnopqrstuvwxyz");
});

Deno.test("captures: a stream with a gap or without its beginning is none", () => {
  const [first, third] = [segment(0, "abc"), segment(4, "efg")];
  assertThrows(() => tcpStreams([SYN, first, third]), Error, "a gap at 3");
  assertThrows(() => tcpStreams([first]), Error, "from its start");
});

Deno.test("captures: a file is read packet by packet, and one with anything but TCP is refused", () => {
  const [segment] = parsePcap(capture(packet(6, "hello")));
  assertEquals(segment, {
    from: { host: "10.0.0.1", port: 1_000 },
    to: { host: "10.0.0.2", port: 2_000 },
    sequence: 7,
    isSyn: true,
    payload: new TextEncoder().encode("hello"),
  });
  const udp = capture(packet(17, "hello"));
  assertThrows(() => parsePcap(udp), Error, "protocol 17");
  const short = capture(packet(6, "hello"));
  new DataView(short.buffer).setUint32(24 + 12, 1_000, true);
  assertThrows(() => parsePcap(short), Error, "not captured whole");
});

Deno.test("captures: records are told apart by size and seal, whole ones from the last; what is none is refused", async () => {
  const records = concat(
    record(100, false),
    record(1_536, true),
    record(65_536, true),
    record(1_536, true),
  );
  const sent = concat(greeting(), records);
  assertEquals(await wireRecords(sent), {
    sealed: 1,
    bare: new Map([[1_536, 2], [65_536, 1]]),
    unfinished: 0,
  });
  const cut = await wireRecords(sent.subarray(0, -1));
  assertEquals(cut.bare, new Map([[1_536, 1], [65_536, 1]]));
  assertEquals(cut.unfinished, 4 + 1_535);
  for (const wrong of [record(15, false), record(65_537, true)]) {
    await assertRejects(
      () => wireRecords(concat(sent, wrong)),
      MalformedError,
    );
  }
});

function record(length: number, isBare: boolean): Bytes {
  const bytes = new Uint8Array(4 + length);
  const word = isBare ? 0x8000_0000 + length : length;
  new DataView(bytes.buffer).setUint32(0, word);
  return bytes;
}

/** HELLO without a handshake: enough to tell where records begin. */
function greeting(): Bytes {
  return new CommandWriter(16).verb(HELLO).done();
}

/** An Ethernet frame, 40 bytes of headers of IPv4 and TCP (a SYN), and what they carry. */
function packet(protocol: number, text: string): Bytes {
  const payload = new TextEncoder().encode(text);
  const frame = new Uint8Array(14 + 40 + payload.length + 2);
  const view = new DataView(frame.buffer);
  view.setUint16(12, 0x0800);
  view.setUint8(14, 0x45);
  view.setUint16(16, 40 + payload.length);
  view.setUint8(14 + 9, protocol);
  frame.set([10, 0, 0, 1, 10, 0, 0, 2], 14 + 12);
  view.setUint16(34, 1_000);
  view.setUint16(36, 2_000);
  view.setUint32(38, 7);
  view.setUint8(34 + 12, 5 << 4);
  view.setUint8(34 + 13, 2);
  frame.set(payload, 54);
  return frame;
}

/** A capture file with one packet. */
function capture(frame: Bytes): Bytes {
  const head = new Uint8Array(24 + 16);
  const view = new DataView(head.buffer);
  view.setUint32(0, 0xa1b2c3d4, true);
  view.setUint32(20, 1, true);
  view.setUint32(24 + 8, frame.length, true);
  view.setUint32(24 + 12, frame.length, true);
  return concat(head, frame);
}
