import type { Resolver } from "./resolver.ts";

/** Answers from a table first, and asks another resolver for what is not in it. */
export class HostsResolver implements Resolver {
  readonly #hosts: ReadonlyMap<string, readonly string[]>;
  readonly #next: Resolver;

  /** `hosts` is what `parseHostsFile` gives. */
  constructor(
    hosts: ReadonlyMap<string, readonly string[]>,
    next: Resolver,
  ) {
    this.#hosts = hosts;
    this.#next = next;
  }

  /** The addresses in the table, or else those that the other resolver knows. */
  async addresses(
    name: string,
    signal: AbortSignal,
  ): Promise<readonly string[]> {
    return this.#hosts.get(name) ?? await this.#next.addresses(name, signal);
  }

  /** The names in the table, or else those that the other resolver knows. */
  async names(ip: string, signal: AbortSignal): Promise<readonly string[]> {
    const names: string[] = [];
    for (const [name, ips] of this.#hosts) {
      if (ips.includes(ip)) names.push(name);
    }
    return names.length > 0 ? names : await this.#next.names(ip, signal);
  }
}
