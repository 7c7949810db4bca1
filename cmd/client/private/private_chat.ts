import type { Certificate } from "../../../lib/identity/mod.ts";
import { LineError, RoundKind } from "../../../lib/mix/mod.ts";
import type { LineEvent, MixClientEvent } from "../../../lib/mix/mod.ts";
import { describe } from "../../errors.ts";
import type { Io } from "../../io.ts";
import type { Profile } from "../profile.ts";
import type { RouteFlags } from "../route.ts";
import { ChatView } from "./chat_view.ts";
import { Departure } from "./departure.ts";
import { lineObject, roundsObject } from "./event_json.ts";
import { lineWords } from "./line_words.ts";
import type { OwnText, Peer } from "./peer.ts";
import { Peers } from "./peers.ts";
import { PrivateCommands } from "./private_commands.ts";
import type { PrivateOutput } from "./private_output.ts";
import { PrivateSession } from "./private_session.ts";
import type { Insistence } from "./private_session.ts";
import { privacyText } from "./privacy_text.ts";
import { RoundNews } from "./round_news.ts";

/** Between two looks at how things stand, in milliseconds. */
const LOOK_EVERY = 1_000;

/** How a private chat is held. */
export interface PrivateChatOptions extends Insistence {
  /** How the server is reached, and whom to believe about relays. */
  readonly flags: RouteFlags;
  /** Whether whoever calls is answered without being asked for. */
  readonly answers: boolean;
  /** How long a script waits for everything to be delivered, in milliseconds. */
  readonly patience: number;
}

/** Private conversations in a terminal, or for a script. */
export class PrivateChat {
  readonly #io: Io;
  readonly #profile: Profile;
  readonly #options: PrivateChatOptions;
  readonly #out: PrivateOutput;
  readonly #news: RoundNews;
  readonly #view: ChatView;
  readonly #peers: Peers;
  readonly #departure: Departure;
  #session: PrivateSession | undefined;
  #current: Peer | undefined;
  #isLeaving = false;

  constructor(
    io: Io,
    profile: Profile,
    out: PrivateOutput,
    options: PrivateChatOptions,
  ) {
    this.#io = io;
    this.#profile = profile;
    this.#out = out;
    this.#options = options;
    this.#view = new ChatView(out);
    this.#peers = new Peers(profile.address);
    this.#departure = new Departure(io.signal);
    this.#news = new RoundNews((text) => out.note(text));
  }

