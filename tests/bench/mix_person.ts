import { ACCOUNT, accountLink } from "../../lib/account/mod.ts";
import type { Keyring } from "../../lib/identity/mod.ts";
import { MixClient } from "../../lib/mix/client/mix_client.ts";
import { ROUNDS } from "../../lib/mix/commands.ts";
import type { LineEvent } from "../../lib/mix/line/line_event.ts";
import { PrivateLine } from "../../lib/mix/line/private_line.ts";
import { dial } from "../../lib/net/mod.ts";
import { Caller, Vocabulary } from "../../lib/protocol/mod.ts";
import { sleep } from "./connecting.ts";
import { CountedStream } from "./counted_stream.ts";
import { identitiesOf } from "./mix_links.ts";
import type { Node } from "./mix_links.ts";

const VOCABULARY = new Vocabulary(ACCOUNT, ROUNDS);
/** From one text of a person that was shown to the next, in milliseconds at most. */
const PAUSE = 4_000;

/** The server, which is the first mix, and the others. */
interface Network {
  readonly entry: Node;
  readonly mixes: readonly Node[];
}

/** A client, and what its connection has carried. */
export class Client {
  readonly client: MixClient;
  readonly bytes = new CountedStream();
  /** Exchange rounds that were not answered. */
  missed = 0;

  constructor(
    { entry, mixes }: Network,
    line?: PrivateLine,
  ) {
    this.client = new MixClient({
      connect: async () => {
        const { port, certificate } = entry;
        const stream = await dial({ hostname: "127.0.0.1", port });
        this.bytes.count(stream);
        const caller = new Caller(this.bytes);
        return accountLink(await caller.connect(certificate.dhKey), VOCABULARY);
      },
      exchange: line,
      dial: line,
      identityOf: identitiesOf([entry, ...mixes]),
      policy: {
        coordinator: entry.certificate.fingerprint,
        leastMixes: mixes.length + 1,
      },
      onEvent: (event) => {
        if (event.type === "fault" || event.type === "refused") {
          // deno-lint-ignore no-console -- seen by whoever runs the benchmark
          console.error("client:", event);
        }
        if (event.type === "round" && event.outcome !== "done") this.missed++;
      },
    });
  }
}

/** Somebody who talks with one other person. */
export class Person extends Client {
  readonly #line: PrivateLine;
  readonly #peer: Keyring;
  readonly #ready = Promise.withResolvers<void>();
  /** Told of the texts that are shown. */
  #shown: (text: string) => void = () => {};

  constructor(
    network: Network,
    keyring: Keyring,
    peer: Keyring,
  ) {
    const line: PrivateLine = new PrivateLine({
      keyring,
      contacts: () => Promise.resolve([peer.certificate]),
      now: () => Date.now(),
      onEvent: (event) => this.#heard(event),
    });
    super(network, line);
    this.#line = line;
    this.#peer = peer;
  }

  /** Resolves when texts can be said. */
  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  call(): void {
    this.#line.call(this.#peer.certificate);
  }

  /** Says one text after the other until then; how long each was on its way. */
  async talk(peer: Person, end: number): Promise<number[]> {
    const latencies: number[] = [];
    for (let i = 0; performance.now() < end; i++) {
      await sleep(Math.random() * PAUSE);
      const shown = new Promise<void>((resolve) => {
        peer.#shown = (text) => {
          if (text === `text ${i}`) resolve();
        };
      });
      const begin = performance.now();
      this.#line.say(this.#peer.certificate.address, `text ${i}`);
      await shown;
      latencies.push(performance.now() - begin);
    }
    return latencies;
  }

  #heard(event: LineEvent): void {
    if (event.kind === "ringing") this.#line.accept(event.call.address);
    if (event.kind === "generation" && event.generation === 1) {
      this.#ready.resolve();
    }
    if (event.kind === "text") this.#shown(event.text);
  }
}
