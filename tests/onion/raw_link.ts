import {
  CELL,
  destroyReason,
  encodeHeaders,
} from "../../lib/onion/cell/cell.ts";
import type { CellHeader, CellSize } from "../../lib/onion/cell/cell.ts";
import { Link } from "../../lib/onion/link/link.ts";
import type { Bytes, Channel } from "../../lib/protocol/mod.ts";

/** A cell that has come over a raw link. */
export interface RawCell extends CellHeader {
  readonly body: Bytes;
}

/** A link on which a test says whatever cells it likes, and hears all that come. */
export class RawLink implements AsyncDisposable {
  /** What has come, in order; padding does not count. */
  readonly cells: RawCell[] = [];
  /** Resolves when the other side has ended it. */
  readonly ended: Promise<void>;
  /** Below it. */
  readonly channel: Channel;
  readonly #link: Link;

  /** `channel` is one on which a link was granted. */
  constructor(channel: Channel) {
    this.channel = channel;
    this.#link = new Link(channel, () => performance.now());
    this.ended = this.#link.receive({
      cell: (header, body) => {
        this.cells.push({ ...header, body: body.slice() });
      },
    }).catch(() => {/* it broke off: an end as well */});
  }

  /** Bytes that wait to be sent. */
  get queued(): number {
    return this.#link.queued;
  }

  /** Sends a cell; the body is filled up. */
  send(circuit: number, command: number, size: CellSize, body: Bytes): void {
    this.#link.send(circuit, command, size, body);
  }

  /** Sends headers that no honest node would, without bodies. */
  async headers(headers: readonly CellHeader[]): Promise<void> {
    await this.channel.send(encodeHeaders(headers));
  }

  /** The cells of a kind that have come. */
  of(command: number): RawCell[] {
    return this.cells.filter((each) => each.command === command);
  }

  /** Why circuits were destroyed, in order. */
  get reasons(): string[] {
    return this.of(CELL.DESTROY).map(({ detail }) => destroyReason(detail));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#link.abort();
    await this.ended;
  }
}
