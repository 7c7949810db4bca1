import type { OnionStream } from "../../../lib/onion/stream/opener.ts";
import type { Resolver } from "../../../lib/onion/exit/resolver.ts";

/** A resolver that answers from a table and remembers what it was asked. */
export class FakeResolver implements Resolver {
  /** What it was asked, in order. */
  readonly asked: string[] = [];
  readonly #answers: Readonly<Record<string, readonly (readonly string[])[]>>;

  /** For each name its answers, one after the other; the last is repeated. */
  constructor(
    answers: Readonly<Record<string, readonly (readonly string[])[]>>,
  ) {
    this.#answers = answers;
  }

  addresses(name: string): Promise<readonly string[]> {
    const answers = this.#answers[name] ?? [[]];
    const before = this.asked.filter((each) => each === name).length;
    this.asked.push(name);
    return Promise.resolve(answers[Math.min(before, answers.length - 1)]!);
  }

  names(ip: string): Promise<readonly string[]> {
    return this.addresses(ip);
  }
}

/** A connection that does nothing. */
export class FakeConnection implements OnionStream {
  closed = 0;
  read(): Promise<number | null> {
    return Promise.resolve(null);
  }
  write(bytes: Uint8Array): Promise<number> {
    return Promise.resolve(bytes.length);
  }
  closeWrite(): Promise<void> {
    return Promise.resolve();
  }
  close(): void {
    this.closed++;
  }
}

/** An error as the system gives it. */
export function systemError(code: string): Error {
  return Object.assign(new Error(code), { code });
}
