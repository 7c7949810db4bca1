import { Buffer } from "node:buffer";
import { createHash, createHmac, pbkdf2, randomBytes } from "node:crypto";

/** How long an answer may take, in milliseconds. */
const TIMEOUT = 20_000;

/** Salted passwords, as a client keeps them that logs in again. */
const salted = new Map<string, Buffer>();

/** Where the XMPP server listens with TLS, and its certificate (PEM), which is its own authority. */
export interface XmppServer {
  readonly port: number;
  readonly certificate: string;
}

/**
 * A client for XMPP that knows just enough to measure a server: in-band registration (XEP-0077),
 * SCRAM-SHA-1 (RFC 5802), messages and receipts (XEP-0184). It reads XML by looking for what it
 * expects, which only works with the one server that it was written against.
 */
export class XmppClient {
  /** Told of a message's sender and id. */
  onMessage: (from: string, id: string) => void = () => {};
  /** Told of the id that a receipt is for. */
  onReceipt: (id: string) => void = () => {};
  readonly user: string;
  readonly #server: XmppServer;
  readonly #resource: string;
  #connection!: Deno.TlsConn;
  #text = "";
  #live = false;
  #expected:
    | { pattern: RegExp; resolve: (match: RegExpExecArray) => void }
    | undefined;
  #writing: Promise<void> = Promise.resolve();

  /** @param resource a second login with the same one ends the first. */
  constructor(server: XmppServer, user: string, resource: string) {
    this.#server = server;
    this.user = user;
    this.#resource = resource;
  }

  /** The full address that messages go to. */
  get address(): string {
    return `${this.user}@localhost/${this.#resource}`;
  }

