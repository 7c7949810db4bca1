import { assert, assertEquals } from "@std/assert";
import { Registry } from "../../../lib/directory/controller/registry.ts";
import type { RegistryRules } from "../../../lib/directory/controller/registry.ts";
import type { DescriptorFields } from "../../../lib/directory/mod.ts";
import { freshNodeKeyring } from "../../support/keyrings.ts";
import { NOW, relay } from "../relays.ts";

const RULES: RegistryRules = {
  perAddress: 2,
  anyOnLoopback: true,
  forgetAfter: 90_000,
  guardAfter: 3_600_000,
};
const T = NOW * 1_000;

const at = (host: string): Partial<DescriptorFields> => ({
  address: { host, port: 7607 },
});

Deno.test("S4.2: of two descriptors of one relay the newer counts, wherever it comes from", async () => {
  const registry = new Registry(RULES);
  const keyring = await freshNodeKeyring();
  const first = await relay(at("192.0.2.1"), keyring);
  const newer = await relay(
    { ...at("192.0.2.9"), publishedAt: NOW + 1 },
    keyring,
  );
  const twin = await relay(at("192.0.2.7"), keyring);
  assertEquals(registry.refusal(first, T), undefined);
  registry.list(first, "a", T);
  const version = registry.version;
  assertEquals(registry.refusal(first, T), undefined);
  registry.list(first, "b", T);
  assertEquals(registry.version, version, "nothing has changed");
  assertEquals(registry.refusal(twin, T), "stale");
  assertEquals(registry.refusal(newer, T), undefined);
  registry.list(newer, "c", T);
  assert(registry.version > version);
  assertEquals(registry.refusal(first, T), "stale");
  assertEquals(registry.size, 1);
  assertEquals(registry.find(keyring.certificate.fingerprint), newer);
});

Deno.test("S4.2: a sign of life counts from the connection that listed the relay", async () => {
  const registry = new Registry(RULES);
  const one = await relay();
  const { fingerprint } = one.identity;
  assertEquals(registry.alive(fingerprint, undefined, T), false);
  registry.list(one, "a", T);
  registry.list(one, "b", T);
  assertEquals(registry.alive(fingerprint, "a", T), false);
  assertEquals(registry.remove(fingerprint, "a"), false);
  assert(registry.alive(fingerprint, "b", T + 60_000));
  assertEquals(registry.expire(T + 149_999), []);
  assertEquals(registry.expire(T + 150_000), [one]);
  assertEquals(registry.size, 0);
});

Deno.test("relays at one address are limited, and loopback is not when it is allowed", async () => {
  const registry = new Registry(RULES);
  const hosts = ["192.0.2.1", "192.0.2.1", "2001:db8::1", "2001:db8::2"];
  for (const host of hosts) {
    const each = await relay(at(host));
    assertEquals(registry.refusal(each, T), undefined);
    registry.list(each, 1, T);
  }
  assertEquals(registry.refusal(await relay(at("192.0.2.1")), T), "too-many");
  assertEquals(registry.refusal(await relay(at("2001:db8::3")), T), "too-many");
  assertEquals(
    registry.refusal(await relay(at("2001:db8:0:1::3")), T),
    undefined,
  );
  for (let i = 0; i < 5; i++) {
    const each = await relay(at(i < 3 ? "127.0.0.1" : "::1"));
    assertEquals(registry.refusal(each, T), undefined);
    registry.list(each, 1, T);
  }
  const strict = new Registry({ ...RULES, anyOnLoopback: false });
  for (let i = 0; i < 2; i++) strict.list(await relay(at("127.0.0.1")), 1, T);
  assertEquals(strict.refusal(await relay(at("127.0.0.1")), T), "too-many");
});

Deno.test("a descriptor from the future is refused: of two the later would count for ever", async () => {
  const registry = new Registry(RULES);
  assertEquals(
    registry.refusal(await relay({ publishedAt: NOW + 300 }), T),
    undefined,
  );
  assertEquals(
    registry.refusal(await relay({ publishedAt: NOW + 301 }), T),
    "clock",
  );
});

Deno.test("guards are known for long, in the head before, or all in a small network", async () => {
  const known = await relay();
  const registry = new Registry(
    RULES,
    new Set([known.identity.fingerprint.toHex()]),
  );
  const guards = (now: number) =>
    registry.candidates(now).filter(({ guard }) => guard).length;
  registry.list(known, 1, T);
  for (let i = 0; i < 18; i++) registry.list(await relay(), 1, T);
  assertEquals(guards(T), 19);
  registry.list(await relay(), 1, T);
  assertEquals(guards(T), 1);
  assertEquals(guards(T + 3_600_000), 20);
});

Deno.test("relays are looked at again in their turn, those of before a restart at once", async () => {
  const registry = new Registry(RULES);
  const [one, two] = [await relay(), await relay()];
  registry.list(one, 1, T);
  registry.restore(two, T);
  assertEquals(registry.due(600_000, 8, T), [two]);
  assertEquals(registry.due(600_000, 8, T), []);
  assertEquals(registry.due(600_000, 1, T + 600_000).length, 1);
  assertEquals(registry.due(600_000, 8, T + 600_000).length, 1);
});
