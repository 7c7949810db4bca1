import { assert, assertEquals } from "@std/assert";
import { BODY_BYTES } from "../../../lib/onion/cell/cell.ts";
import { peersOf, tcpdumpMissing } from "./capture.ts";
import type { Captured } from "./capture.ts";
import type { Browsed } from "./children/browse.ts";
import { MARKER } from "./children/destination.ts";
import { curl, curlMissing } from "./curl.ts";
import { sumOfFile } from "./destination.ts";
import { Field, fieldMissing, SITE } from "./field.ts";
import type { FieldName } from "./field.ts";
import { missingProgram, testUnless } from "./test_unless.ts";
import { startChild } from "./node_process.ts";
import { tcpStreams } from "./tcp_streams.ts";
import { wireRecords } from "./wire_records.ts";

const MIB = 1_048_576;
const chromiumMissing = await missingProgram("chromium");
const RELAYS: readonly FieldName[] = ["relay-a", "relay-b", "relay-c"];

testUnless(
  fieldMissing ?? curlMissing,
  "S4.2, S4.5, S4.7: relays learn their addresses, and curl loads 20 MiB up and down through three relays in network namespaces, by SOCKS5, HTTP and HTTPS",
  async () => {
    await using field = await Field.raise(20 * MIB);
    const { network, destination } = field;
    // Nobody told the relays: they listen everywhere.
    const listed = (await network.shownRelays()).map(({ address }) => address);
    assertEquals(listed.toSorted(), network.relayAddresses.toSorted());
    const { address } = await network.proxy();
    // Otherwise the name, or the destination itself, could have been reached past the relays.
    const direct = await curl(network.client, [`http://${SITE}/page`]);
    assertEquals(direct.code, 6, "the client itself resolves names");
    const site = field.machine("site").host;
    const straight = await curl(network.client, [`http://${site}/page`]);
    assertEquals(straight.code, 7, "the client itself reaches the destination");
    const ways: readonly (readonly [string, readonly string[]])[] = [
      ["http", ["--socks5-hostname", address]],
      ["http", ["--proxy", `http://${address}`]],
      ["https", ["--insecure", "--socks5-hostname", address]],
      ["https", ["--insecure", "--proxy", `http://${address}`]],
    ];
    for (const [scheme, way] of ways) {
      const at = `${scheme}://${SITE}`;
      const path = `${network.directory}/downloaded`;
      const down = await curl(network.client, [
        ...[...way, "--fail", "--output", path, `${at}/file`],
      ]);
      assertEquals(down, { code: 0, stdout: "", stderr: "" });
      assertEquals(await sumOfFile(path), destination.sum);
      const up = await curl(network.client, [
        ...[...way, "--fail", "--data-binary", `@${destination.file}`],
        `${at}/sum`,
      ]);
      assertEquals(up, { code: 0, stdout: destination.sum, stderr: "" });
    }
    const from = new Set(destination.requests.map(({ from }) => from));
    const exits = new Set(RELAYS.map((name) => field.machine(name).host));
    assertEquals(destination.requests.length, 2 * ways.length);
    assert(from.isSubsetOf(exits), `they came from ${[...from]}`);
  },
);

testUnless(
  fieldMissing ?? tcpdumpMissing ?? chromiumMissing,
  "S4.5, S4.7: Chromium loads a page with a picture and a script, uploads and downloads, and speaks to nobody but its guard and the controller",
  async () => {
    await using field = await Field.raise(5 * MIB, ["client"]);
    const { network, destination } = field;
    const { address } = await network.proxy();
    const child = await startChild(network.client, "browse", [
      ...[`socks5://${address}`, `http://${SITE}/page`],
      ...[destination.file, network.directory],
    ]);
    const { code, stdout, stderr } = await child.ending();
    assertEquals(code, 0, new TextDecoder().decode(stderr));
    const seen: Browsed = JSON.parse(new TextDecoder().decode(stdout));
    assertEquals(seen.title, MARKER);
    assertEquals(seen.said, "the script ran");
    assertEquals(seen.width, 1);
    assertEquals(seen.sum, destination.sum);
    assertEquals(await sumOfFile(seen.downloaded), destination.sum);
    // A browser asks for several things at once, and may need more than one circuit.
    const guards = new Set((await field.usedPaths()).map(([guard]) => guard));
    assertEquals(guards.size, 1);
    const [guard] = guards;
    assertEquals(
      peersOf(await field.captured("client"), field.machine("client")),
      [field.machine("controller").host, field.machine(guard!).host].sort(),
    );
  },
);

