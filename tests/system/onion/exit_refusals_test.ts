import { assertEquals } from "@std/assert";
import { quietPort } from "../../../tools/quiet_port.ts";
import { curl, curlMissing } from "./curl.ts";
import { Destination } from "./destination.ts";
import { loopback } from "./machine.ts";
import { allOn, OnionNetwork } from "./onion_network.ts";
import { askSocks } from "./socks.ts";
import { testUnless } from "./test_unless.ts";

const HERE = loopback();
/** Which code of SOCKS (RFC 1928 §6) and which status of HTTP says what. */
const NOT_ALLOWED: Refusal = { code: 2, status: "403" };
/** Of a name it is not told what else it stands for. */
const UNKNOWN_NAME: Refusal = { code: 4, status: "502" };

interface Refusal {
  readonly code: number;
  readonly status: string;
}

/** What no exit is to reach unless it is told to, in the ways in which it can be written. */
const ADDRESSES: readonly string[] = [
  // There the destination waits for somebody to come through.
  ...[HERE.host, `::ffff:${HERE.host}`, `64:ff9b::${HERE.host}`],
  ...["127.0.0.1", "127.1.2.3", "0.0.0.0", "10.0.0.1", "172.16.0.1"],
  ...["192.168.0.1", "100.64.0.1", "169.254.169.254", "224.0.0.1"],
  ...["::1", "::", "::ffff:127.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1"],
  ...["fe80::1", "fc00::1", "ff02::1", "fd00:ec2::254"],
];

testUnless(
  curlMissing,
  "S4.5: an exit reaches no private address, by number or by name, and says so in the words of SOCKS and HTTP",
  async () => {
    const port = quietPort();
    await using destination = await Destination.start(HERE, port, 1_000);
    const hosts = await Deno.makeTempFile({ prefix: "sotto-hosts-" });
    try {
      const lines = ADDRESSES.map((each, i) => `${each} name-${i}.test\n`);
      await Deno.writeTextFile(hosts, lines.join(""));
      const args = ["--exit", "accept *:*", "--hosts", hosts];
      await using network = await OnionNetwork.raise(allOn(HERE, 3, args));
      const proxy = await network.proxy();
      for (const [i, address] of ADDRESSES.entries()) {
        const ways = [
          [address, NOT_ALLOWED],
          [`name-${i}.test`, UNKNOWN_NAME],
        ] as const;
        for (const [host, expected] of ways) {
          const { code, connection } = await askSocks(
            proxy.address,
            host,
            port,
          );
          connection.close();
          assertEquals(code, expected.code, `SOCKS: ${host}`);
          const written = host.includes(":") ? `[${host}]` : host;
          const url = `http://${written}:${port}/file`;
          const way = ["--proxy", `http://${proxy.address}`];
          const status = ["--output", "/dev/null", "--write-out"];
          const plain = await curl(HERE, [
            ...[...way, ...status, "%{http_code}", url],
          ]);
          assertEquals(plain.stdout, expected.status, `HTTP: ${host}`);
          const tunnel = await curl(HERE, [
            ...[...way, "--proxytunnel", ...status, "%{http_connect}", url],
          ]);
          assertEquals(tunnel.stdout, expected.status, `CONNECT: ${host}`);
        }
      }
      assertEquals(destination.requests, [], "somebody came through");
    } finally {
      await Deno.remove(hosts);
    }
  },
);
