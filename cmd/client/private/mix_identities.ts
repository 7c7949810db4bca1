import { FLAG_MIX, formatRelayAddress } from "../../../lib/directory/mod.ts";
import type { ConsensusRelay, Directory } from "../../../lib/directory/mod.ts";
import type { NodeCertificate } from "../../../lib/identity/mod.ts";
import type { Bytes } from "../../../lib/protocol/mod.ts";
import { equalConstantTime } from "../../../lib/protocol/mod.ts";
import type { Io } from "../../io.ts";
import { networkFrom, openDirectory } from "../../network.ts";
import type { NetworkFlags } from "../../network_flags.ts";

/**
 * Whom a chain may consist of: one's own server, and relays that the controllers list as mixes. The
 * controllers are asked only when a chain has others than the server.
 */
export class MixIdentities {
  readonly #io: Io;
  readonly #flags: NetworkFlags;
  readonly #server: NodeCertificate;
  #directory: Promise<Directory> | undefined;
  #problem: unknown;

  /** `server` is the certificate that was checked against its pin. */
  constructor(io: Io, flags: NetworkFlags, server: NodeCertificate) {
    this.#io = io;
    this.#flags = flags;
    this.#server = server;
  }

  /** Why it was not known at the last look which relays there are. */
  get problem(): unknown {
    return this.#problem;
  }

  /** The certificate of the mix with this fingerprint, 32 bytes; `undefined` if it may not be in a chain. */
  async of(fingerprint: Bytes): Promise<NodeCertificate | undefined> {
    if (equalConstantTime(fingerprint, this.#server.fingerprint)) {
      return this.#server;
    }
    return (await this.#relay(fingerprint))?.descriptor.identity;
  }

  /** Where a mix is, in words for people. */
  async placeOf(fingerprint: Bytes): Promise<string> {
    if (equalConstantTime(fingerprint, this.#server.fingerprint)) {
      return "your server";
    }
    const relay = await this.#relay(fingerprint);
    return relay === undefined
      ? "not listed any more"
      : `relay at ${formatRelayAddress(relay.descriptor.address)}`;
  }

  /** Asks nobody any more. */
  async close(): Promise<void> {
    const directory = await this.#directory?.catch(() => undefined);
    directory?.close();
  }

  async #relay(fingerprint: Bytes): Promise<ConsensusRelay | undefined> {
    try {
      this.#directory ??= this.#open();
      const directory = await this.#directory;
      await directory.consensus();
      const known = mixIn(directory, fingerprint);
      if (known !== undefined) return known;
      // It may be new.
      await directory.refresh();
      this.#problem = undefined;
      return mixIn(directory, fingerprint);
    } catch (error) {
      this.#problem = error;
      return undefined;
    }
  }

  async #open(): Promise<Directory> {
    try {
      const network = await networkFrom(this.#io, this.#flags);
      return await openDirectory(this.#io, network);
    } catch (error) {
      this.#directory = undefined;
      throw error;
    }
  }
}

function mixIn(
  directory: Directory,
  fingerprint: Bytes,
): ConsensusRelay | undefined {
  const relay = directory.find(fingerprint);
  return relay !== undefined && (relay.flags & FLAG_MIX) !== 0
    ? relay
    : undefined;
}
