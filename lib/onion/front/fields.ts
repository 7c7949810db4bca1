/** A header field: its name as written and its value without the blanks around it. */
export type Field = readonly [name: string, value: string];

/**
 * Fields that are meant for the next hop only (RFC 9110 §7.6.1), Transfer-Encoding among them: who
 * sends a body says how it is sent.
 */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "transfer-encoding",
  "upgrade",
]);

/** What `Connection` must not take away: where a message ends and whom it is for (RFC 9110 §7.6.1). */
const END_TO_END: ReadonlySet<string> = new Set([
  "cache-control",
  "content-length",
  "host",
]);

/** The header fields of an HTTP message, in their order, with names in any case. */
export class Fields {
  /** All of them. */
  readonly list: readonly Field[];

  /** Keeps `list` as it is. */
  constructor(list: readonly Field[] = []) {
    this.list = list;
  }

  /** The values of all fields of a name (in lower case). */
  values(name: string): string[] {
    return this.list.filter(([each]) => each.toLowerCase() === name)
      .map(([, value]) => value);
  }

  /** The elements, in lower case, of a field that is a list. */
  tokens(name: string): string[] {
    return this.values(name).flatMap((value) => value.split(","))
      .map((token) => token.trim().toLowerCase())
      .filter((token) => token !== "");
  }

  /** Those that go on to the next hop; without `Host`, which is said anew. */
  forward(): Fields {
    const named = new Set(
      this.tokens("connection").filter((name) => !END_TO_END.has(name)),
    );
    return new Fields(this.list.filter(([each]) => {
      const name = each.toLowerCase();
      return name !== "host" && !HOP_BY_HOP.has(name) && !named.has(name);
    }));
  }
}
