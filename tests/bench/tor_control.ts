/** A connection to a Tor's control port (control-spec). */
export class TorControl implements Disposable {
  readonly #connection: Deno.TcpConn;
  readonly #decoder = new TextDecoder();
  readonly #events: string[] = [];
  #text = "";

  private constructor(connection: Deno.TcpConn) {
    this.#connection = connection;
  }

  /** Connects without a password. */
  static async connect(port: number): Promise<TorControl> {
    const connection = await Deno.connect({ hostname: "127.0.0.1", port });
    connection.setNoDelay(true);
    const control = new TorControl(connection);
    await control.command("AUTHENTICATE");
    return control;
  }

  /** Sends a command; the lines of its answer. @throws {Error} if it was refused. */
  async command(line: string): Promise<string[]> {
    const bytes = new TextEncoder().encode(`${line}\r\n`);
    for (let at = 0; at < bytes.length;) {
      at += await this.#connection.write(bytes.subarray(at));
    }
    const answer: string[] = [];
    for (;;) {
      const next = await this.#line();
      if (next.startsWith("650")) this.#events.push(next);
      else if (next.startsWith("250+")) answer.push(...await this.#data());
      else if (!next.startsWith("250")) {
        throw new Error(`Cannot ask Tor: ${line}: ${next}`);
      } else {
        answer.push(next);
        // "250-" goes on.
        if (next.startsWith("250 ")) return answer;
      }
    }
  }

  /** The next event. */
  async event(): Promise<string> {
    return this.#events.shift() ?? await this.#line();
  }

  [Symbol.dispose](): void {
    this.#connection.close();
  }

  /** What follows "250+", to the full stop that ends it. */
  async #data(): Promise<string[]> {
    const lines: string[] = [];
    for (;;) {
      const line = await this.#line();
      if (line === ".") return lines;
      lines.push(line);
    }
  }

  async #line(): Promise<string> {
    for (;;) {
      const end = this.#text.indexOf("\r\n");
      if (end >= 0) {
        const line = this.#text.slice(0, end);
        this.#text = this.#text.slice(end + 2);
        return line;
      }
      const buffer = new Uint8Array(65_536);
      const count = await this.#connection.read(buffer);
      if (count === null) throw new Error("Cannot ask Tor: it has ended");
      const part = buffer.subarray(0, count);
      this.#text += this.#decoder.decode(part, { stream: true });
    }
  }
}
