import type { Bytes, DhKeyPair, KemKeyPair } from "../../protocol/mod.ts";
import {
  concat,
  CryptoError,
  decapsulate,
  dh,
  encapsulate,
  generateDh,
  generateKem,
  MalformedError,
  X25519_BYTES,
} from "../../protocol/mod.ts";
import type { Generation } from "./generation_secret.ts";
import { firstGeneration, nextGeneration } from "./generation_secret.ts";
import { Direction } from "./round_seal.ts";
import type { StepPart } from "./step_part.ts";
import { cutStep, partsOf, STEP_LIMIT, StepKind } from "./step_part.ts";

/** A new step begins so many rounds after the one before is in use. */
const STEP_ROUNDS = 32;

/** Keys of a step that was offered, until it is answered. */
interface Offer {
  readonly dh: DhKeyPair;
  readonly kem: KemKeyPair;
}

/**
 * The secrets of a conversation, renewed step by step while it goes on. The first step is an X25519
 * agreement of two new keys; every other one adds an ML-KEM-768 encapsulation, too long for one
 * message, hence in parts between the others (as in Signal's sparse post-quantum ratchet). Callers and
 * callees begin steps in turn, the caller the second one.
 *
 * Each side moves to a generation when it knows that the other has its secret, and opens what comes
 * under the generation in use, the next and the one before, which is forgotten as soon as nothing that
 * was sealed under it can come any more. One call at a time.
 */
export class Braid {
  readonly #direction: Direction;
  /** Of the first step, until the other side's has come. */
  #ephemeral: DhKeyPair | undefined;
  /** Whether the other side has one's own key of the first step. */
  #dhArrived = false;
  #offer: Offer | undefined;
  #parts: (Bytes | undefined)[] = [];
  #previous: Generation | undefined;
  #current: Generation = firstGeneration();
  #next: Generation | undefined;
  /** In which round the other side first used the current one. */
  #followedIn: number | undefined;
  #rounds = 0;

  private constructor(direction: Direction, ephemeral: DhKeyPair) {
    this.#direction = direction;
    this.#ephemeral = ephemeral;
  }

  /**
   * The braid of one side, in generation 0.
   *
   * @returns with it what is to be sent: payloads of RATCHET messages.
   */
  static async begin(
    direction: Direction,
  ): Promise<{ braid: Braid; payloads: readonly Bytes[] }> {
    const ephemeral = await generateDh();
    return {
      braid: new Braid(direction, ephemeral),
      payloads: cutStep(StepKind.DH, 1, ephemeral.publicKey),
    };
  }

  /** Under what to seal now. */
  get current(): Generation {
    return this.#current;
  }

