import { assert, assertEquals } from "@std/assert";
import { connectToEntry } from "../../../lib/lab/crowd/connect_to_entry.ts";
import { MixClient } from "../../../lib/mix/client/mix_client.ts";
import type { MixClientEvent } from "../../../lib/mix/client/mix_client_event.ts";
import { PrivateLine } from "../../../lib/mix/line/private_line.ts";
import type { RoundKind } from "../../../lib/mix/round.ts";
import { concat } from "../../../lib/protocol/mod.ts";
import type { Bytes } from "../../../lib/protocol/mod.ts";
import { roundsNetwork } from "../../lab/crowd/rounds_network.ts";
import type { RoundsNetwork } from "../../lab/crowd/rounds_network.ts";
import { testKeyring } from "../../support/keyrings.ts";
import type { Keyring } from "../../../lib/identity/mod.ts";
import { TcpProxy } from "../tcp_proxy.ts";

const PERIOD = 400;
const DIALING = 1_200;
/** Exchange rounds that are compared, at least. */
const ROUNDS = 21;
const DIRECTIONS = ["up", "down"] as const;

/** A client behind somebody who sees every byte between it and the entry. */
class Watched implements AsyncDisposable {
  readonly client: MixClient;
  readonly line: PrivateLine;
  readonly events: MixClientEvent[] = [];
  readonly #proxy: TcpProxy;
  readonly #seen: Record<"up" | "down", Bytes[]> = { up: [], down: [] };

  constructor(
    { server, mixes }: RoundsNetwork,
    keyring: Keyring,
    contacts: readonly Keyring[],
  ) {
    this.#proxy = new TcpProxy(server.listener.port, () => ({
      look: (bytes, direction) => {
        this.#seen[direction].push(bytes.slice());
        return bytes.length;
      },
    }));
    const [{ certificate: entry }] = mixes as [RoundsNetwork["mixes"][0]];
    this.line = new PrivateLine({
      keyring,
      contacts: () =>
        Promise.resolve(contacts.map(({ certificate }) => certificate)),
      now: Date.now,
      onEvent: () => {},
    });
    this.client = new MixClient({
      connect: () =>
        connectToEntry(
          { hostname: "127.0.0.1", port: this.#proxy.port },
          entry,
        ),
      identityOf: (fingerprint) =>
        mixes.map(({ certificate }) => certificate).find((each) =>
          each.fingerprint.toHex() === fingerprint.toHex()
        ),
      policy: { coordinator: entry.fingerprint, leastMixes: mixes.length },
      exchange: this.line,
      dial: this.line,
      onEvent: (event) => this.events.push(event),
    });
    this.client.start();
  }

  /** Rounds of both kinds that have started since then, and how they ended. */
  ended(since: number): { kind: RoundKind; start: number; outcome: string }[] {
    return this.events.flatMap((event) =>
      event.type === "round" && event.round.start >= since
        ? [{ ...event.round, outcome: event.outcome }]
        : []
    );
  }

  /** Lengths of the records that have gone in a direction since this was asked last, by size. */
  lengths(direction: "up" | "down"): number[] {
    const bytes = concat(...this.#seen[direction].splice(0));
    const view = new DataView(bytes.buffer);
    const lengths: number[] = [];
    for (let at = 0; at < bytes.length; at += lengths.at(-1)!) {
      lengths.push(4 + (view.getUint32(at) & 0x7fff_ffff));
    }
    return lengths.toSorted((a, b) => a - b);
  }

  /** What has gone until now is not looked at. */
  forget(): void {
    for (const direction of DIRECTIONS) this.#seen[direction] = [];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.client.close();
    await this.#proxy[Symbol.asyncDispose]();
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Just before rounds of both kinds start, all others being over. */
async function lull(): Promise<number> {
  const next = (Math.floor(Date.now() / DIALING + 0.1) + 1) * DIALING;
  await sleep(next - 15 - Date.now());
  return next;
}

Deno.test("S3.5, S3.6: on the connection an idle client and one that calls and talks send and get as many records and bytes in every round", async () => {
  await using network = await roundsNetwork(2, {
    exchange: { period: PERIOD, count: 30 },
    dialing: { period: DIALING, count: 10, buckets: 1 },
  });
  const keyrings = await Promise.all(
    ["alice", "bob", "carol"].map((name) => testKeyring(`${name}@test`)),
  ) as [Keyring, Keyring, Keyring];
  const [a, b, c] = keyrings;
  await using talking = new Watched(network, a, [b]);
  await using other = new Watched(network, b, [a]);
  await using idle = new Watched(network, c, [a, b]);
  const watched = [talking, idle];
  while (watched.some(({ client }) => client.status.exchange.done < 2)) {
    await sleep(20);
  }
  let compared = 0;
  let since: number | undefined;
  let texts = 0;
  for (let look = 0; compared < ROUNDS; look++) {
    assert(look < 50, `only ${compared} rounds in time`);
    const now = await lull();
    const from = since ?? now - DIALING;
    const rounds = (now - from) / DIALING * (1 + DIALING / PERIOD);
    const ended = watched.map((each) => each.ended(from));
    // A machine that is busy may be late with something: it is in the next look.
    if (ended.some(({ length }) => length !== rounds)) continue;
    const isWell = ended.flat().every(({ outcome }) => outcome === "done");
    if (isWell && since !== undefined) {
      for (const direction of DIRECTIONS) {
        const [busy, quiet] = watched.map((each) => each.lengths(direction));
        assertEquals(busy, quiet, direction);
        assert(quiet!.length > 0);
      }
      compared += (now - since) / PERIOD;
    }
    for (const each of watched) each.forget();
    since = now;
    // The call, too, is among what is compared.
    if (other.line.ringing.length > 0) other.line.accept(a.certificate.address);
    const [talk] = talking.line.conversations;
    if (talk === undefined) talking.line.call(b.certificate);
    else if (talk.stage === "talking") {
      talking.line.say(b.certificate.address, "said ".repeat(300));
      other.line.say(a.certificate.address, "heard ".repeat(300));
      texts++;
    }
  }
  assert(texts >= 3, `${texts} texts`);
  assertEquals(idle.line.conversations, []);
  assertEquals(idle.client.status.spent, 0);
  assert(talking.client.status.spent >= ROUNDS / 2);
});
