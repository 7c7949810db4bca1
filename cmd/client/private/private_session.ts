import { ACCOUNT } from "../../../lib/account/mod.ts";
import type {
  Certificate,
  NodeCertificate,
} from "../../../lib/identity/mod.ts";
import type { MailboxClient } from "../../../lib/mailbox/mod.ts";
import { MixClient, PrivateLine, ROUNDS } from "../../../lib/mix/mod.ts";
import type {
  LineEvent,
  MixClientEvent,
  RoundLink,
} from "../../../lib/mix/mod.ts";
import { Vocabulary } from "../../../lib/protocol/mod.ts";
import { CommandError } from "../../errors.ts";
import type { Io } from "../../io.ts";
import { offlineMailbox } from "../contacts_list.ts";
import type { Profile } from "../profile.ts";
import type { RouteFlags } from "../route.ts";
import { connectToServer } from "../server_link.ts";
import { MixIdentities } from "./mix_identities.ts";

/** Time for connecting, in milliseconds. */
const CONNECT_TIMEOUT = 15_000;
/** Time for saying goodbye to the server, in milliseconds. */
const CLOSE_TIMEOUT = 2_000;

/** Contacts are read anew after so many milliseconds: filters of a day are heard by the dozen in a second. */
const CONTACTS_FRESH = 1_000;

const VOCABULARY = new Vocabulary(ACCOUNT, ROUNDS);

/** Who is told of what happens. None of these may throw. */
export interface SessionListener {
  /** On the line. */
  readonly line: (event: LineEvent) => void;
  /** With rounds. */
  readonly rounds: (event: MixClientEvent) => void;
}

/** What the person insists on. */
export interface Insistence {
  /** How few mixes a chain may have. */
  readonly leastMixes: number;
  /** Whether rounds are taken part in of which mixes can link those of a run. */
  readonly circuits: boolean;
}

/** How a session is held. */
export interface SessionOptions extends Insistence {
  /** How the server is reached, and whom to believe about relays. */
  readonly flags: RouteFlags;
}

/**
 * A person's part in the rounds of their server, as a guest: nobody logs in. Nothing of it is written to
 * disk, and nothing is asked of the server but what everybody asks.
 */
export class PrivateSession {
  /** Conversations and calls. */
  readonly line: PrivateLine;
  /** Rounds. */
  readonly client: MixClient;
  /** Whom a chain may consist of. */
  readonly identities: MixIdentities;
  readonly #io: Io;
  readonly #profile: Profile;
  readonly #mailbox: MailboxClient;
  readonly #stop = new AbortController();
  #first: RoundLink | undefined;
  #contacts: Promise<readonly Certificate[]> = Promise.resolve([]);
  #contactsAt = -Infinity;

  private constructor(
    io: Io,
    profile: Profile,
    { flags, leastMixes, circuits }: SessionOptions,
    mailbox: MailboxClient,
    listener: SessionListener,
    first: { readonly link: RoundLink; readonly node: NodeCertificate },
  ) {
    this.#io = io;
    this.#profile = profile;
    this.#mailbox = mailbox;
    this.#first = first.link;
    this.identities = new MixIdentities(io, flags, first.node);
    this.line = new PrivateLine({
      keyring: profile.keyring,
      contacts: () => this.#knownContacts(),
      now: () => io.now() + (this.client.status.clock?.ahead ?? 0),
      onEvent: listener.line,
    });
    this.client = new MixClient({
      connect: () => this.#connect(),
      exchange: this.line,
      dial: this.line,
      identityOf: (fingerprint) => this.identities.of(fingerprint),
      policy: { coordinator: first.node.fingerprint, leastMixes, circuits },
      onEvent: listener.rounds,
    });
  }

  /**
   * Connects to the server of `profile`; rounds begin with `client.start`.
   *
   * @throws {unknown} why there is no connection.
   */
  static async open(
    io: Io,
    profile: Profile,
    options: SessionOptions,
    listener: SessionListener,
  ): Promise<PrivateSession> {
    const mailbox = await offlineMailbox(io, profile);
    const first = await link(io, profile, io.signal);
    return new PrivateSession(io, profile, options, mailbox, listener, first);
  }

  /** Leaves the rounds. */
  async close(): Promise<void> {
    this.#stop.abort();
    this.#first?.abort();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, CLOSE_TIMEOUT);
    });
    await Promise.race([this.client.close(), late]);
    clearTimeout(timer);
    await this.identities.close();
  }

  async #connect(): Promise<RoundLink> {
    const first = this.#first;
    this.#first = undefined;
    return first ??
      (await link(this.#io, this.#profile, this.#stop.signal)).link;
  }

  #knownContacts(): Promise<readonly Certificate[]> {
    const now = performance.now();
    if (now - this.#contactsAt >= CONTACTS_FRESH) {
      this.#contactsAt = now;
      this.#contacts = this.#readContacts();
    }
    return this.#contacts;
  }

  /** Everybody whose identity is pinned and has not changed. */
  async #readContacts(): Promise<readonly Certificate[]> {
    const { book } = this.#mailbox;
    const known = await Promise.all(
      (await book.contacts()).filter(({ changed }) => changed === null)
        .map(({ address }) => book.certificate(address)),
    );
    return known.filter((each) => each !== undefined);
  }
}

/**
 * The certificate of `address`, as it stands in the address book. The server is never asked: that would
 * tell it who is about to be called.
 *
 * @throws {CommandError} if it is not there, or another one has been seen since.
 */
export async function trustedCertificate(
  io: Io,
  profile: Profile,
  address: string,
): Promise<Certificate> {
  const { book } = await offlineMailbox(io, profile);
  const contact = await book.contact(address);
  if (contact !== undefined && contact.changed !== null) {
    throw new CommandError(
      `Cannot call ${address}: their identity has changed`,
      {
        hint:
          `ask them by another way; if they have new keys: sotto client contacts accept ${address}`,
      },
    );
  }
  const certificate = await book.certificate(address);
  if (certificate !== undefined) return certificate;
  throw new CommandError(
    `Cannot call ${address}: their certificate is not in the address book`,
    {
      hint:
        `sotto client contacts add ${address} --certificate FILE, with a file from them. The server is not asked for it: it would learn whom you are about to call`,
    },
  );
}

async function link(
  io: Io,
  profile: Profile,
  stop: AbortSignal,
): ReturnType<typeof connectToServer> {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), CONNECT_TIMEOUT);
  const signal = AbortSignal.any([stop, late.signal]);
  const { account: { server }, route } = profile;
  try {
    return await connectToServer(io, route, server, signal, VOCABULARY);
  } finally {
    clearTimeout(timer);
  }
}
