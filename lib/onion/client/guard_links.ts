import type { RelayDescriptor } from "../../directory/mod.ts";
import type { ByteStream } from "../../protocol/mod.ts";
import { CircuitLink } from "../link/circuit_link.ts";
import { Link } from "../link/link.ts";
import { askForLink } from "../link/link_commands.ts";
import { LinkPadding } from "../link/link_padding.ts";
import { LinkWatch } from "../link/link_watch.ts";

/** The links of a client to its guards, one to each, opened when they are needed. */
export class GuardLinks {
  readonly #dial: (relay: RelayDescriptor) => Promise<ByteStream>;
  readonly #now: () => number;
  readonly #links = new Map<string, Promise<CircuitLink>>();
  readonly #running = new Set<Promise<void>>();
  #closed = false;

  /** `now` is milliseconds of a steady clock. */
  constructor(
    dial: (relay: RelayDescriptor) => Promise<ByteStream>,
    now: () => number,
  ) {
    this.#dial = dial;
    this.#now = now;
  }

  /**
   * The link to a relay.
   *
   * @throws {DialError | ChannelError | RefusedError} if it does not come to be.
   */
  async to(relay: RelayDescriptor): Promise<CircuitLink> {
    const name = relay.identity.fingerprint.toHex();
    const known = this.#links.get(name);
    if (known !== undefined) return await known;
    const link = this.#connect(relay, () => this.#links.delete(name));
    this.#links.set(name, link);
    link.catch(() => this.#links.delete(name));
    return await link;
  }

  /** Closes all of them. */
  async close(): Promise<void> {
    this.#closed = true;
    const links = await Promise.allSettled(this.#links.values());
    await Promise.all(
      links.map((link) =>
        link.status === "fulfilled" ? link.value.close() : undefined
      ),
    );
    await Promise.all(this.#running);
  }

  async #connect(
    relay: RelayDescriptor,
    ended: () => void,
  ): Promise<CircuitLink> {
    const stream = await this.#dial(relay);
    const channel = await askForLink(stream, relay.identity.dhKey);
    const link = new Link(channel, this.#now);
    const circuits = new CircuitLink(link);
    const padding = new LinkPadding(link, this.#now);
    const watch = new LinkWatch(() => link.abort());
    const heard = () => Promise.resolve(watch.alive());
    const running = circuits.run(heard).catch(() => {
      // The circuits on it have been told.
    }).finally(() => {
      watch.stop();
      padding.stop();
      this.#running.delete(running);
      ended();
    });
    this.#running.add(running);
    if (this.#closed) circuits.abort();
    return circuits;
  }
}
