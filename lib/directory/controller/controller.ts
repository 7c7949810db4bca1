import type { NodeKeyring, ServerAddress } from "../../identity/mod.ts";
import type { Bytes } from "../../protocol/mod.ts";
import { Agreement } from "../agreement/agreement.ts";
import { encodeMessage, parseMessage } from "../agreement/message.ts";
import type { Offence, Output } from "../agreement/output.ts";
import { Turns } from "../agreement/turns.ts";
import { sameBytes } from "../byte_order.ts";
import type { Consensus } from "../consensus.ts";
import type { DialController } from "../controller_link.ts";
import { ControllerLink } from "../controller_link.ts";
import { fetchConsensus } from "../fetch.ts";
import type { Network } from "../network.ts";
import { controllerIndex } from "../network.ts";
import { FLAG_GUARD } from "../relay_flags.ts";
import type { ControllerState } from "./controller_state.ts";
import { ControllerStateError } from "./controller_state.ts";
import { PeerLink } from "./peer_link.ts";
import type { RegistryRules } from "./registry.ts";
import { Registry } from "./registry.ts";

/** What has happened at a controller; for a log. */
export type ControllerEvent =
  | { readonly kind: "consensus"; readonly consensus: Consensus }
  | { readonly kind: "listed"; readonly relay: Bytes }
  | { readonly kind: "dropped"; readonly relay: Bytes; readonly why: string }
  | { readonly kind: "declined"; readonly why: string }
  | {
    readonly kind: "caught";
    readonly controller: Bytes;
    readonly offence: Offence;
  };

/** What a controller is made of. */
export interface ControllerOptions {
  /** Its keys; one of the network's controllers has them. */
  readonly keyring: NodeKeyring;
  /** All controllers, this one among them. */
  readonly network: Network;
  /** What it has from start to start. */
  readonly state: ControllerState;
  /** Connects to other controllers. */
  readonly dial: DialController;
  /** Which relays it takes. */
  readonly rules: RegistryRules;
  /** Seconds from one consensus to the next. */
  readonly interval: number;
  /** Seconds for which a consensus is valid. */
  readonly lifetime: number;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Told of what happens. */
  readonly happened: (event: ControllerEvent) => void;
  /** Told of what goes wrong, and is tried again. */
  readonly failed: (error: unknown) => void;
}

/** After a change, in milliseconds: others often follow at once. */
const DEBOUNCE = 100;
/** What has not come by itself after this is fetched, in milliseconds. */
const FETCH_AFTER = 300;
/** Offences that are remembered, so that they are not reported again. */
const REPORTS_KEPT = 1_000;

/**
 * Makes the next consensus, alone or with other controllers: gives the agreement the time, what the
 * others say and the relays that are running, and does what it wants done.
 */
export class Controller {
  /** The relays that are running. */
  readonly registry: Registry;
  readonly #options: ControllerOptions;
  readonly #closing = new AbortController();
  readonly #reported = new Set<string>();
  readonly #peers = new Map<string, PeerLink>();
  #agreement: Agreement;
  #ticking = false;
  #busy: Promise<void> = Promise.resolve();
  #catchingUp: Promise<unknown> = Promise.resolve();
  #timer: ReturnType<typeof setInterval> | undefined;
  #soon: ReturnType<typeof setTimeout> | undefined;
  #fetch: ReturnType<typeof setTimeout> | undefined;
  /** The registry's version when it was voted on last. */
  #published = 0;

  /**
   * Begins at once.
   *
   * The state is the controller's from now on, and is closed with it.
   *
   * @throws {ControllerStateError} if a controller that is alone has lost the end of its chain: nobody
   * can tell it what it has signed.
   */
  constructor(options: ControllerOptions) {
    const { state, network, keyring, dial, rules, failed } = options;
    this.#options = options;
    const guards = state.head?.relays
      .filter(({ flags }) => (flags & FLAG_GUARD) !== 0)
      .map(({ descriptor }) => descriptor.identity.fingerprint.toHex());
    this.registry = new Registry(rules, new Set(guards));
    this.#restore();
    this.#agreement = this.#newAgreement();
    if (this.#agreement.isBehind && network.controllers.length === 1) {
      state.close();
      throw new ControllerStateError(
        "Cannot go on with the chain: the last consensus is missing, and nobody else has it",
      );
    }
    const { fingerprint } = keyring.certificate;
    for (const each of network.controllers) {
      if (sameBytes(each.fingerprint!, fingerprint)) continue;
      const link = new PeerLink(each, dial, keyring, failed);
      this.#peers.set(each.fingerprint!.toHex(), link);
    }
    const { length } = new Turns(network.controllers.length, options.interval);
    this.#timer = setInterval(() => this.#tick(), Math.min(length / 5, 500));
    this.#tick();
  }

  /** The newest consensus. */
  get head(): Consensus | undefined {
    return this.#options.state.head;
  }

  /** Whether a node is one of the controllers. */
  isController(fingerprint: Bytes): boolean {
    return controllerIndex(this.#options.network, fingerprint) >= 0;
  }

  /** The encoded headers of `count` heights from `first` on, or `undefined` if one is not there. */
  headers(first: number, count: number): Bytes | undefined {
    return this.#options.state.headers(first, count);
  }

  /** The registry has changed: whoever is alone need not wait for the next interval. */
  changed(): void {
    if (this.#soon !== undefined || this.#closing.signal.aborted) return;
    this.#soon = setTimeout(() => {
      this.#soon = undefined;
      this.#tick();
    }, DEBOUNCE);
  }

