import type { NodeKeyring } from "../../../lib/identity/mod.ts";
import { MixHost } from "../../../lib/mix/node/mix_host.ts";
import type { MixHostOptions } from "../../../lib/mix/node/mix_host.ts";
import { MixLink } from "../../../lib/mix/node/mix_link.ts";
import { grantLink } from "../../../lib/onion/link/link_commands.ts";
import { answer } from "../../../lib/protocol/mod.ts";
import type { ByteStream } from "../../../lib/protocol/mod.ts";
import { memoryConnection } from "../../support/memory_stream.ts";
import type { MemoryConnection, Passage } from "../../support/memory_stream.ts";
import { freshNodeKeyring } from "../../support/keyrings.ts";
import { WireDirection, WireTap } from "../../onion/wire_tap.ts";
import { LITTLE, MixChain, mixKeyring } from "./mix_chain.ts";

/** How a connection in memory behaves. */
export interface Passages {
  readonly rightward?: Passage;
  readonly leftward?: Passage;
}

/** Mixes behind connections in memory, and a coordinator that asks them over these. */
export class LinkedChain extends MixChain {
  readonly hosts: MixHost[] = [];
  readonly keyring: NodeKeyring;
  /** Every connection, in the order in which they were made. */
  readonly connections: MemoryConnection[] = [];
  /** What passes on them behind the handshake: to the mix, and from it. */
  readonly wires: { rightward: WireDirection; leftward: WireDirection }[] = [];
  /** How connections have ended at the mixes that were not ended in an orderly way. */
  readonly broken: unknown[] = [];
  readonly #serving: Promise<void>[] = [];

  private constructor(keyring: NodeKeyring) {
    super(keyring.certificate.fingerprint);
    this.keyring = keyring;
  }

  /** Makes so many mixes behind connections. */
  static async linked(
    mixes: number,
    options: Partial<MixHostOptions> = {},
    passages: Passages = {},
  ): Promise<LinkedChain> {
    const chain = new LinkedChain(await freshNodeKeyring());
    for (let place = 0; place < mixes; place++) {
      chain.hosts.push(
        new MixHost({
          keyring: await mixKeyring(place),
          coordinators: [chain.coordinator],
          noise: () => LITTLE,
          timers: chain.timers,
          ...options,
        }),
      );
      chain.peers.push(await chain.link(place, undefined, passages));
    }
    return chain;
  }

  /** A link of a coordinator to a mix. */
  async link(
    place: number,
    keyring = this.keyring,
    passages: Passages = {},
  ): Promise<MixLink> {
    return await MixLink.open(this.connect(place, passages), {
      mix: (await mixKeyring(place)).certificate,
      keyring,
      timers: this.timers,
    });
  }

  /** A connection to the port of a mix, as relays serve it; the coordinator's end. */
  connect(place: number, passages: Passages = {}): ByteStream {
    const connection = memoryConnection(passages);
    this.connections.push(connection);
    const [rightward, leftward] = [new WireDirection(), new WireDirection()];
    this.wires.push({ rightward, leftward });
    this.#serving.push(
      this.#serve(place, connection, leftward).catch((error) => {
        this.broken.push(error);
      }),
    );
    return new WireTap(connection.left, rightward);
  }

  /** What is left at the mixes. */
  get left(): unknown[] {
    return this.hosts.map(({ status }) => status);
  }

  override async stop(): Promise<void> {
    await Promise.all(this.hosts.map((host) => host.stop()));
    for (const { left } of this.connections) {
      if (!left.closed) left.close();
    }
    await Promise.all(this.#serving);
    await Promise.all(
      this.peers.map((peer) => peer instanceof MixLink && peer.ended),
    );
  }

  async #serve(
    place: number,
    { right }: MemoryConnection,
    leftward: WireDirection,
  ): Promise<void> {
    const host = this.hosts[place]!;
    const keyring = await mixKeyring(place);
    try {
      const channel = await answer(new WireTap(right, leftward), {
        static: keyring.dh,
        certificate: keyring.certificate.bytes,
      });
      if (channel === undefined) return;
      const first = await grantLink(channel, host);
      if (first !== undefined && first !== "link") {
        await host.welcome(channel, first, { deadline: () => {} });
      }
      await channel.close();
    } finally {
      if (!right.closed) right.close();
    }
  }
}