testUnless(
  fieldMissing ?? curlMissing ?? tcpdumpMissing,
  "S4.3, S4.5, S4.6: captures at every relay show no relay both ends, no plaintext before the exit, and cells of two sizes",
  async () => {
    const watched: readonly FieldName[] = ["client", ...RELAYS];
    await using field = await Field.raise(4 * MIB, watched);
    const { network, destination } = field;
    const { address } = await network.proxy();
    const way = ["--fail", "--socks5-hostname", address];
    const site = `http://${SITE}`;
    const page = await curl(network.client, [...way, `${site}/page`]);
    assert(page.stdout.includes(MARKER), page.stderr);
    const file = `${network.directory}/downloaded`;
    const down = [...way, "--output", file, `${site}/file`];
    assertEquals((await curl(network.client, down)).code, 0);
    assertEquals(await sumOfFile(file), destination.sum);
    const up = ["--data-binary", `@${destination.file}`, `${site}/sum`];
    const { stdout } = await curl(network.client, [...way, ...up]);
    assertEquals(stdout, destination.sum);

    const [path, ...others] = await field.usedPaths();
    assertEquals(others, []);
    const [guard, middle, exit] = path as [FieldName, FieldName, FieldName];
    const captures = new Map<FieldName, Captured>();
    for (const name of watched) {
      captures.set(name, await field.captured(name));
    }
    const peers = (name: FieldName, except?: FieldName) =>
      peersOf(captures.get(name)!, field.machine(name))
        .map((host) => field.at(host)).filter((each) => each !== except)
        .sort();
    assertEquals(peers("client"), ["controller", guard].sort());
    // With three relays, a circuit that is kept ready may lead from the guard to the exit.
    assertEquals(peers(guard, exit), ["client", "controller", middle]);
    assertEquals(peers(middle), ["controller", exit, guard].sort());
    assertEquals(peers(exit, guard), ["controller", middle, "site"]);

    for (const word of [MARKER, SITE]) {
      const holds = watched.filter((name) =>
        contains(captures.get(name)!.bytes, word)
      );
      assertEquals(holds, [exit], `who sees ${word}`);
    }

    const links = new Map<string, Set<number>>();
    for (const name of watched) {
      for (const stream of tcpStreams(captures.get(name)!.segments)) {
        const ends = [stream.from, stream.to].map(({ host }) => field.at(host));
        // What the controller says is no cells, and what the site says is for everybody to read.
        if (ends.includes("site") || ends.includes("controller")) continue;
        const { bare } = await wireRecords(stream.bytes);
        const sizes = [...bare.keys()];
        assertEquals(
          sizes.filter((each) => !BODY_BYTES.some((size) => size === each)),
          [],
          `${ends.join(" to ")} sees bodies of other sizes`,
        );
        const link = `${name}: ${ends.join(" to ")}`;
        const known = links.get(link) ?? new Set();
        links.set(link, new Set([...known, ...sizes]));
      }
    }
    // What both ends and both directions of every hop of the circuit have seen.
    const stations = ["client", guard, middle, exit] as const;
    for (const [i, near] of stations.slice(0, -1).entries()) {
      const far = stations[i + 1]!;
      for (const observer of [near, far]) {
        for (const way of [`${near} to ${far}`, `${far} to ${near}`]) {
          assertEquals(
            [...links.get(`${observer}: ${way}`) ?? []].sort((a, b) => a - b),
            [...BODY_BYTES],
            `${observer} sees ${way}`,
          );
        }
      }
    }
  },
);

function contains(bytes: Uint8Array, word: string): boolean {
  const latin1 = new TextDecoder("latin1");
  const step = 1 << 24;
  for (let at = 0; at < bytes.length; at += step) {
    const part = bytes.subarray(at, at + step + word.length);
    if (latin1.decode(part).includes(word)) return true;
  }
  return false;
}
