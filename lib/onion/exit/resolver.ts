/** Answers which addresses a name has, and which names an address. */
export interface Resolver {
  /**
   * The IP addresses of `name`, which is in lower case and has no dot at its end; none if there is no
   * such name. Rejects if that could not be found out.
   */
  addresses(name: string, signal: AbortSignal): Promise<readonly string[]>;
  /** The names of the IP address `ip`, which is written canonically; otherwise like `addresses`. */
  names(ip: string, signal: AbortSignal): Promise<readonly string[]>;
}
