/** Where a process runs and under which address it is reached. */
export interface Machine {
  /** Its IPv4 address. */
  readonly host: string;
  /** The command that runs the command behind it there; empty for this machine itself. */
  readonly enter: readonly string[];
}

/** This machine: all that run here have one address. */
export const LOOPBACK: Machine = { host: "127.0.0.1", enter: [] };