  /**
   * Takes part in rounds, calls whom `certificate` belongs to or waits for calls, and goes on until the
   * input ends or all is said.
   *
   * @returns 1 if a script's texts were not all delivered, else 0.
   */
  async run(certificate: Certificate | undefined): Promise<number> {
    const session = await PrivateSession.open(
      this.#io,
      this.#profile,
      this.#options,
      {
        line: (event) => this.#takeLine(event),
        rounds: (event) => this.#takeRounds(event),
      },
    );
    this.#session = session;
    let watch: ReturnType<typeof setInterval> | undefined;
    try {
      session.client.start();
      if (certificate !== undefined) this.call(certificate);
      watch = setInterval(() => this.#look(), LOOK_EVERY);
      const isScript = !this.#io.stdin.isTerminal;
      const quit = await this.#talk();
      if (isScript && certificate === undefined && !quit) {
        await this.#departure.end();
        return 0;
      }
      const peer = this.#current;
      if (isScript && peer !== undefined) {
        const period = () => session.client.status.chain?.period ?? 0;
        const { patience } = this.#options;
        await this.#departure.allSaid(peer, period, patience);
      }
      await this.#leave();
      return isScript && peer !== undefined && !isDone(peer) ? 1 : 0;
    } finally {
      clearInterval(watch);
      this.#isLeaving = true;
      await session.close();
    }
  }

  /** Everybody with whom one talks, wants to, or has. */
  get peers(): Peers {
    return this.#peers;
  }

  /** The session, once there is one. */
  get session(): PrivateSession {
    return this.#session!;
  }

  /** With whom one talks when one types. */
  get current(): Peer | undefined {
    return this.#current;
  }

  set current(peer: Peer | undefined) {
    this.#current = peer;
    this.#showPrompt();
  }

  /** Calls somebody, or answers if they call. */
  call(certificate: Certificate): void {
    this.#current = this.#peers.of(certificate.address);
    this.#attempt(() => this.session.line.call(certificate));
  }

  /** Answers. */
  accept(address: string): void {
    this.#attempt(() => {
      this.session.line.accept(address);
      const peer = this.#peers.of(address);
      if (this.#current === undefined || this.#current.stage === "over") {
        this.#current = peer;
      }
    });
  }

  /** Does not answer, and says so. */
  refuse(address: string): void {
    this.#attempt(() => this.session.line.refuse(address));
  }

  /** Ends a conversation. */
  hangUp(address: string): void {
    this.#attempt(() => this.session.line.hangUp(address));
  }

  /** Says something for the person's eyes only. */
  note(text: string): void {
    this.#out.note(text);
  }

  /** How private it is, in words. */
  async privacy(): Promise<string> {
    const { client, identities } = this.session;
    const { chain, missing } = client.status;
    const peer = this.#current;
    const places = await Promise.all(
      (chain?.mixes ?? []).map(({ fingerprint }) =>
        identities.placeOf(Uint8Array.fromHex(fingerprint))
      ),
    );
    return privacyText({
      chain,
      places,
      name: peer?.name,
      rounds: peer?.budget.rounds ?? 0,
      loss: peer?.budget.spent() ?? { epsilon: 0, delta: 0 },
      onion: this.#profile.route.isOnion,
      generation: peer?.generation ?? 0,
      missing,
    });
  }

  /** Takes lines until there are no more; whether the person has said that it is enough. */
  async #talk(): Promise<boolean> {
    const commands = new PrivateCommands(this.#io, this.#profile, this);
    for await (const line of this.#out.messages()) {
      if (line.trim() === "/quit") return true;
      if (line.trim() === "") continue;
      if (line.startsWith("/") && !line.startsWith("//")) {
        await commands.run(line);
      } else this.#say(line.startsWith("//") ? line.slice(1) : line);
    }
    return this.#io.stdin.isTerminal;
  }

  #say(text: string): void {
    const peer = this.#current;
    if (
      peer === undefined || peer.stage === "over" || peer.stage === "leaving"
    ) {
      return this.note(
        peer === undefined
          ? "there is nobody to talk to; /call NAME calls somebody"
          : `the conversation with ${peer.name} is over; /call ${peer.name} calls again`,
      );
    }
    const own: OwnText = {
      text,
      at: this.#io.now(),
      id: undefined,
      state: "queued",
      round: undefined,
      line: undefined,
    };
    if (peer.stage === "talking" && !this.#hand(peer, own)) return;
    peer.texts.push(own);
    this.#view.own(own);
  }

  /** Gives a text to the line; whether it takes it. */
  #hand(peer: Peer, own: OwnText): boolean {
    try {
      own.id = this.session.line.say(peer.address, own.text);
      this.#out.event({
        event: "said",
        with: peer.address,
        id: own.id,
        text: own.text,
      });
      return true;
    } catch (error) {
      if (!(error instanceof RangeError || error instanceof LineError)) {
        throw error;
      }
      own.state = "lost";
      this.note(describe(error));
      return false;
    }
  }

  #takeLine(event: LineEvent): void {
    this.#out.event(lineObject(event));
    const address = "call" in event ? event.call.address : event.address;
    const name = this.#peers.nameOf(address);
    this.#follow();
    const peer = this.#peers.get(address);
    this.#noteIf(lineWords(event, name));
    if (event.kind === "ringing") {
      this.#out.ring();
      // Not from within an event: the line may not be done with it.
      if (this.#options.answers) queueMicrotask(() => this.accept(address));
    }
    if (peer !== undefined) this.#advance(event, peer);
    this.#showPrompt();
  }

  /** What an event means for the texts and rounds of a conversation. */
  #advance(event: LineEvent, peer: Peer): void {
    switch (event.kind) {
      case "answered":
        peer.wasThere = true;
        this.#departure.heard();
        for (const own of peer.kept) {
          if (!this.#hand(peer, own)) this.#view.own(own);
        }
        return;
      case "text":
        this.#departure.heard();
        return this.#view.text(peer, event);
      case "state": {
        const own = peer.text(event.id);
        if (own === undefined) return;
        own.state = event.state;
        own.round = event.round ?? own.round;
        return this.#view.own(own);
      }
      case "generation":
        return this.#departure.heard();
      case "dialed":
        return this.#peers.spend(peer, RoundKind.DIALING);
      case "round":
        return this.#noteIf(this.#peers.round(peer, event.outcome));
      case "refused":
      case "unanswered":
      case "ended":
        for (const own of peer.waiting) {
          own.state = "lost";
          this.#view.own(own);
        }
        if (peer.budget.rounds > 0) {
          this.#view.meter(peer, this.session.client.status.chain);
        }
    }
  }

  #takeRounds(event: MixClientEvent): void {
    // Rounds that are left behind are nobody's loss.
    if (this.#isLeaving) return;
    this.#out.event(roundsObject(event));
    if (event.type === "chain") this.#peers.promised(event.chain);
    this.#news.take(event);
    if (event.type === "refused") {
      const { problem } = this.session.identities;
      if (problem !== undefined) this.#news.unknownRelays(problem);
    }
    this.#showPrompt();
  }

  /** Takes over from the line how conversations stand. */
  #follow(): void {
    this.#peers.follow(this.session.line.conversations);
  }

  /** Looks how things stand. */
  #look(): void {
    this.#news.look(this.#hasRound);
    this.#showPrompt();
  }

  get #hasRound(): boolean {
    return this.session.client.status.nextIn !== undefined;
  }

  #attempt(action: () => void): void {
    try {
      action();
    } catch (error) {
      if (!(error instanceof LineError)) throw error;
      this.note(describe(error));
    }
    this.#follow();
    this.#showPrompt();
  }

  #showPrompt(): void {
    this.#view.prompt(this.#current, {
      connection: this.#news.connection,
      hasRound: this.#hasRound,
    });
  }

  #noteIf(text: string | undefined): void {
    if (text !== undefined) this.note(text);
  }

  /** Hangs up everywhere, and waits until that is known. */
  async #leave(): Promise<void> {
    this.#follow();
    const { line } = this.session;
    const left = this.#peers.held;
    const waiting = left.filter(({ stage }) => stage !== "calling")
      .flatMap((each) => each.waiting).length;
    if (waiting > 0) {
      this.note(
        `hanging up when ${waiting} of your texts are delivered; Ctrl-C leaves at once`,
      );
    } else if (line.farewells > 0) {
      this.note(
        "leaving when others know that it is over; Ctrl-C does at once",
      );
    }
    for (const { address } of left) this.hangUp(address);
    await this.#departure.allKnow(() => {
      this.#follow();
      // Without rounds nobody learns anything.
      const isKnown = this.#news.connection !== "joined" ||
        line.farewells === 0;
      return this.#peers.held.length === 0 && isKnown;
    });
  }
}

/** Whether all that was said has arrived. */
function isDone(peer: Peer): boolean {
  return peer.wasThere &&
    peer.texts.every(({ state }) => state === "delivered");
}
