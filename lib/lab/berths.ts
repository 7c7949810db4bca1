import { formatServerAddress } from "../identity/mod.ts";
import type { Bytes } from "../protocol/mod.ts";
import { freePort } from "./free_port.ts";

/** Where members listen: each has a port for as long as there is the lab, and when it is raised again. */
export class Berths {
  readonly #hosts: (name: string) => string;
  readonly #ports: Record<string, number>;
  /** Who is known by a port from before. */
  readonly #settled: ReadonlySet<string>;

  /** `ports` are those that were given away before. */
  constructor(
    hosts: (name: string) => string,
    ports: Readonly<Record<string, number>>,
  ) {
    this.#hosts = hosts;
    this.#ports = { ...ports };
    this.#settled = new Set(Object.keys(ports));
  }

  /** The ports that are given away, by name. */
  get ports(): Readonly<Record<string, number>> {
    return this.#ports;
  }

  /** Where a member listens, `HOST:PORT`. */
  of(name: string): string {
    return formatServerAddress({
      host: this.#host(name),
      port: this.#port(name),
    });
  }

  /** The address of a member that has this fingerprint, 32 bytes. */
  address(name: string, fingerprint: Bytes): string {
    const [host, port] = [this.#host(name), this.#port(name)];
    return formatServerAddress({ host, port, fingerprint });
  }

  /** Gives a member another port; whether it may have one: those of before stay where they were. */
  move(name: string): boolean {
    if (this.#settled.has(name)) return false;
    delete this.#ports[name];
    return true;
  }

  #host(name: string): string {
    return this.#hosts(name);
  }

  #port(name: string): number {
    return this.#ports[name] ??= freePort(this.#host(name));
  }
}
