/** What is asked and answered has many shapes; each caller knows that of its own. */
// deno-lint-ignore no-explicit-any
type Fields = Record<string, any>;

interface Waiting {
  readonly method: string;
  readonly fits: (fields: Fields) => boolean;
  readonly resolve: (fields: Fields) => void;
}

const PATIENCE_MS = 60_000;

/** A browser under the Chrome DevTools Protocol, and one page in it. */
export class DevTools implements Disposable {
  readonly #socket: WebSocket;
  readonly #asked = new Map<number, PromiseWithResolvers<Fields>>();
  readonly #waiting = new Set<Waiting>();
  #session: string | undefined;
  #lastId = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.onmessage = ({ data }) => this.#take(JSON.parse(data));
  }

  /** Connects to a browser. */
  static async open(address: string): Promise<DevTools> {
    const socket = new WebSocket(address);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    socket.onopen = () => resolve();
    socket.onerror = () => reject(new Error("Chromium does not answer"));
    await promise;
    return new DevTools(socket);
  }

  /** Opens a page, which later questions are for. */
  async attach(): Promise<void> {
    const url = "about:blank";
    const { targetId } = await this.ask("Target.createTarget", { url });
    const target = { targetId, flatten: true };
    const { sessionId } = await this.ask("Target.attachToTarget", target);
    this.#session = sessionId;
    await this.ask("Page.enable");
  }

  /** Asks for something and gives the answer. @throws {Error} if the browser says that it failed. */
  async ask(method: string, params: Fields = {}): Promise<Fields> {
    const id = ++this.#lastId;
    const asked = Promise.withResolvers<Fields>();
    this.#asked.set(id, asked);
    const isForPage = this.#session !== undefined &&
      !method.startsWith("Browser.");
    const session = isForPage ? { sessionId: this.#session } : {};
    this.#socket.send(JSON.stringify({ id, method, params, ...session }));
    return await soon(asked.promise, method);
  }

  /** The next event of this name that fits. */
  async event(
    method: string,
    fits: (fields: Fields) => boolean = () => true,
  ): Promise<Fields> {
    const { promise, resolve } = Promise.withResolvers<Fields>();
    this.#waiting.add({ method, fits, resolve });
    return await soon(promise, method);
  }

  /** Does something, and waits until a page is loaded by it. */
  async load(action: () => Promise<unknown>): Promise<void> {
    const loaded = this.event("Page.loadEventFired");
    await Promise.all([action(), loaded]);
  }

  /** The value of an expression in the page. */
  async evaluate(expression: string): Promise<unknown> {
    const question = { expression, returnByValue: true };
    const answer = await this.ask("Runtime.evaluate", question);
    if (answer["exceptionDetails"] === undefined) return answer.result.value;
    throw new Error(`${expression}: ${JSON.stringify(answer)}`);
  }

  #take({ id, method, params, result, error }: Fields): void {
    if (id !== undefined) {
      const asked = this.#asked.get(id);
      this.#asked.delete(id);
      if (error === undefined) asked?.resolve(result);
      else asked?.reject(new Error(JSON.stringify(error)));
      return;
    }
    for (const waiting of this.#waiting) {
      if (waiting.method !== method || !waiting.fits(params)) continue;
      this.#waiting.delete(waiting);
      waiting.resolve(params);
    }
  }

  [Symbol.dispose](): void {
    this.#socket.close();
  }
}

async function soon<T>(promise: Promise<T>, what: string): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => reject(new Error(`${what}: nothing came`)),
    PATIENCE_MS,
  );
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