  /**
   * Takes what another controller has said, who has proved to be it.
   *
   * @throws {MalformedError} if it does not parse.
   */
  async deliberate(from: Bytes, body: Bytes): Promise<void> {
    const message = parseMessage(body);
    await this.#exclusively(() =>
      this.#agreement.receive(from, message, this.#options.now())
    );
  }

  /** Ends; what was agreed to is on disk. */
  async close(): Promise<void> {
    this.#closing.abort();
    clearInterval(this.#timer);
    clearTimeout(this.#soon);
    clearTimeout(this.#fetch);
    await Promise.all([...this.#peers.values()].map((each) => each.close()));
    await this.#catchingUp;
    await this.#busy;
    this.#options.state.close();
  }

  /** After a restart the relays get as much time to come back as any relay that is silent. */
  #restore(): void {
    const { state: { head }, now } = this.#options;
    if (head !== undefined && now() < head.validUntil * 1_000) {
      for (const { descriptor } of head.relays) {
        this.registry.restore(descriptor, now());
      }
    }
    this.#published = this.registry.version;
  }

  #newAgreement(): Agreement {
    const { keyring, network, interval, lifetime, now, state } = this.#options;
    const candidates = () => this.registry.candidates(now());
    return new Agreement(
      { keyring, network, interval, lifetime, candidates },
      state.head,
      state.standing,
    );
  }

  #tick(): void {
    const { now, happened, failed } = this.#options;
    for (const { identity: { fingerprint } } of this.registry.expire(now())) {
      happened({ kind: "dropped", relay: fingerprint, why: "silent" });
    }
    // A slow disk must not leave a heap of ticks behind.
    if (this.#ticking) return;
    this.#ticking = true;
    const { version } = this.registry;
    this.#exclusively(async () => {
      const before = this.head;
      const outputs = await this.#agreement.tick(
        now(),
        version !== this.#published,
      );
      await this.#perform(outputs);
      if (this.head !== before) this.#published = version;
      return [];
    }).catch(failed).finally(() => this.#ticking = false);
  }

  /** One thing at a time; after a failure everything goes on from what is on disk. */
  #exclusively(work: () => Promise<Output[]>): Promise<void> {
    const done = this.#busy.then(async () => {
      if (this.#closing.signal.aborted) return;
      await this.#perform(await work());
    });
    this.#busy = done.catch(() => {});
    return done;
  }

  async #perform(outputs: readonly Output[]): Promise<void> {
    const { state, happened } = this.#options;
    try {
      for (const output of outputs) {
        if (output.kind === "keep") await state.keep(output.standing);
        else if (output.kind === "send") this.#send(output);
        else if (output.kind === "publish") {
          await state.advance(output.consensus);
          happened({ kind: "consensus", consensus: output.consensus });
        } else if (output.kind === "behind") {
          this.#fetchSoon(output.controller, output.height);
        } else this.#report(output);
      }
    } catch (error) {
      // What could not be kept must not have been promised.
      this.#agreement = this.#newAgreement();
      throw error;
    }
  }

  /** Each offence once at each height: a liar may go on for long. */
  #report(caught: Extract<Output, { kind: "caught" }>): void {
    const height = this.head?.height ?? 0;
    const key = `${height} ${caught.controller.toHex()} ${caught.offence}`;
    if (this.#reported.has(key)) return;
    if (this.#reported.size > REPORTS_KEPT) this.#reported.clear();
    this.#reported.add(key);
    this.#options.happened(caught);
  }

  #send({ to, message }: Extract<Output, { kind: "send" }>): void {
    const bytes = encodeMessage(message);
    if (to !== undefined) return this.#peers.get(to.toHex())?.send(bytes);
    for (const peer of this.#peers.values()) peer.send(bytes);
  }

  #fetchSoon(controller: Bytes, height: number): void {
    if (this.#fetch !== undefined || this.#closing.signal.aborted) return;
    const { network, failed } = this.#options;
    const address = network.controllers[controllerIndex(network, controller)];
    if (address === undefined) return;
    this.#fetch = setTimeout(() => {
      this.#catchingUp = this.#catchUp(address, height).catch(failed)
        .finally(() => this.#fetch = undefined);
    }, FETCH_AFTER);
  }

  async #catchUp(address: ServerAddress, height: number): Promise<void> {
    if ((this.head?.height ?? 0) >= height) return;
    const { network, dial, state, happened } = this.#options;
    const { signal } = this.#closing;
    const link = await ControllerLink.open(address, dial, signal);
    try {
      const fetched = await fetchConsensus(link, network, this.head);
      if (fetched === undefined) return;
      const { consensus, between } = fetched;
      await this.#exclusively(async () => {
        if (consensus.height <= (this.head?.height ?? 0)) return [];
        // Another may have come in between; then the next attempt begins from that one.
        if (
          this.head !== undefined && between.length !==
            consensus.height - this.head.height - 1
        ) return [];
        await state.advance(consensus, between);
        this.#agreement.advance(consensus);
        happened({ kind: "consensus", consensus });
        return [];
      });
    } finally {
      await link.close();
    }
  }
}
