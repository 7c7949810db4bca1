/** Whoever hangs up goes on for so many rounds if the other side does not acknowledge it. */
export const LEAVING_ROUNDS = 30;
/** Whoever was hung up on stays for so many rounds at most, */
export const STAYING_ROUNDS = 20;
/** and goes when the other side was absent so many times in a row: it has what it waited for. */
export const ABSENCES = 3;

/** When a conversation that ends is over. */
export class Farewell {
  #left = Infinity;
  #absences = 0;
  #leaving = false;
  #over = false;
  #hungUpOn = false;

  /** Whether this side has hung up. */
  get leaving(): boolean {
    return this.#leaving;
  }

  /** Whether the other side has. */
  get hungUpOn(): boolean {
    return this.#hungUpOn;
  }

  /** Whether to take part no longer. */
  get over(): boolean {
    return this.#over;
  }

  /** This side hangs up. */
  leave(): void {
    this.#leaving = true;
    this.#left = Math.min(this.#left, LEAVING_ROUNDS);
  }

  /** The other side hung up. */
  hangUp(): void {
    this.#hungUpOn = true;
    this.#left = Math.min(this.#left, STAYING_ROUNDS);
  }

  /** The other side has acknowledged something: it is worth going on. */
  progress(): void {
    if (this.#leaving && !this.#hungUpOn) this.#left = LEAVING_ROUNDS;
  }

  /** The other side has acknowledged that this one hangs up. */
  acknowledged(): void {
    this.#over = true;
  }

  /** A round is over. */
  round(absent: boolean): void {
    this.#absences = absent ? this.#absences + 1 : 0;
    if (this.#hungUpOn && this.#absences >= ABSENCES) this.#over = true;
  }

  /** A round begins. */
  turn(): void {
    if (this.#left-- <= 0) this.#over = true;
  }
}
