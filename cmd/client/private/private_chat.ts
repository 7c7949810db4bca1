import type { Certificate } from "../../../lib/identity/mod.ts";
import {
  LineError,
  noiseOfChain,
  perRound,
  RoundKind,
} from "../../../lib/mix/mod.ts";
import type {
  ChainView,
  LineEvent,
  MixClientEvent,
} from "../../../lib/mix/mod.ts";
import { describe } from "../../errors.ts";
import type { Io } from "../../io.ts";
import { nameOf } from "../entry_line.ts";
import type { Profile } from "../profile.ts";
import type { RouteFlags } from "../route.ts";
import { lineObject, roundsObject } from "./event_json.ts";
import { lineWords } from "./line_words.ts";
import { Peer } from "./peer.ts";
import type { OwnText } from "./peer.ts";
import { PrivateCommands } from "./private_commands.ts";
import type { PrivateOutput } from "./private_output.ts";
import { PrivateSession } from "./private_session.ts";
import { meterText, privacyText } from "./privacy_text.ts";
import type { PrivacyFacts } from "./privacy_text.ts";
import { RoundNews } from "./round_news.ts";
import { textLine } from "./text_line.ts";

/** After so many rounds in a row without the other person that is said. */
const ABSENCES = 8;
/**
 * Rounds without a new text after which a script that has said everything hangs up: the other side may begin
 * with keys, which take six rounds.
 */
const QUIET_ROUNDS = 12;
/** Rounds for which one stays when the other person has hung up: they wait to hear that it is known. */
const LINGERING_ROUNDS = 4;
/** Between two looks at how things stand, for the prompt, in milliseconds. */
const PROMPT_EVERY = 1_000;
/** How long goodbyes may take, in milliseconds. */
const GOODBYE = 70_000;
/** Between two looks at whether all is said, in milliseconds. */
const LOOK = 100;

