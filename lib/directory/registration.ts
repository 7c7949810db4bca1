import type { NodeKeyring, ServerAddress } from "../identity/mod.ts";
import { Backoff } from "../net/mod.ts";
import { CommandWriter } from "../protocol/mod.ts";
import {
  ALIVE,
  DESCRIPTOR,
  GOODBYE,
  LIST_ME,
  LISTED,
  NOTED,
} from "./commands.ts";
import type { DialController, Welcome } from "./controller_link.ts";
import { ControllerLink } from "./controller_link.ts";
import type { RelayDescriptor } from "./descriptor.ts";
import { DirectoryError } from "./directory_error.ts";
import type { Network } from "./network.ts";
import { pause } from "./pause.ts";

/** How a relay stands with one controller. */
export interface RegistrationState {
  /** Which one. */
  readonly controller: ServerAddress;
  /** Whether it lists the relay, or why it does not: what it said, or what went wrong on the way. */
  readonly listed: boolean;
  /** The error that keeps it from being listed. */
  readonly error?: unknown;
}

/** What a registration is made of. */
export interface RegistrationOptions {
  /** The controllers to register at; every one of them. */
  readonly network: Network;
  /** The relay's keys. */
  readonly keyring: NodeKeyring;
  /** Connects to a controller. */
  readonly dial: DialController;
  /**
   * The descriptor to be listed. `seenHost` is the IP address from which the controller sees the
   * relay (S4.2); a relay that is told its address otherwise does not look at it.
   */
  readonly describe: (seenHost: string) => Promise<RelayDescriptor>;
  /** Told whenever something has changed. */
  readonly changed?: (state: RegistrationState) => void;
}

/** A controller connects back and shakes hands before it answers LIST-ME. */
const PROBE_PATIENCE = 60_000;
/** How long a relay that leaves waits for the controllers to hear of it, in milliseconds. */
const GOODBYE_PATIENCE = 2_000;

/**
 * Keeps a relay registered at every controller of its network: learns its address there, hands in the
 * descriptor, gives signs of life, and starts again whenever a connection is lost.
 */
export class Registration {
  readonly #options: RegistrationOptions;
  readonly #closing = new AbortController();
  readonly #renewals = new Set<AbortController>();
  readonly #listed = new Set<ServerAddress>();
  readonly #loops: readonly Promise<void>[];

  /** Begins at once. */
  constructor(options: RegistrationOptions) {
    this.#options = options;
    this.#loops = options.network.controllers.map((each) => this.#keep(each));
  }

  /** How many controllers list the relay now. */
  get listed(): number {
    return this.#listed.size;
  }

  /** Hands in a new descriptor everywhere, soon: the relay's keys or address have changed. */
  renew(): void {
    for (const each of this.#renewals) each.abort();
  }

  /** Says goodbye to every controller that lists the relay, and ends. */
  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all(this.#loops);
  }

  async #keep(controller: ServerAddress): Promise<void> {
    const backoff = new Backoff({ first: 500, longest: 60_000 });
    while (!this.#closing.signal.aborted) {
      try {
        await this.#register(controller, () => backoff.reset());
      } catch (error) {
        this.#state(controller, false, error);
      }
      this.#listed.delete(controller);
      await pause(backoff.next(), this.#closing.signal);
    }
  }

  async #register(
    controller: ServerAddress,
    succeeded: () => void,
  ): Promise<void> {
    const { dial, keyring } = this.#options;
    const { signal } = this.#closing;
    const link = await ControllerLink.open(controller, dial, signal);
    // Whoever closes a registration does not wait for a controller that looks at it just now.
    let timer: ReturnType<typeof setTimeout> | undefined;
    const drop = () => {
      const patience = this.#listed.has(controller) ? GOODBYE_PATIENCE : 0;
      timer = setTimeout(() => link.abort(), patience);
    };
    this.#closing.signal.addEventListener("abort", drop);
    try {
      const welcome = await link.prove(keyring);
      while (!this.#closing.signal.aborted) {
        await this.#handIn(link, controller, welcome);
        succeeded();
        await this.#stay(link, welcome);
      }
      await link.ask(new CommandWriter().verb(GOODBYE).done(), [NOTED]);
    } catch (error) {
      if (!this.#closing.signal.aborted) throw error;
    } finally {
      this.#closing.signal.removeEventListener("abort", drop);
      clearTimeout(timer);
      link.abort();
    }
  }

  async #handIn(
    link: ControllerLink,
    controller: ServerAddress,
    { seenHost }: Welcome,
  ): Promise<void> {
    const { bytes } = await this.#options.describe(seenHost);
    const commands = new CommandWriter(4_096).set(DESCRIPTOR, bytes)
      .verb(LIST_ME).done();
    await link.ask(commands, [LISTED], PROBE_PATIENCE);
    this.#state(controller, true);
  }

  /** Gives signs of life until there is a new descriptor, the controller forgets us, or the end. */
  async #stay(link: ControllerLink, { aliveEvery }: Welcome): Promise<void> {
    const renewal = new AbortController();
    this.#renewals.add(renewal);
    const either = AbortSignal.any([this.#closing.signal, renewal.signal]);
    const alive = new CommandWriter().verb(ALIVE).done();
    try {
      while (!either.aborted) {
        await pause(aliveEvery, either);
        if (!either.aborted) await link.ask(alive, [NOTED]);
      }
    } catch (error) {
      // A controller that was started anew has forgotten us: hand in again.
      if (!isForgotten(error)) throw error;
    } finally {
      this.#renewals.delete(renewal);
    }
  }

  #state(controller: ServerAddress, listed: boolean, error?: unknown): void {
    if (listed) this.#listed.add(controller);
    else this.#listed.delete(controller);
    this.#options.changed?.({ controller, listed, error });
  }
}

function isForgotten(error: unknown): boolean {
  return error instanceof DirectoryError && error.reason === "not-listed";
}
