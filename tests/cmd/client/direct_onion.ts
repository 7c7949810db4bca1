import type { OpenOnion } from "../../../cmd/client/onion_link.ts";
import type {
  OnionStream,
  StreamOpener,
} from "../../../lib/onion/stream/opener.ts";
import { StreamError } from "../../../lib/onion/stream/stream_error.ts";
import { DirectOpener } from "../../onion/front/direct_opener.ts";

/** An onion without any layer: it dials by itself, and tells whether it was closed. */
export class DirectOnion {
  readonly opener: DirectOpener;
  closed = 0;

  constructor(hosts: Record<string, string> = { "": "127.0.0.1" }) {
    this.opener = new DirectOpener(hosts);
  }

  /** To be given to a command. */
  readonly open: OpenOnion = () =>
    Promise.resolve({
      opener: this.opener,
      status: () => ({ circuits: 0 }),
      close: () => {
        this.closed++;
        return Promise.resolve();
      },
    });
}

/** An onion in which streams break: the n-th one after so many bytes have come, as `after` says. */
export class BreakingOnion extends DirectOnion {
  readonly #after: readonly number[];
  #streams = 0;

  constructor(after: readonly number[], hosts?: Record<string, string>) {
    super(hosts);
    this.#after = after;
  }

  override readonly open: OpenOnion = () => {
    const opener: StreamOpener = {
      open: async (host, port, isolation, signal) =>
        breakAfter(
          await this.opener.open(host, port, isolation, signal),
          this.#after[this.#streams++] ?? Infinity,
        ),
      resolve: (name, isolation) => this.opener.resolve(name, isolation),
    };
    return Promise.resolve({
      opener,
      status: () => ({ circuits: 1 }),
      close: () => {
        this.closed++;
        return Promise.resolve();
      },
    });
  };
}

function breakAfter(stream: OnionStream, bytes: number): OnionStream {
  let left = bytes;
  return {
    async read(buffer) {
      if (left <= 0) throw new StreamError("circuit-gone", "Cannot read");
      const room = Math.min(buffer.length, left);
      const count = await stream.read(buffer.subarray(0, room));
      left -= count ?? 0;
      return count;
    },
    write: (data) => stream.write(data),
    closeWrite: () => stream.closeWrite(),
    close: () => stream.close(),
  };
}
