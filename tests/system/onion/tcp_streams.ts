import type { Endpoint, TcpSegment } from "./pcap.ts";

/** What went in one direction of a TCP connection. */
export interface TcpStream {
  readonly from: Endpoint;
  readonly to: Endpoint;
  readonly bytes: Uint8Array;
}

/**
 * Puts the directions of connections together from their segments, whichever order they came in, repeated
 * or overlapping.
 *
 * @throws {Error} if the beginning of a connection, or something in the middle, is not there.
 */
export function tcpStreams(segments: readonly TcpSegment[]): TcpStream[] {
  const byConnection = new Map<string, TcpSegment[]>();
  for (const segment of segments) {
    const key = `${nameOf(segment.from)} to ${nameOf(segment.to)}`;
    const known = byConnection.get(key);
    if (known === undefined) byConnection.set(key, [segment]);
    else known.push(segment);
  }
  return [...byConnection].map(([key, all]) => {
    const { from, to } = all[0]!;
    return { from, to, bytes: assemble(key, all) };
  });
}

function assemble(key: string, segments: readonly TcpSegment[]): Uint8Array {
  const syn = segments.find(({ isSyn }) => isSyn);
  if (syn === undefined) throw new Error(`${key}: not seen from its start`);
  const parts = segments.filter(({ payload }) => payload.length > 0)
    .map(({ sequence, payload }) => ({
      offset: (sequence - syn.sequence - 1) >>> 0,
      payload,
    })).sort((a, b) => a.offset - b.offset);
  const end = parts.reduce(
    (most, { offset, payload }) => Math.max(most, offset + payload.length),
    0,
  );
  const bytes = new Uint8Array(end);
  let whole = 0;
  for (const { offset, payload } of parts) {
    if (offset > whole) throw new Error(`${key}: a gap at ${whole}`);
    bytes.set(payload, offset);
    whole = Math.max(whole, offset + payload.length);
  }
  return bytes;
}

function nameOf({ host, port }: Endpoint): string {
  return `${host}:${port}`;
}
