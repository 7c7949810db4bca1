import type { Directory } from "../../lib/directory/mod.ts";
import type { Io } from "../io.ts";
import { networkFrom, networkName, openDirectory } from "../network.ts";
import type { NetworkFlags } from "../network_flags.ts";

/** The network that a server is in: whoever is reached through it, or mixes with its relays. */
export class ServerNetwork {
  /** Its relays. */
  readonly directory: Directory;
  /** A name for what is kept of it. */
  readonly name: string;
  #fresh: Promise<void> | undefined;

  private constructor(directory: Directory, name: string) {
    this.directory = directory;
    this.name = name;
  }

  /**
   * Opens what is known of it; the copy of the consensus is kept in `data`. Nobody is asked yet.
   *
   * @param failed told of what goes wrong while something else will do.
   * @throws {UsageError} if no network is named.
   */
  static async open(
    io: Io,
    flags: NetworkFlags,
    data: string,
    failed: (error: unknown) => void,
  ): Promise<ServerNetwork> {
    const network = await networkFrom(io, flags);
    const name = await networkName(network);
    const copy = `${data}/consensus-${name}`;
    const directory = await openDirectory(io, network, failed, copy);
    return new ServerNetwork(directory, name);
  }

  /** Keeps itself fresh from now on. */
  start(): void {
    this.#fresh ??= this.directory.keepFresh();
  }

  /** Asks nobody any more. */
  async close(): Promise<void> {
    this.directory.close();
    await this.#fresh;
  }
}
