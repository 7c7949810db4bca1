import { AccountError } from "../../lib/account/mod.ts";
import type { Bytes } from "../../lib/protocol/mod.ts";
import { equalConstantTime, randomBytes } from "../../lib/protocol/mod.ts";
import {
  formatOffer,
  newSecret,
  removeCommand,
  reserveCommand,
  reserved,
} from "../../lib/transfer/mod.ts";
import { CommandError, UsageError } from "../errors.ts";
import { COMMON_FLAGS, parseFlags } from "../flags.ts";
import type { FlagValues } from "../flags.ts";
import type { Io } from "../io.ts";
import { personOf } from "./address.ts";
import { eventText } from "./event_text.ts";
import {
  describeOffer,
  formatDigest,
  offerObject,
  sentText,
} from "./file_summary.ts";
import { Online } from "./online.ts";
import { isGone, OutgoingFiles } from "./outgoing_files.ts";
import { Profile } from "./profile.ts";
import { PROFILE_FLAGS } from "./profile_secret.ts";
import { pushKey, readPush, removePush, writePush } from "./push_record.ts";
import type { PushRecord } from "./push_record.ts";
import {
  lifetimeOf,
  paceOf,
  patienceOf,
  SENDING_FLAGS,
} from "./transfer_flags.ts";
import { onlineWithin } from "./waiting.ts";

/** Help for `sotto client push`. */
export const usage = `sotto client push sends files or directories to somebody.

Usage: sotto client push PERSON PATH... [FLAG]...

They are sealed on this machine for PERSON alone; the server keeps them until they are fetched and learns
neither names nor contents. PERSON gets an offer at once and can fetch while you send. What was broken off
goes on where it was when the same command is given again; files that have changed since are not mixed.
"-" is standard input.

Flags:
  --expires DURATION       how long the server keeps them; 3d if not given
  --limit-rate RATE        at most so many bytes a second, as in 10M
  --restart                begin again, also if something was sent before
  --name NAME              what standard input is called
  --wait DURATION          give up when nothing moves for this time; 2m if not given
  --json                   print a summary as JSON
  --passphrase-file FILE, --profile NAME

Examples:
  sotto client push bob report.pdf
  sotto client push bob photos/ notes.txt --expires 12h
  tar cz project | sotto client push bob - --name project.tar.gz
`;

const FLAGS = {
  ...COMMON_FLAGS,
  ...PROFILE_FLAGS,
  ...SENDING_FLAGS,
  restart: { type: "boolean" },
} as const;

/** `sotto client push`. */
export async function run(args: string[], io: Io): Promise<number> {
  const { flags, operands } = parseFlags(args, FLAGS, {
    least: 2,
    most: Infinity,
    shape: "PERSON PATH...",
  });
  const [person, ...paths] = operands;
  const lifetime = lifetimeOf(flags.expires ?? "3d");
  using profile = await Profile.open(io, flags);
  const address = personOf(person!, profile.address);
  if (address === profile.address) {
    throw new UsageError("you cannot send to yourself");
  }
  await using files = await OutgoingFiles.find(io, paths, {
    directory: profile.directory,
    name: flags.name,
    quiet: flags.quiet,
  });
  const push = new Push(io, profile, address, files, flags);
  const key = paths[0] === "-" ? undefined : await pushKey(address, paths);
  await push.run(key, lifetime);
  return 0;
}

class Push {
  readonly #io: Io;
  readonly #profile: Profile;
  readonly #address: string;
  readonly #files: OutgoingFiles;
  readonly #flags: FlagValues<typeof FLAGS>;

  constructor(
    io: Io,
    profile: Profile,
    address: string,
    files: OutgoingFiles,
    flags: FlagValues<typeof FLAGS>,
  ) {
    this.#io = io;
    this.#profile = profile;
    this.#address = address;
    this.#files = files;
    this.#flags = flags;
  }

