import type { RelayDescriptor } from "../../directory/mod.ts";
import type { NodeKeyring } from "../../identity/mod.ts";
import type { Incoming } from "../../net/mod.ts";
import { Pace, TokenBuckets } from "../../net/mod.ts";
import type {
  Bytes,
  ByteStream,
  Channel,
  DhKeyPair,
} from "../../protocol/mod.ts";
import { answer } from "../../protocol/mod.ts";
import { CELL, SMALL } from "../cell/cell.ts";
import type { DestroyReason } from "../cell/cell.ts";
import {
  acceptHop,
  handshakeBody,
  OnionKeyError,
} from "../circuit/hop_handshake.ts";
import { Link } from "../link/link.ts";
import { askForLink, grantLink } from "../link/link_commands.ts";
import type { LinkGuests } from "../link/link_guests.ts";
import { LinkPadding } from "../link/link_padding.ts";
import { LinkWatch } from "../link/link_watch.ts";
import { QueueMemory } from "../link/queue_memory.ts";
import { DescriptorStore } from "./descriptor_store.ts";
import { ExitStreams } from "./exit_streams.ts";
import type { ExitDialer } from "../exit/exit.ts";
import { Introductions } from "./introductions.ts";
import { RelayServices } from "./relay_services.ts";
import type { Meetings } from "./relay_services.ts";
import { RendezvousPoints } from "./rendezvous.ts";
import { ExtendError, RelayCircuit } from "./relay_circuit.ts";
import type { CircuitHost, CircuitService } from "./relay_circuit.ts";
import { CircuitLink } from "../link/circuit_link.ts";
import type { RelayLimits } from "./relay_limits.ts";

/** Time for somebody who has connected to ask for a link, in milliseconds. */
const GREETING_DEADLINE = 10_000;
/** Time for links to send what waits when a relay closes, in milliseconds. */
const CLOSING_DEADLINE = 1_000;
/** Handshakes under way at once, half a second of work: more would only make all of them late. */
const HANDSHAKES_LIMIT = 512;
/** Time between two looks at whether a drained relay still has circuits, in milliseconds. */
const DRAIN_LOOK = 100;

/** What a relay is made of. */
export interface RelayOptions {
  /** Its own keys. */
  readonly keyring: NodeKeyring;
  /** The onion keys that are good now, the newest first. */
  readonly onionKeys: () => readonly DhKeyPair[];
  /**
   * What the directory knows of a relay; asks once more if it knows nothing.
   *
   * @returns `undefined` if there is no such relay.
   */
  readonly find: (fingerprint: Bytes) => Promise<RelayDescriptor | undefined>;
  /** Connects to another relay. */
  readonly dial: (descriptor: RelayDescriptor) => Promise<ByteStream>;
  /** Connects to the world. */
  readonly exit: ExitDialer;
  /** How much it takes on. */
  readonly limits: RelayLimits;
  /** Who else is served on its port. */
  readonly guests?: LinkGuests | undefined;
  /** Milliseconds of a steady clock. */
  readonly now: () => number;
  /** Told of what went wrong inside; nothing that a peer can cause at will. */
  readonly failed: (error: unknown) => void;
}

/** What a relay does now. */
export interface RelayStatus {
  readonly links: number;
  readonly circuits: number;
  /** Bytes of cells that wait. */
  readonly queued: number;
  /** Circuits that were made since the start. */
  readonly created: number;
}

/** A relay: links in, links out, and the circuits between them (SPEC.md §12). */
export class Relay implements CircuitHost {
  readonly #options: RelayOptions;
  readonly #memory: QueueMemory;
  readonly #pace: Pace | undefined;
  readonly #creates: TokenBuckets;
  readonly #meetings: Meetings;
  readonly #links = new Set<CircuitLink>();
  readonly #outward = new Map<string, Promise<CircuitLink>>();
  /** Connections to other relays on which no link stands yet. */
  readonly #connecting = new Set<ByteStream>();
  readonly #running = new Set<Promise<void>>();
  readonly #circuits = new Set<RelayCircuit>();
  /** What lets go of what circuits hold. */
  readonly #leaving = new Map<RelayCircuit, () => void>();
  #handshakes = 0;
  #created = 0;
  #draining = false;
  #closed = false;

