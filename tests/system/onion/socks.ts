import { concat, utf8, writeAll } from "../../../lib/protocol/mod.ts";
import type { Bytes, ByteStream } from "../../../lib/protocol/mod.ts";

/** What a SOCKS proxy has answered. */
export interface SocksAnswer {
  /** REP of RFC 1928 §6; 0 for success. */
  readonly code: number;
  readonly connection: Deno.TcpConn;
}

const [NO_LOGIN, LOGIN] = [0, 2];
const [IPV4, NAME, IPV6] = [1, 3, 4];
const ADDRESS_BYTES: Readonly<Record<number, number>> = {
  [IPV4]: 4,
  [IPV6]: 16,
};

/** Asks the proxy at `HOST:PORT` for a connection to `host`, a name or the bytes of an IP address. */
export async function askSocks(
  proxy: string,
  host: string | Bytes,
  port: number,
  user?: string,
): Promise<SocksAnswer> {
  const [hostname = "", proxyPort] = proxy.split(":");
  const connection = await Deno.connect({
    hostname,
    port: Number(proxyPort),
  });
  try {
    const method = user === undefined ? NO_LOGIN : LOGIN;
    await writeAll(connection, new Uint8Array([5, 1, method]));
    await expect(connection, [5, method]);
    if (user !== undefined) {
      const login = [1, user.length, ...utf8(user), 1, 120];
      await writeAll(connection, new Uint8Array(login));
      await expect(connection, [1, 0]);
    }
    await writeAll(
      connection,
      concat(
        new Uint8Array([5, 1, 0]),
        addressOf(host),
        new Uint8Array([port >> 8, port]),
      ),
    );
    const [, code = 0, , type = 0] = await readExactly(connection, 4);
    await readExactly(connection, ADDRESS_BYTES[type]! + 2);
    return { code, connection };
  } catch (error) {
    connection.close();
    throw error;
  }
}

/** ATYP and DST.ADDR. */
function addressOf(host: string | Bytes): Bytes {
  if (typeof host === "string") {
    return concat(new Uint8Array([NAME, host.length]), utf8(host));
  }
  return concat(new Uint8Array([host.length === 4 ? IPV4 : IPV6]), host);
}

async function expect(
  stream: ByteStream,
  bytes: readonly number[],
): Promise<void> {
  const came = await readExactly(stream, bytes.length);
  if (came.some((byte, i) => byte !== bytes[i])) {
    throw new Error(`The proxy has answered ${[...came]}`);
  }
}

/** The next `length` bytes. @throws {Error} if the stream ends before. */
export async function readExactly(
  stream: ByteStream,
  length: number,
): Promise<Bytes> {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length;) {
    const count = await stream.read(bytes.subarray(at));
    if (count === null) throw new Error(`It ended after ${at} bytes`);
    at += count;
  }
  return bytes;
}