  /** @param key under which what is needed to go on is kept; `undefined` if nothing can be gone on with. */
  async run(key: string | undefined, lifetime: number): Promise<void> {
    const pace = paceOf(this.#flags["limit-rate"]);
    const patience = patienceOf(this.#flags);
    const record = await this.#record(key);
    const { vault, route, account: { server } } = this.#profile;
    const files = this.#files;
    const blob = await files.blob(
      record.secret,
      record.writeCapability,
      record.salt,
    );
    if (key !== undefined) await writePush(vault, key, record);
    const online = await this.#connect(patience);
    try {
      let { entry, expiresAt } = record;
      if (entry === 0) {
        const command = await reserveCommand(blob, { downloads: 1, lifetime });
        expiresAt = reserved(await request(online, command));
      }
      const offer = files.offer(record.secret, expiresAt);
      if (entry === 0) {
        entry = await online.mailbox.send(this.#address, formatOffer(offer));
        if (key !== undefined) {
          await writePush(vault, key, { ...record, entry, expiresAt });
        }
        await this.#say(`offered to ${this.#address}: ${describeOffer(offer)}`);
      }
      const sending = files.send(
        { io: this.#io, route, server, patience, quiet: this.#flags.quiet },
        blob,
        pace,
      );
      const digest = await sending.catch(async (error) => {
        if (!isGone(error)) throw error;
        if (key !== undefined) await removePush(vault, key);
        throw new CommandError("The files are not at the server any more", {
          hint: "they were fetched or have expired; " +
            "the same command sends them anew",
        });
      });
      await this.#offerArrived(online, entry, patience);
      await this.#say(sentText(digest));
      if (this.#flags.json) {
        const summary = {
          to: this.#address,
          ...offerObject(offer),
          ...digest === undefined ? {} : { digest: formatDigest(digest) },
        };
        await this.#io.stdout.write(`${JSON.stringify(summary)}\n`);
      }
      // Last: whoever is killed before knows that it is sent, or gives the same command again.
      if (key !== undefined) await removePush(vault, key);
    } finally {
      await online.close();
    }
  }

  /** What was begun before with the same files, or something new. */
  async #record(key: string | undefined): Promise<PushRecord> {
    const fingerprint = await this.#files.source.fingerprint();
    const { vault } = this.#profile;
    const before = key === undefined ? undefined : await readPush(vault, key);
    if (before !== undefined && !this.#flags.restart) {
      if (equalConstantTime(before.fingerprint, fingerprint)) {
        await this.#say("going on with what was sent before");
        return before;
      }
      throw new CommandError(
        "Cannot go on: the files have changed since a part of them was sent",
        { hint: "--restart sends them anew" },
      );
    }
    if (before !== undefined) await this.#forget(before);
    return {
      secret: newSecret(),
      writeCapability: newSecret(),
      salt: randomBytes(24),
      fingerprint,
      entry: 0,
      expiresAt: 0,
    };
  }

  async #forget(before: PushRecord): Promise<void> {
    const blob = await this.#files.blob(before.secret, before.writeCapability);
    const online = await this.#connect(patienceOf(this.#flags));
    try {
      await request(online, removeCommand(blob));
    } catch (error) {
      // It has expired, or was fetched.
      if (!(error instanceof AccountError)) throw error;
    } finally {
      await online.close();
    }
  }

  async #connect(patience: number): Promise<Online> {
    const online = await Online.start(this.#io, this.#profile, {
      receive: false,
      onEvent: (event) => {
        const text = eventText(event);
        if (text !== undefined) {
          this.#say(text).catch(() => {/* nobody reads */});
        }
      },
    });
    try {
      await onlineWithin(online, patience);
      return online;
    } catch (error) {
      await online.close();
      throw error;
    }
  }

  /** The files are there; the letter that opens them must be, too. */
  async #offerArrived(
    online: Online,
    number: number,
    patience: number,
  ): Promise<void> {
    const { book } = online.mailbox;
    const end = performance.now() + patience;
    for (;;) {
      const entry = await book.entry(this.#address, number);
      if (entry === undefined || entry.state === "failed") {
        throw new CommandError(
          `Cannot offer to ${this.#address}: ${
            entry?.reason ?? "the offer is gone"
          }`,
        );
      }
      if (entry.state !== "queued") return;
      if (performance.now() > end) {
        throw new CommandError(
          `The files are at the server; the offer to ${this.#address} is not${
            entry.reason === "" ? "" : `: ${entry.reason}`
          }`,
          { hint: "it leaves with the next command that is online" },
        );
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  async #say(text: string): Promise<void> {
    if (!this.#flags.quiet) await this.#io.stderr.write(`${text}\n`);
  }
}

function request(
  online: Online,
  command: Bytes,
): ReturnType<NonNullable<Online["session"]>["request"]> {
  const { session } = online;
  if (session === undefined) {
    throw new CommandError("Cannot go on for now: the connection is gone", {
      hint: "the same command goes on where it was",
    });
  }
  return session.request(command);
}
