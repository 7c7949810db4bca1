/** One question for the coordinator's time, and its answer. */
export interface ClockSample {
  /** When it was asked, in milliseconds of the own steady clock. */
  readonly askedAt: number;
  /** When the answer came, in milliseconds of the own steady clock. */
  readonly heardAt: number;
  /** What the answer said: milliseconds since 1970. */
  readonly told: number;
}

/** What a sample says of the clock and of the way. */
export interface ClockReading {
  /** What added to the own steady clock gives the coordinator's time, in milliseconds. */
  readonly offset: number;
  /** To the entry and back, in milliseconds. The offset is off by half of it at most. */
  readonly roundTrip: number;
}

/**
 * The reading with the shortest way, which leaves the least room for error; half of the way is taken
 * for the way back, as NTP does (RFC 5905 §8).
 *
 * @throws {RangeError} if there are no samples.
 */
export function bestReading(samples: readonly ClockSample[]): ClockReading {
  const readings = samples.map(({ askedAt, heardAt, told }) => ({
    offset: told - (askedAt + heardAt) / 2,
    roundTrip: Math.max(0, heardAt - askedAt),
  }));
  const [first, ...others] = readings;
  if (first === undefined) throw new RangeError("Cannot read a clock: unasked");
  return others.reduce(
    (best, each) => each.roundTrip < best.roundTrip ? each : best,
    first,
  );
}
