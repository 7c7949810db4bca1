import { quietPort } from "./quiet_port.ts";
import type { Page } from "./demo_page.ts";
import type { Ended, Running, Stage } from "./demo_stage.ts";

/** What is said in the demo; the server must never see any of it. */
const TEXTS = {
  question: "Dinner at eight, at the harbour?",
  answer: "Gladly. Who brings the map?",
  reply: "I do. See you there.",
  offline: "The boat leaves from pier nine instead.",
  hidden: "I am where nobody looks.",
  open: "This must not leave openly.",
  impostor: "Nobody else may read this.",
};
const PASSPHRASES = {
  alice: "purple walnut ladder",
  bob: "seven quiet rivers",
};

/** The whole demo, from the first start of the server to an impostor in its place. */
export async function tellStory(page: Page, stage: Stage): Promise<void> {
  page.title(
    "sotto: two people talk through a server that they need not trust",
  );
  page.say(
    "Everything below really happens: each command is a process of its own, and " +
      "the server, alice and bob have a directory each, as if on three machines " +
      `(${stage.folder}, removed at the end).`,
  );
  await new Story(page, stage).tell();
}

class Story {
  readonly #page: Page;
  readonly #stage: Stage;
  readonly #port = quietPort();

  constructor(page: Page, stage: Stage) {
    this.#page = page;
    this.#stage = stage;
  }

