import type { NodeKeyring } from "../../../lib/identity/mod.ts";
import { MixService } from "../../../lib/mix/coordinator/mix_service.ts";
import type { MixServiceOptions } from "../../../lib/mix/coordinator/mix_service.ts";
import { freshNodeKeyring } from "../../support/keyrings.ts";
import { FakeClient } from "./fake_client.ts";
import { FakeMix } from "./fake_mix.ts";
import { VirtualTime } from "../virtual_time.ts";

const keyrings: Promise<NodeKeyring>[] = [];

/** The keyring of the mix at a place: the same at every call of a test file. */
function keyringOf(place: number): Promise<NodeKeyring> {
  return keyrings[place] ??= freshNodeKeyring();
}

/** A coordinator with fake mixes and fake clients, in a time of its own. */
export class Network implements AsyncDisposable {
  readonly time: VirtualTime;
  readonly mixes: readonly FakeMix[];
  readonly service: MixService;
  readonly clients: FakeClient[] = [];
  /** What the service has reported. */
  readonly failures: unknown[] = [];

  private constructor(
    keyring: readonly NodeKeyring[],
    options: Partial<MixServiceOptions>,
  ) {
    this.time = new VirtualTime();
    this.mixes = keyring.map((each) => new FakeMix(each, this.time));
    this.service = new MixService({
      identity: keyring[0]!.certificate,
      chain: () => Promise.resolve(this.mixes),
      timers: this.time,
      random: () => 0.5,
      failed: (error) => this.failures.push(error),
      ...options,
    });
  }

  static async of(
    mixes: number,
    options: Partial<MixServiceOptions> = {},
  ): Promise<Network> {
    const keyring = await Promise.all(
      Array.from({ length: mixes }, (_, place) => keyringOf(place)),
    );
    return new Network(keyring, options);
  }

  /** A client that takes part in every round, somewhere in its window, or only when told to. */
  join(at?: () => number): FakeClient {
    const client = new FakeClient(this.service, this.time, at);
    this.clients.push(client);
    return client;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.clients) client.link.readAgain();
    await this.service.stop();
    for (const client of this.clients) client.link.leave();
    await Promise.all(this.clients.map(({ over }) => over));
    this.time[Symbol.dispose]();
  }
}