  /** Makes the account, on a connection of its own. */
  async register(): Promise<void> {
    await this.#connect();
    this.#write(
      `<iq type='set' id='r1'><query xmlns='jabber:iq:register'>` +
        `<username>${this.user}</username><password>${this.#password}` +
        `</password></query></iq>`,
    );
    const answer = await this.#until(/<iq[^>]*id='r1'[^>]*?(\/>|>.*?<\/iq>)/s);
    if (!answer[0].includes("type='result'")) {
      throw new Error(`Cannot register with the peer: ${answer[0]}`);
    }
    this.close();
  }

  /** TCP, TLS, SCRAM, bind, presence. */
  async logIn(): Promise<void> {
    await this.#connect();
    await this.#authenticate();
    await this.#openStream();
    this.#write(
      `<iq type='set' id='b1'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>` +
        `<resource>${this.#resource}</resource></bind></iq>`,
    );
    await this.#until(/<iq[^>]*id='b1'[^>]*>.*?<\/iq>/s);
    this.#write("<presence/>");
    await this.#until(/<presence[^>]*(\/>|>.*?<\/presence>)/s);
    this.#live = true;
    this.#text = "";
  }

  send(to: string, id: string, body: string): void {
    this.#write(
      `<message to='${to}' id='${id}' type='chat'><body>${body}</body>` +
        `<request xmlns='urn:xmpp:receipts'/></message>`,
    );
  }

  sendReceipt(to: string, id: string): void {
    this.#write(
      `<message to='${to}' id='a${id}' type='chat'>` +
        `<received xmlns='urn:xmpp:receipts' id='${id}'/></message>`,
    );
  }

  close(): void {
    try {
      this.#connection.close();
    } catch {
      // Closed before.
    }
  }

  get #password(): string {
    return `pw-${this.user}`;
  }

  async #connect(): Promise<void> {
    const { port, certificate } = this.#server;
    const plain = await Deno.connect({ hostname: "127.0.0.1", port });
    plain.setNoDelay(true);
    this.#connection = await Deno.startTls(plain, {
      hostname: "localhost",
      caCerts: [certificate],
    });
    this.#read();
    await this.#openStream();
  }

  async #openStream(): Promise<void> {
    this.#text = "";
    this.#write(
      `<?xml version='1.0'?><stream:stream to='localhost' ` +
        `xmlns='jabber:client' version='1.0' ` +
        `xmlns:stream='http://etherx.jabber.org/streams'>`,
    );
    await this.#until(
      /<stream:features>.*<\/stream:features>|<stream:features\/>/s,
    );
  }

  async #authenticate(): Promise<void> {
    const nonce = randomBytes(16).toString("base64");
    const bare = `n=${this.user},r=${nonce}`;
    this.#write(
      `<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='SCRAM-SHA-1'>` +
        `${Buffer.from(`n,,${bare}`).toString("base64")}</auth>`,
    );
    const challenge = await this.#until(
      /<challenge[^>]*>([^<]*)<\/challenge>|<failure/,
    );
    const first = Buffer.from(challenge[1] ?? "", "base64").toString();
    const field = (name: string) =>
      new RegExp(`(?:^|,)${name}=([^,]*)`).exec(first)![1]!;
    const password = await this.#saltedPassword(field("s"), Number(field("i")));
    const clientKey = hmac(password, "Client Key");
    const withoutProof = `c=biws,r=${field("r")}`;
    const message = `${bare},${first},${withoutProof}`;
    const signature = hmac(
      createHash("sha1").update(clientKey).digest(),
      message,
    );
    const proof = Buffer.from(clientKey.map((byte, i) => byte ^ signature[i]!));
    const last = `${withoutProof},p=${proof.toString("base64")}`;
    this.#write(
      `<response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>` +
        `${Buffer.from(last).toString("base64")}</response>`,
    );
    const success = await this.#until(
      /<success[^>]*>([^<]*)<\/success>|<failure/,
    );
    const expected = hmac(hmac(password, "Server Key"), message)
      .toString("base64");
    const said = Buffer.from(success[1] ?? "", "base64").toString();
    if (!said.includes(expected)) throw new Error("Cannot log in at the peer");
  }

  async #saltedPassword(salt: string, iterations: number): Promise<Buffer> {
    const name = `${this.user} ${salt} ${iterations}`;
    const known = salted.get(name);
    if (known !== undefined) return known;
    const key = await new Promise<Buffer>((resolve, reject) =>
      pbkdf2(
        this.#password,
        Buffer.from(salt, "base64"),
        iterations,
        20,
        "sha1",
        (error, bytes) => error === null ? resolve(bytes) : reject(error),
      )
    );
    salted.set(name, key);
    return key;
  }

  #write(text: string): void {
    const bytes = new TextEncoder().encode(text);
    this.#writing = this.#writing.then(async () => {
      for (let at = 0; at < bytes.length;) {
        at += await this.#connection.write(bytes.subarray(at));
      }
    }).catch(() => {/* closed */});
  }

  async #read(): Promise<void> {
    const buffer = new Uint8Array(65_536);
    const decoder = new TextDecoder();
    try {
      for (;;) {
        const count = await this.#connection.read(buffer);
        if (count === null) return;
        this.#text += decoder.decode(buffer.subarray(0, count), {
          stream: true,
        });
        if (this.#live) this.#takeMessages();
        else this.#check();
      }
    } catch {
      // Closed.
    }
  }

  #until(pattern: RegExp): Promise<RegExpExecArray> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () =>
          reject(new Error(`Cannot measure the peer: no ${pattern.source}`)),
        TIMEOUT,
      );
      this.#expected = {
        pattern,
        resolve(match) {
          clearTimeout(timer);
          resolve(match);
        },
      };
      this.#check();
    });
  }

  #check(): void {
    const match = this.#expected?.pattern.exec(this.#text);
    if (match === undefined || match === null) return;
    this.#text = this.#text.slice(match.index + match[0].length);
    const { resolve } = this.#expected!;
    this.#expected = undefined;
    resolve(match);
  }

  #takeMessages(): void {
    for (;;) {
      const end = this.#text.indexOf("</message>");
      if (end < 0) return;
      const stanza = this.#text.slice(0, end);
      this.#text = this.#text.slice(end + "</message>".length);
      const receipt = /<received [^>]*?id='([^']*)'/.exec(stanza);
      if (receipt !== null) {
        this.onReceipt(receipt[1]!);
        continue;
      }
      const id = /<message[^>]* id='([^']*)'/.exec(stanza);
      const from = /<message[^>]* from='([^']*)'/.exec(stanza);
      if (id !== null && from !== null && stanza.includes("<body>")) {
        this.onMessage(from[1]!, id[1]!);
      }
    }
  }
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac("sha1", key).update(text).digest();
}