  /** Under what a message of the other side may be sealed, the most likely first. */
  get candidates(): readonly Generation[] {
    return [this.#current, this.#next, this.#previous]
      .filter((generation) => generation !== undefined);
  }

  /** A round begins. Returns what is to be sent if that is when a step does. */
  async turn(): Promise<readonly Bytes[]> {
    this.#rounds++;
    const { number } = this.#current;
    const due = number === 1 || number > 1 && this.#rounds >= STEP_ROUNDS;
    if (
      !due || this.#offer !== undefined || number >= STEP_LIMIT ||
      initiatorOf(number + 1) !== this.#direction
    ) return [];
    this.#offer = { dh: await generateDh(), kem: await generateKem() };
    const { dh, kem } = this.#offer;
    return cutStep(
      StepKind.OFFER,
      number + 1,
      concat(dh.publicKey, kem.publicKey),
    );
  }

  /**
   * Takes in a part that the other side has sent; one that is out of place changes nothing.
   *
   * @returns what is to be sent in answer.
   * @throws {MalformedError} if a key in it is none; nothing has changed then.
   */
  async take({ kind, step, part, data }: StepPart): Promise<readonly Bytes[]> {
    if (step !== this.#current.number + 1 || this.#next !== undefined) {
      return [];
    }
    const initiates = initiatorOf(step) === this.#direction;
    const expected = kind === StepKind.DH ||
      (kind === StepKind.ANSWER
        ? initiates && this.#offer !== undefined
        : !initiates);
    if (!expected) return [];
    const parts = [...this.#parts];
    parts[part] ??= data;
    const given = parts.filter((each) => each !== undefined);
    if (given.length < partsOf(kind)) {
      this.#parts = parts;
      return [];
    }
    const whole = concat(...given);
    const answer = await this.#agree(kind, whole);
    this.#parts = [];
    return answer;
  }

  /** The other side has said that it has the key of the first step. */
  dhArrived(): void {
    this.#dhArrived = true;
    if (this.#current.number === 0 && this.#next !== undefined) this.#move();
  }

  /** A message of the other side in the round that starts then was under that generation. */
  opened(number: number, start: number): void {
    if (number === this.#next?.number) this.#move();
    if (number === this.#current.number) this.#followedIn ??= start;
  }

  /**
   * Forgets the generation before if nothing can come under it any more.
   *
   * @param oldest start of the oldest round whose reply may still come.
   */
  settle(oldest: number | undefined): void {
    const followedIn = this.#followedIn;
    if (followedIn === undefined) return;
    if (oldest !== undefined && oldest < followedIn) return;
    this.#previous?.secret.fill(0);
    this.#previous = undefined;
  }

  /** Forgets everything. The braid must not be used any more. */
  erase(): void {
    for (const { secret } of this.candidates) secret.fill(0);
    this.#ephemeral = undefined;
    this.#offer = undefined;
  }

  /** What a thief of the memory finds: secrets as copies, private keys, parts of what has come. */
  memoryForTestingOnly(): {
    readonly generations: readonly Generation[];
    readonly dh: readonly DhKeyPair[];
    readonly kem: readonly KemKeyPair[];
    readonly parts: readonly (Bytes | undefined)[];
  } {
    const offer = this.#offer;
    return {
      generations: this.candidates
        .map(({ number, secret }) => ({ number, secret: secret.slice() })),
      dh: [this.#ephemeral, offer?.dh].filter((pair) => pair !== undefined),
      kem: offer === undefined ? [] : [offer.kem],
      parts: [...this.#parts],
    };
  }

  async #agree(kind: StepKind, whole: Bytes): Promise<readonly Bytes[]> {
    const theirs = whole.slice(0, X25519_BYTES);
    const rest = whole.slice(X25519_BYTES);
    try {
      if (kind === StepKind.DH) return await this.#takeDh(theirs);
      if (kind === StepKind.OFFER) return await this.#takeOffer(theirs, rest);
      return await this.#takeAnswer(theirs, rest);
    } catch (cause) {
      if (!(cause instanceof CryptoError)) throw cause;
      throw new MalformedError("Cannot take a step: a key is none", { cause });
    }
  }

  async #takeDh(theirs: Bytes): Promise<readonly Bytes[]> {
    const shared = await dh(this.#ephemeral!.privateKey, theirs);
    this.#next = await nextGeneration(this.#current, shared);
    this.#ephemeral = undefined;
    if (this.#dhArrived) this.#move();
    return [];
  }

  async #takeOffer(theirs: Bytes, kem: Bytes): Promise<readonly Bytes[]> {
    const own = await generateDh();
    const shared = await dh(own.privateKey, theirs);
    const { secret, ciphertext } = await encapsulate(kem);
    this.#next = await nextGeneration(this.#current, concat(shared, secret));
    return cutStep(
      StepKind.ANSWER,
      this.#next.number,
      concat(own.publicKey, ciphertext),
    );
  }

  /** Whoever answers has the secret: it is used at once. */
  async #takeAnswer(theirs: Bytes, kem: Bytes): Promise<readonly Bytes[]> {
    const offer = this.#offer!;
    const shared = await dh(offer.dh.privateKey, theirs);
    const secret = await decapsulate(offer.kem.privateKey, kem);
    this.#next = await nextGeneration(this.#current, concat(shared, secret));
    this.#move();
    return [];
  }

  #move(): void {
    this.#previous?.secret.fill(0);
    this.#previous = this.#current;
    this.#current = this.#next!;
    this.#next = undefined;
    this.#offer = undefined;
    this.#parts = [];
    this.#followedIn = undefined;
    this.#rounds = 0;
  }
}

/** Who begins a step: the caller those with even numbers. */
function initiatorOf(step: number): Direction {
  return step % 2 === 0 ? Direction.CALLER : Direction.CALLEE;
}
