/** One end of a TCP connection. */
export interface Endpoint {
  /** IPv4, dotted. */
  readonly host: string;
  readonly port: number;
}

/** A TCP segment that was captured. */
export interface TcpSegment {
  readonly from: Endpoint;
  readonly to: Endpoint;
  readonly sequence: number;
  readonly isSyn: boolean;
  readonly payload: Uint8Array;
}

const LITTLE_ENDIAN_MAGIC = 0xa1b2c3d4;
const LINKTYPE_ETHERNET = 1;
const FILE_HEADER_BYTES = 24;
const PACKET_HEADER_BYTES = 16;
const ETHERNET_HEADER_BYTES = 14;
const ETHERTYPE_IPV4 = 0x0800;
const ETHERTYPE_ARP = 0x0806;
const TCP = 6;
const SYN = 2;

/**
 * The TCP segments in a capture file (draft-ietf-opsawg-pcap). ARP is passed over.
 *
 * @throws {Error} if it is no such file, or holds anything but TCP over IPv4: nothing else is expected of us.
 */
export function parsePcap(bytes: Uint8Array): TcpSegment[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const link = view.getUint32(20, true);
  if (
    view.getUint32(0, true) !== LITTLE_ENDIAN_MAGIC ||
    link !== LINKTYPE_ETHERNET
  ) throw new Error("This is no capture of an Ethernet");
  const segments: TcpSegment[] = [];
  for (let at = FILE_HEADER_BYTES; at < bytes.length;) {
    const captured = view.getUint32(at + 8, true);
    if (captured !== view.getUint32(at + 12, true)) {
      throw new Error("A packet was not captured whole");
    }
    at += PACKET_HEADER_BYTES;
    const segment = parseFrame(bytes.subarray(at, at + captured));
    if (segment !== undefined) segments.push(segment);
    at += captured;
  }
  return segments;
}

function parseFrame(frame: Uint8Array): TcpSegment | undefined {
  const type = frame[12]! << 8 | frame[13]!;
  if (type === ETHERTYPE_ARP) return undefined;
  const ip = frame.subarray(ETHERNET_HEADER_BYTES);
  const protocol = ip[9];
  if (type !== ETHERTYPE_IPV4 || protocol !== TCP) {
    throw new Error(`Captured: Ethernet type ${type}, protocol ${protocol}`);
  }
  const view = new DataView(ip.buffer, ip.byteOffset, ip.length);
  const tcp = 4 * (ip[0]! & 0x0f);
  const data = tcp + 4 * (ip[tcp + 12]! >> 4);
  return {
    from: { host: hostAt(ip, 12), port: view.getUint16(tcp) },
    to: { host: hostAt(ip, 16), port: view.getUint16(tcp + 2) },
    sequence: view.getUint32(tcp + 4),
    isSyn: (ip[tcp + 13]! & SYN) !== 0,
    // A short frame is filled up behind the packet.
    payload: ip.subarray(data, view.getUint16(2)),
  };
}

function hostAt(ip: Uint8Array, at: number): string {
  return ip.subarray(at, at + 4).join(".");
}
