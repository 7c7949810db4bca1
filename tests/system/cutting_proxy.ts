import { TcpProxy } from "./tcp_proxy.ts";

/** A proxy between clients and a server that cuts connections wherever a test wants. */
export class CuttingProxy extends TcpProxy {
  /** How many bytes the next connection may carry, both ways together, before it is cut. */
  budget: () => number = () => Infinity;
  /** How many connections were cut because their budget was used up. */
  cuts = 0;

  /** `upstream` is the server's port on this machine. */
  constructor(upstream: number) {
    super(upstream, () => {
      let left = this.budget();
      return {
        look: ({ length }) => {
          const goes = Math.min(length, left);
          left -= goes;
          if (goes < length) this.cuts++;
          return goes;
        },
      };
    });
  }
}
