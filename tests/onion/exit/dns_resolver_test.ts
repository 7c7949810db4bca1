import { assert, assertEquals, assertRejects } from "@std/assert";
import { DnsResolver } from "../../../lib/onion/exit/dns_resolver.ts";

type Answers = Readonly<Record<string, readonly string[] | Error>>;

/** Replaces the system's resolver by one that answers from `answers`, by "TYPE NAME". */
function fakeDns(answers: Answers): Disposable & { readonly asked: string[] } {
  const real = Deno.resolveDns;
  const asked: string[] = [];
  const fake = (
    name: string,
    type: string,
    { signal }: { signal: AbortSignal },
  ) => {
    assert(signal instanceof AbortSignal);
    asked.push(`${type} ${name}`);
    const answer = answers[`${type} ${name}`] ??
      new Deno.errors.NotFound("no records");
    return answer instanceof Error
      ? Promise.reject(answer)
      : Promise.resolve(answer);
  };
  Deno.resolveDns = fake as unknown as typeof Deno.resolveDns;
  return {
    asked,
    [Symbol.dispose]() {
      Deno.resolveDns = real;
    },
  };
}

const { signal } = new AbortController();

Deno.test("DNS resolver: A and AAAA of the whole name, never of one in the system's own domains", async () => {
  using dns = fakeDns({
    "A example.org.": ["8.8.8.8", "8.8.4.4"],
    "AAAA example.org.": ["2606::1"],
  });
  assertEquals(await new DnsResolver().addresses("example.org", signal), [
    "8.8.8.8",
    "8.8.4.4",
    "2606::1",
  ]);
  assertEquals(dns.asked, ["A example.org.", "AAAA example.org."]);
});

Deno.test("DNS resolver: one kind of address is enough, none is no error, a failure is", async () => {
  const broken = new Error("SERVFAIL");
  const resolver = new DnsResolver();
  using _dns = fakeDns({
    "A four.example.": ["8.8.8.8"],
    "AAAA six.example.": ["2606::1"],
    "A half.example.": broken,
    "AAAA half.example.": ["2606::2"],
    "A broken.example.": broken,
  });
  assertEquals(await resolver.addresses("four.example", signal), ["8.8.8.8"]);
  assertEquals(await resolver.addresses("six.example", signal), ["2606::1"]);
  assertEquals(await resolver.addresses("half.example", signal), ["2606::2"]);
  assertEquals(await resolver.addresses("none.example", signal), []);
  await assertRejects(
    () => resolver.addresses("broken.example", signal),
    Error,
    "SERVFAIL",
  );
});

Deno.test("DNS resolver: the names of an address are asked for in the tree of addresses", async () => {
  // The second is the example of RFC 3596 §2.5.
  using dns = fakeDns({
    "PTR 4.3.2.1.in-addr.arpa.": ["one.example."],
    "PTR b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.0.0.0.0.1.2.3.4.ip6.arpa.":
      ["two.example."],
  });
  const resolver = new DnsResolver();
  assertEquals(await resolver.names("1.2.3.4", signal), ["one.example."]);
  assertEquals(await resolver.names("4321:0:1:2:3:4:567:89ab", signal), [
    "two.example.",
  ]);
  assertEquals(await resolver.names("1.2.3.5", signal), []);
  assertEquals(dns.asked.length, 3);
});
