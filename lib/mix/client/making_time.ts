/** How many makings are looked back at. */
const MEMORY = 8;
/** Before anything was measured, and at least and at most, in milliseconds. */
const FIRST = 40;
const LEAST = 20;
const MOST = 2_000;

/** How long before onions are due their making must begin, learnt from how long it took. */
export class MakingTime {
  readonly #took: number[] = [];

  /** A making took so many milliseconds. */
  took(milliseconds: number): void {
    this.#took.push(milliseconds);
    if (this.#took.length > MEMORY) this.#took.shift();
  }

  /** Twice as long as the longest of late, and a little more, in milliseconds. */
  get allowance(): number {
    if (this.#took.length === 0) return FIRST;
    return Math.min(MOST, LEAST + 2 * Math.max(...this.#took));
  }
}
