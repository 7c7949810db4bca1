import type { ResponseHead } from "../front/http_head.ts";
import type { Bytes } from "../../protocol/mod.ts";
import type { BodyReader } from "./body_reader.ts";
import type { WebConnection } from "./web_connection.ts";

/** What a web server has answered. */
export class WebResponse {
  /** Where it came from, after redirects. */
  readonly url: URL;
  readonly #head: ResponseHead;
  readonly #body: BodyReader;
  readonly #connection: WebConnection;

  /** Takes over `connection`. */
  constructor(
    url: URL,
    head: ResponseHead,
    body: BodyReader,
    connection: WebConnection,
  ) {
    this.url = url;
    this.#head = head;
    this.#body = body;
    this.#connection = connection;
  }

  /** 200 to 999. */
  get status(): number {
    return this.#head.status;
  }

  /** "404 Not Found". */
  get statusText(): string {
    return `${this.#head.status} ${this.#head.reason}`.trim();
  }

  /** Whether the server did what it was asked. */
  get ok(): boolean {
    return this.status < 300;
  }

  /** Name and value of all fields of the header. */
  get fields(): readonly (readonly [string, string])[] {
    return this.#head.fields.list;
  }

  /** The value of a field by its name in lower case, or `undefined` if there is none or many. */
  field(name: string): string | undefined {
    const [value, ...others] = this.#head.fields.values(name);
    return others.length === 0 ? value : undefined;
  }

  /**
   * The next bytes of the body, which are good until the next call; `undefined` at its end.
   *
   * @throws what has broken the connection.
   */
  async read(): Promise<Bytes | undefined> {
    return await this.#connection.during(() => this.#body.read());
  }

  /** Lets go of it, whatever is left unread. */
  close(): void {
    this.#connection.close();
  }
}