/** How a private chat is held. */
export interface PrivateChatOptions {
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
  readonly #peers = new Map<string, Peer>();
  #session: PrivateSession | undefined;
  #current: Peer | undefined;
  /** What the settings promise, by kind of round. */
  readonly #chains = new Map<RoundKind, ChainView>();
  #joined = false;
  #rounds = 0;
  #heardAt = 0;
  /** Which round is to be waited for before one may go. */
  #stayUntil = 0;
  #isLeaving = false;
  #told = "";

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
    this.#news = new RoundNews((text) => this.#note(text));
  }

  /**
   * Takes part in rounds, calls whom `certificate` belongs to or waits for calls, and goes on until the
   * input ends or all is said.
   *
   * @returns 1 if a script's texts were not all delivered, else 0.
   */
  async run(certificate: Certificate | undefined): Promise<number> {
    const { flags } = this.#options;
    const session = await PrivateSession.open(this.#io, this.#profile, flags, {
      line: (event) => this.#takeLine(event),
      rounds: (event) => this.#takeRounds(event),
    });
    this.#session = session;
    let watch: ReturnType<typeof setInterval> | undefined;
    try {
      session.client.start();
      if (certificate !== undefined) this.call(certificate);
      watch = setInterval(() => this.#showPrompt(), PROMPT_EVERY);
      const isScript = !this.#io.stdin.isTerminal;
      const quit = await this.#talk();
      if (isScript && certificate === undefined && !quit) {
        await this.#until(() => false, Infinity);
        return 0;
      }
      const peer = this.#current;
      if (isScript && certificate !== undefined) await this.#finish();
      await this.#leave();
      return isScript && peer !== undefined && !isDone(peer) ? 1 : 0;
    } finally {
      clearInterval(watch);
      this.#isLeaving = true;
      await session.close();
    }
  }

  /** Everybody with whom one talks, wants to, or has. */
  get peers(): ReadonlyMap<string, Peer> {
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
    this.#current = this.#peerOf(certificate.address);
    this.#attempt(() => this.session.line.call(certificate));
  }

  /** Answers. */
  accept(address: string): void {
    this.#attempt(() => {
      this.session.line.accept(address);
      const peer = this.#peerOf(address);
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
    this.#note(text);
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
      ...this.#spentWith(peer),
      places,
      onion: this.#profile.route.isOnion,
      generation: peer?.generation ?? 0,
      missing,
    });
  }

  #meter(peer: Peer): string {
    const facts = this.#spentWith(peer);
    const { rounds, loss: { epsilon, delta } } = facts;
    this.#out.event({
      event: "privacy",
      with: peer.address,
      rounds,
      // JSON knows no infinity.
      epsilon: Number.isFinite(epsilon) ? epsilon : null,
      delta,
    });
    return meterText(facts);
  }

  #spentWith(peer: Peer | undefined): Pick<
    PrivacyFacts,
    "chain" | "name" | "rounds" | "loss"
  > {
    return {
      chain: this.session.client.status.chain,
      name: peer?.name,
      rounds: peer?.budget.rounds ?? 0,
      loss: peer?.budget.spent() ?? { epsilon: 0, delta: 0 },
    };
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
      return this.#note(
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
    this.#show(own);
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
      this.#note(describe(error));
      return false;
    }
  }

  #takeLine(event: LineEvent): void {
    this.#out.event(lineObject(event));
    const address = "call" in event ? event.call.address : event.address;
    const name = nameOf(address, this.#profile.address);
    this.#follow();
    const peer = this.#peers.get(address);
    const words = lineWords(event, name);
    if (words !== undefined) this.#note(words);
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
        for (const own of peer.texts) {
          if (own.id === undefined && !this.#hand(peer, own)) this.#show(own);
        }
        return;
      case "text":
        this.#heardAt = performance.now();
        this.#out.print(
          textLine(
            { from: peer.name, text: event.text, at: event.sentAt },
            this.#out.colours,
          ),
        );
        return;
      case "state": {
        const own = peer.text(event.id);
        if (own === undefined) return;
        own.state = event.state;
        own.round = event.round ?? own.round;
        return this.#show(own);
      }
      case "dialed":
        return this.#spend(peer, RoundKind.DIALING);
      case "round":
        return this.#takeRound(event, peer);
      case "refused":
      case "unanswered":
      case "ended":
        if (event.kind === "ended" && event.reason === "left by peer") {
          this.#stayUntil = this.#rounds + LINGERING_ROUNDS;
        }
        for (const own of peer.undelivered) {
          own.state = "lost";
          this.#show(own);
        }
        if (peer.budget.rounds > 0) this.#note(this.#meter(peer));
    }
  }

  #takeRound(event: LineEvent & { kind: "round" }, peer: Peer): void {
    // What came too late was seen by nobody but the server.
    if (event.outcome !== "late") this.#spend(peer, RoundKind.EXCHANGE);
    if (event.outcome === "exchanged") {
      if (peer.absent >= ABSENCES) this.#note(`${peer.name} is back`);
      peer.absent = 0;
    } else if (event.outcome === "absent" && peer.stage === "talking") {
      peer.absent++;
      if (peer.absent === ABSENCES) {
        this.#note(
          `${peer.name} was not there in the last ${ABSENCES} rounds; what you say waits`,
        );
      }
    }
  }

  #spend(peer: Peer, kind: RoundKind): void {
    const mixes = this.#chains.get(kind)?.mixes ?? [];
    const noise = noiseOfChain(mixes.map((each) => each.noise));
    peer.budget.spend(perRound(noise, kind));
  }

  #takeRounds(event: MixClientEvent): void {
    // Rounds that are left behind are nobody's loss.
    if (this.#isLeaving) return;
    this.#out.event(roundsObject(event));
    if (event.type === "chain") this.#chains.set(event.chain.kind, event.chain);
    if (event.type === "joined") this.#joined = true;
    if (event.type === "gone") this.#joined = false;
    if (event.type === "round" && event.outcome === "done") this.#rounds++;
    this.#news.take(event);
    if (event.type === "refused") {
      const { problem } = this.session.identities;
      if (problem !== undefined) this.#tellOnce(describe(problem));
    }
    this.#showPrompt();
  }

  #tellOnce(text: string): void {
    if (text === this.#told) return;
    this.#told = text;
    this.#note(
      `${text}; the chain has relays, and which there are the controllers say: sotto client network`,
    );
  }

  /** Takes over from the line how conversations stand. */
  #follow(): void {
    const views = this.#session?.line.conversations ?? [];
    for (const { address, stage, generation } of views) {
      const peer = this.#peerOf(address);
      peer.stage = stage;
      peer.generation = generation;
    }
    const held = new Set(views.map(({ address }) => address));
    for (const peer of this.#peers.values()) {
      if (!held.has(peer.address)) peer.stage = "over";
    }
  }

  #peerOf(address: string): Peer {
    const known = this.#peers.get(address);
    if (known !== undefined) return known;
    const peer = new Peer(address, nameOf(address, this.#profile.address));
    this.#peers.set(address, peer);
    return peer;
  }

  #attempt(action: () => void): void {
    try {
      action();
    } catch (error) {
      if (!(error instanceof LineError)) throw error;
      this.#note(describe(error));
    }
    this.#follow();
    this.#showPrompt();
  }

  #show(own: OwnText): void {
    const line = textLine({
      from: undefined,
      text: own.text,
      at: own.at,
      state: own.state,
      round: own.round,
    }, this.#out.colours);
    if (own.line === undefined) own.line = this.#out.print(line);
    else this.#out.change(own.line, line);
  }

  #showPrompt(): void {
    const peer = this.#current;
    const standing = !this.#joined
      ? this.#rounds === 0 ? "connecting" : "offline"
      : this.session.client.status.nextIn === undefined
      ? "waiting for a round"
      : peer?.standing ?? "waiting for calls";
    this.#out.prompt(
      peer === undefined ? `(${standing})> ` : `${peer.name} (${standing})> `,
    );
  }

  #note(text: string): void {
    this.#out.note(text);
  }

  /** Waits until a script's texts are delivered and nothing new comes any more. */
  async #finish(): Promise<void> {
    const peer = this.#current;
    if (peer === undefined) return;
    this.#heardAt = performance.now();
    const quiet = () => {
      const period = this.session.client.status.chain?.period ?? 2_000;
      return performance.now() - this.#heardAt > QUIET_ROUNDS * period;
    };
    await this.#until(
      () =>
        peer.stage === "over" ||
        peer.stage === "talking" && peer.undelivered.length === 0 && quiet(),
      this.#options.patience,
    );
  }

  /** Hangs up everywhere, and waits until that is known. */
  async #leave(): Promise<void> {
    this.#follow();
    const left = [...this.#peers.values()]
      .filter(({ stage }) => stage !== "over");
    const waiting = left.filter(({ stage }) => stage !== "calling")
      .flatMap((each) => each.undelivered).length;
    if (waiting > 0) {
      this.#note(
        `hanging up when ${waiting} of your texts are delivered; Ctrl-C leaves at once`,
      );
    }
    for (const { address } of left) this.hangUp(address);
    await this.#until(() => {
      this.#follow();
      return left.every(({ stage }) => stage === "over") &&
        (!this.#joined || this.#rounds >= this.#stayUntil);
    }, GOODBYE);
  }

  /** Waits until `condition` holds, the person wants no more, or so many milliseconds have passed. */
  async #until(condition: () => boolean, milliseconds: number): Promise<void> {
    const { signal } = this.#io;
    const end = performance.now() + milliseconds;
    while (!signal.aborted && !condition() && performance.now() < end) {
      await new Promise((resolve) => setTimeout(resolve, LOOK));
    }
  }
}

/** Whether all that was said has arrived. */
function isDone(peer: Peer): boolean {
  return peer.wasThere && peer.undelivered.length === 0;
}