  constructor(options: RelayOptions) {
    this.#options = options;
    const { memory, bandwidth, creates } = options.limits;
    this.#memory = new QueueMemory(memory);
    this.#pace = bandwidth === undefined ? undefined : new Pace(bandwidth);
    this.#creates = new TokenBuckets(creates);
    this.#meetings = {
      introductions: new Introductions(options.now),
      rendezvous: new RendezvousPoints(),
      descriptors: new DescriptorStore(options.now),
    };
  }

  /** What it does now. */
  get status(): RelayStatus {
    return {
      links: this.#links.size,
      circuits: this.#circuits.size,
      queued: this.#memory.used,
      created: this.#created,
    };
  }

  /**
   * Serves one connection until it ends.
   *
   * @throws {ChannelError | MalformedError} when the other side broke a rule or was cut off.
   */
  async accept(incoming: Incoming): Promise<void> {
    incoming.deadline(GREETING_DEADLINE);
    const { keyring: { dh, certificate } } = this.#options;
    const channel = await answer(incoming, {
      static: dh,
      certificate: certificate.bytes,
    });
    if (channel === undefined) return;
    const { guests } = this.#options;
    const granted = await grantLink(channel, guests);
    if (granted !== "link") {
      if (granted !== undefined) {
        await guests!.welcome(channel, granted, incoming);
      }
      return await channel.close();
    }
    incoming.deadline(0);
    const link = this.#linkOn(channel);
    const circuitLink = new CircuitLink(
      link,
      (from, id, body) => this.#create(from, id, body, incoming.group),
    );
    await this.#run(circuitLink, link);
  }

  async linkTo(fingerprint: Bytes): Promise<CircuitLink> {
    const name = fingerprint.toHex();
    const known = this.#outward.get(name);
    if (known !== undefined) return await known;
    const link = this.#connect(fingerprint, () => {
      if (this.#outward.get(name) === link) this.#outward.delete(name);
    });
    this.#outward.set(name, link);
    return await link;
  }

  serve(circuit: RelayCircuit): CircuitService {
    const streams = new ExitStreams({
      position: circuit.position,
      sendLayer: (layer, size) => circuit.sendLayer(layer, size),
      fail: () => circuit.destroy("protocol"),
      held: {
        change: (bytes) => this.#memory.change(bytes),
        now: this.#options.now,
      },
    }, this.#options.exit);
    const leave = this.#memory.enter({
      oldest: () => streams.oldest,
      relieve: () => circuit.destroy("resource-limit"),
    });
    this.#leaving.set(circuit, leave);
    return new RelayServices(circuit, this.#meetings, streams);
  }

  ended(circuit: RelayCircuit): void {
    this.#circuits.delete(circuit);
    this.#leaving.get(circuit)?.();
    this.#leaving.delete(circuit);
  }

  /** Takes no new circuits, and resolves when those that there are have ended. */
  async drain(signal: AbortSignal): Promise<void> {
    this.#draining = true;
    while (this.#circuits.size > 0 && !signal.aborted) {
      await new Promise((resolve) => setTimeout(resolve, DRAIN_LOOK));
    }
  }

  /** Destroys what circuits there are, and closes every link; one that takes nothing is dropped. */
  async close(): Promise<void> {
    this.#draining = true;
    this.#closed = true;
    for (const circuit of [...this.#circuits]) circuit.destroy("hibernating");
    for (const stream of this.#connecting) closeQuietly(stream);
    const links = [...this.#links];
    const deadline = setTimeout(() => {
      for (const link of links) link.abort();
    }, CLOSING_DEADLINE);
    await Promise.all(links.map((link) => link.close()));
    clearTimeout(deadline);
    await Promise.all(this.#running);
  }

  #linkOn(channel: Channel): Link {
    return new Link(
      channel,
      this.#options.now,
      (bytes) => this.#memory.change(bytes),
    );
  }

  async #run(circuitLink: CircuitLink, link: Link): Promise<void> {
    this.#links.add(circuitLink);
    const leave = this.#memory.enter(circuitLink);
    const padding = new LinkPadding(link, this.#options.now);
    const watch = new LinkWatch(() => link.abort());
    try {
      await circuitLink.run(async (bytes) => {
        watch.alive();
        await this.#pace?.take(bytes);
      });
    } finally {
      watch.stop();
      padding.stop();
      leave();
      this.#links.delete(circuitLink);
    }
  }

  /** `gone` is called when there is no link, or none any more. */
  async #connect(
    fingerprint: Bytes,
    gone: () => void,
  ): Promise<CircuitLink> {
    try {
      const link = this.#linkOn(await this.#ask(fingerprint));
      const circuitLink = new CircuitLink(link);
      const running = this.#run(circuitLink, link).catch(() => {
        // The circuits on it have been told; a relay that dies is no failure of this one.
      }).finally(() => {
        this.#running.delete(running);
        gone();
      });
      this.#running.add(running);
      return circuitLink;
    } catch (cause) {
      gone();
      if (cause instanceof ExtendError) throw cause;
      throw new ExtendError("connect-failed", { cause });
    }
  }

  /** Connects to a relay; one that does not answer in time is given up. */
  async #ask(fingerprint: Bytes): Promise<Channel> {
    const { keyring, find, dial } = this.#options;
    const { fingerprint: own } = keyring.certificate;
    if (own.every((byte, i) => byte === fingerprint[i])) {
      throw new ExtendError("unknown-relay");
    }
    const descriptor = await find(fingerprint);
    if (descriptor === undefined) throw new ExtendError("unknown-relay");
    const stream = await dial(descriptor);
    this.#connecting.add(stream);
    if (this.#closed) closeQuietly(stream);
    const deadline = setTimeout(() => closeQuietly(stream), GREETING_DEADLINE);
    try {
      return await askForLink(stream, descriptor.identity.dhKey);
    } finally {
      clearTimeout(deadline);
      this.#connecting.delete(stream);
    }
  }

  #create(link: CircuitLink, id: number, body: Bytes, group: string): void {
    const refusal = this.#refusal(group);
    if (refusal !== undefined) return link.release(id, refusal);
    this.#handshakes++;
    // Until it stands, the number is taken, and whatever comes for it breaks the rules.
    let given = false;
    link.enter(id, {
      cell: () => {
        given = true;
        link.release(id, "protocol");
      },
      linkGone: () => given = true,
      relieve: () => {},
    });
    this.#accept(body).then((hop) => {
      if (given) return;
      const circuit = new RelayCircuit(this, link, id, hop);
      this.#circuits.add(circuit);
      this.#created++;
      link.enter(id, circuit.fromPrevious);
      link.send(id, CELL.CREATED, SMALL, handshakeBody(hop.answer));
    }).catch((error) => {
      if (given) return;
      link.release(
        id,
        error instanceof OnionKeyError ? "wrong-onion-key" : "protocol",
      );
    }).finally(() => this.#handshakes--);
  }

  #refusal(group: string): DestroyReason | undefined {
    if (this.#draining) return "hibernating";
    if (this.#circuits.size >= this.#options.limits.circuits) {
      return "too-many-circuits";
    }
    if (this.#handshakes >= HANDSHAKES_LIMIT) return "resource-limit";
    return this.#creates.take(group, this.#options.now()) > 0
      ? "resource-limit"
      : undefined;
  }

  #accept(body: Bytes): ReturnType<typeof acceptHop> {
    const { keyring, onionKeys } = this.#options;
    return acceptHop(body, keyring.certificate.fingerprint, onionKeys());
  }
}

function closeQuietly(stream: ByteStream): void {
  try {
    stream.close();
  } catch {
    // Closed before.
  }
}