  get #at(): string {
    return `127.0.0.1:${this.#port}`;
  }

  async tell(): Promise<void> {
    const server = await this.#serve();
    await this.#register(server.fingerprint);
    await this.#talk();
    await this.#compare();
    const again = await this.#surviveKill(server.running);
    await this.#look();
    await this.#hide();
    await this.#refuseImpostor(again);
  }

  async #serve(): Promise<{ running: Running; fingerprint: string }> {
    const page = this.#page;
    page.step("A server starts");
    const running = await this.#startServer("server");
    page.answer(running.stdout.split("\n").slice(0, 2).join("\n"));
    page.why(
      "the server makes a key of its own at its first start. The fingerprint is what " +
        "people can compare, by another way, to be sure that they talk to this server.",
    );
    const found = await running.shows(/^fingerprint +(.+)$/m);
    return { running, fingerprint: found[1]! };
  }

  async #register(fingerprint: string): Promise<void> {
    const page = this.#page;
    page.step("Two people register");
    const seen: string[] = [];
    for (const [who, passphrase] of Object.entries(PASSPHRASES)) {
      await Deno.writeTextFile(`${this.#stage.folder}/${who}.txt`, passphrase);
      const { stderr } = await this.#sotto(
        who,
        `client register ${who} --server ${this.#at} --passphrase-file ${who}.txt`,
      );
      seen.push(stderr);
    }
    page.check(
      seen.every((text) => text.includes(fingerprint)),
      "both were shown the fingerprint that the server has printed",
    );
    page.why(
      "everybody's keys are made on their own machine. The passphrase goes through " +
        "Argon2id, slow on purpose, and is split in two: one half proves to the server " +
        "who you are, the other wraps your keys and never leaves your machine. The " +
        "server's key is remembered from now on; another one will be refused.",
    );
  }

  async #talk(): Promise<void> {
    const page = this.#page;
    page.step("They talk, both online");
    const alice = this.#start("alice", "client chat bob");
    const bob = this.#start("bob", "client chat alice");
    page.blank();
    await this.#say("alice", alice, bob, TEXTS.question);
    const answered = await this.#say("bob", bob, alice, TEXTS.answer);
    const replied = await this.#say("alice", alice, bob, TEXTS.reply);
    await alice.shows(/See you there\. {2}\[read\]/);
    await Promise.all([alice.ended(), bob.ended()]);
    page.say(
      `From Enter to the other's screen: ${answered} ms and ${replied} ms, after the ` +
        "first, which has to set things up. What alice's screen shows in the end:",
    );
    page.answer(
      alice.stdout.split("\n").filter((line) => /\[read\]| bob: /.test(line))
        .join("\n"),
    );
    page.check(
      alice.stdout.includes(`bob: ${TEXTS.answer}`) &&
        bob.stdout.includes(`alice: ${TEXTS.question}`),
      "what one types appears at the other",
    );
    page.why(
      "each letter is sealed on the writer's machine for the reader alone, with a key " +
        "that is used once (X25519 and ML-KEM-768, then the Double Ratchet), and signed " +
        'by the writer inside the seal. "read" was said by bob\'s machine, not by the server.',
    );
  }

  async #compare(): Promise<void> {
    const page = this.#page;
    page.step("Is there really nobody in between?");
    const own = await this.#sotto("alice", "client verify bob");
    const theirs = await this.#sotto("bob", "client verify alice");
    page.check(
      own.stdout === theirs.stdout && /^(\d{5} ){3}\d{5}$/m.test(own.stdout),
      "both see the same safety number",
    );
    page.why(
      "the number is made from the keys of both. A server that had slipped in keys of " +
        "its own would show each of them another one. They compare it by another way: " +
        "when they meet, or on the phone.",
    );
  }

  async #surviveKill(server: Running): Promise<Running> {
    const page = this.#page;
    page.step("Bob is offline, and the server is killed");
    const { stderr } = await this.#sotto(
      "alice",
      `client send bob "${TEXTS.offline}"`,
    );
    page.check(
      stderr.includes("stored"),
      "the server says that it has stored it",
    );
    page.command("server", `kill -9 ${server.pid}`);
    server.kill("SIGKILL");
    await server.ended();
    const again = await this.#startServer("server");
    const { stdout } = await this.#sotto("bob", "client inbox");
    page.check(
      stdout.includes(`alice: ${TEXTS.offline}`),
      "the letter has survived kill -9 and waits for bob",
    );
    const second = await this.#sotto("bob", "client inbox");
    page.check(second.stdout === "", "and it comes once, not twice");
    page.why(
      '"stored" is said only when the letter is on the disk (SQLite, synced before the ' +
        "answer). The server deletes it when bob's machine has said that it has it safe.",
    );
    return again;
  }

  async #look(): Promise<void> {
    const page = this.#page;
    page.step("What does the server know?");
    const secrets = [...Object.values(TEXTS), ...Object.values(PASSPHRASES)];
    let found = "";
    for (const secret of [TEXTS.question, TEXTS.offline, PASSPHRASES.bob]) {
      found += (await this.#grep(secret, true)).stdout;
    }
    for (const secret of secrets) {
      found += (await this.#grep(secret, false)).stdout;
    }
    page.check(
      found === "",
      "no text and no passphrase is in its database or its log",
    );
    const names = await this.#grep("alice@local", true);
    page.check(
      names.stdout !== "",
      "(the search works: it does find the names)",
    );
    page.why(
      "what gets there is sealed, and padded to fixed sizes. The server does know who " +
        "writes to whom, when and how often; letters alone do not hide that.",
    );
  }

  async #hide(): Promise<void> {
    const page = this.#page;
    page.step("Alice hides where she is");
    const text = "lab --no-server --no-proxy --relays 3 --data relays --json";
    page.command("network", `sotto ${text} &`);
    const lab = this.#stage.start("network", text.split(" "));
    const [json] = await lab.shows(/^\{.*\}$/m);
    const controller: string = JSON.parse(json).controllers[0];
    page.answer("a controller and three relays, each a process of its own");
    const network = `client network set ${controller}`;
    await this.#sotto("alice", network);
    const { stderr } = await this.#sotto(
      "alice",
      `client send bob "${TEXTS.hidden}" --onion`,
    );
    const { stdout } = await this.#sotto("bob", "client inbox");
    page.check(
      stderr.includes("stored") && stdout.includes(`alice: ${TEXTS.hidden}`),
      "a letter has gone through three relays to the server, and on to bob",
    );
    page.command("network", `kill ${lab.pid}`);
    lab.kill("SIGTERM");
    await lab.ended();
    const refused = await this.#sotto(
      "alice",
      `client send bob "${TEXTS.open}" --onion --wait 2s`,
    );
    page.check(
      refused.code === 1 && !refused.stderr.includes("stored"),
      "without relays nothing is sent, rather than sent openly",
    );
    page.why(
      "each relay knows only the one before and the one behind it: the first knows who " +
        "alice is, the last knows the server, and no one knows both. " +
        "sotto client proxy gives browsers and curl the same.",
    );
  }

  async #refuseImpostor(server: Running): Promise<void> {
    const page = this.#page;
    page.step("Somebody else takes the server's place");
    page.command("server", `kill ${server.pid}`);
    server.kill("SIGTERM");
    await server.ended();
    await this.#startServer("impostor");
    const { code, stderr } = await this.#sotto(
      "alice",
      `client send bob "${TEXTS.impostor}"`,
    );
    const refused = /THE KEY OF \S+ HAS CHANGED/.test(stderr);
    page.check(
      code === 1 && refused,
      "alice's machine notices the other key and sends nothing",
    );
    page.why(
      "the key of the first server was pinned. Without its private half nobody can " +
        "answer the handshake, so the connection is given up before anything is said.",
    );
  }

  async #startServer(folder: string): Promise<Running> {
    const text = `server --listen ${this.#at} --data ${folder}`;
    this.#page.command("server", `sotto ${text} 2>>${folder}.log &`);
    const args = text.split(" ");
    const running = this.#stage.start(folder, args, `${folder}.log`);
    await running.shows(/^address /m);
    return running;
  }

  #start(who: string, text: string): Running {
    this.#page.command(who, `sotto ${text}`);
    return this.#stage.start(who, words(text));
  }

  /** Shows a command, runs it and shows what it answers. */
  async #sotto(who: string, text: string): Promise<Ended> {
    this.#page.command(who, `sotto ${text}`);
    const ended = await this.#stage.sotto(who, words(text));
    this.#page.answer(ended.output);
    return ended;
  }

  /** Types a line and waits until the other's screen shows it; how many milliseconds that took. */
  async #say(
    who: string,
    from: Running,
    to: Running,
    text: string,
  ): Promise<number> {
    const begin = performance.now();
    await from.type(text);
    await to.shows(new RegExp(`${who}: ${RegExp.escape(text)}`));
    this.#page.answer(`${who} types: ${text}`);
    return Math.ceil(performance.now() - begin);
  }

  async #grep(text: string, show: boolean): Promise<Ended> {
    const command = ["grep", "-rlaF", text, "server", "server.log"];
    if (show) {
      this.#page.command("server", `grep -rlaF "${text}" server server.log`);
    }
    const ended = await this.#stage.run(command);
    if (ended.code > 1) throw new Error(`Cannot search: ${ended.stderr}`);
    if (show) this.#page.answer(ended.output);
    return ended;
  }
}

/** The words of a command as shown; double quotes keep blanks. */
function words(text: string): string[] {
  return Array.from(
    text.matchAll(/"([^"]*)"|(\S+)/g),
    ([, quoted, plain]) => quoted ?? plain ?? "",
  );
}
