import { assertEquals, assertThrows } from "@std/assert";
import { parseHostsFile } from "../../../lib/onion/exit/hosts_file.ts";
import { HostsResolver } from "../../../lib/onion/exit/hosts_resolver.ts";
import { MalformedError } from "../../../lib/protocol/mod.ts";
import { FakeResolver } from "./fakes.ts";

Deno.test("hosts file: addresses and their names, in every layout", () => {
  const text = "# a network\n127.0.0.1 localhost\n\n  \t\r\n" +
    "10.7.0.2\tweb.lab www.Web.lab. # the site\r\n" +
    "2001:DB8::0:1 web.lab\n10.7.0.2 web.lab\n::ffff:10.7.0.3 mapped";
  assertEquals(
    parseHostsFile(text),
    new Map([
      ["localhost", ["127.0.0.1"]],
      ["web.lab", ["10.7.0.2", "2001:db8::1"]],
      ["www.web.lab", ["10.7.0.2"]],
      ["mapped", ["10.7.0.3"]],
    ]),
  );
  assertEquals(parseHostsFile(""), new Map());
});

Deno.test("hosts file: what is none is refused, with the line", () => {
  const bad: readonly (readonly [string, string])[] = [
    ["10.7.0.2", "line 1 "],
    ["web.lab 10.7.0.2", "line 1 "],
    ["10.7.0.2 a\n10.7.0 b", "line 2 "],
    ["10.7.0.2 a\n\n# x\n127.1 b", "line 4 "],
    ["fe80::1%lo0 localhost", "line 1 "],
    ["10.7.0.2 a_b c/d", "line 1 "],
    ["10.7.0.2 10.7.0.3", "line 1 "],
    ["10.7.0.2 x.onion", "line 1 "],
  ];
  for (const [text, line] of bad) {
    assertThrows(() => parseHostsFile(text), MalformedError, line);
  }
  parseHostsFile("#".repeat(1 << 20));
  assertThrows(
    () => parseHostsFile("#".repeat((1 << 20) + 1)),
    MalformedError,
    "characters",
  );
});

Deno.test("hosts file: what is not in it is asked elsewhere", async () => {
  const next = new FakeResolver({
    "example.org": [["8.8.8.8"]],
    "9.9.9.9": [["nine.example"]],
  });
  const hosts = parseHostsFile("10.7.0.2 web.lab www.lab\n8.8.8.8 other");
  const resolver = new HostsResolver(hosts, next);
  const { signal } = new AbortController();
  assertEquals(await resolver.addresses("web.lab", signal), ["10.7.0.2"]);
  assertEquals(await resolver.names("10.7.0.2", signal), [
    "web.lab",
    "www.lab",
  ]);
  assertEquals(next.asked, []);
  assertEquals(await resolver.addresses("example.org", signal), ["8.8.8.8"]);
  assertEquals(await resolver.names("9.9.9.9", signal), ["nine.example"]);
  assertEquals(next.asked, ["example.org", "9.9.9.9"]);
});
