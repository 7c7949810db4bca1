import { blobKeys } from "../../lib/transfer/mod.ts";
import { parseDuration } from "../duration.ts";
import { CommandError, UsageError } from "../errors.ts";
import { COMMON_FLAGS, parseFlags } from "../flags.ts";
import type { FlagValues } from "../flags.ts";
import { formatDuration } from "../format_duration.ts";
import type { Io } from "../io.ts";
import { InterruptedError } from "../io.ts";
import { personOf } from "./address.ts";
import { eventText } from "./event_text.ts";
import { describeOffer, offerObject } from "./file_summary.ts";
import type { Contents } from "./file_summary.ts";
import { FetchNotes, notedIn, partId } from "./fetch_notes.ts";
import { fetchFiles } from "./incoming_files.ts";
import type { Destination } from "./incoming_files.ts";
import { receivedOffers } from "./offers.ts";
import type { ReceivedOffer } from "./offers.ts";
import { Online } from "./online.ts";
import { Profile } from "./profile.ts";
import { PROFILE_FLAGS } from "./profile_secret.ts";
import { isGone } from "./outgoing_files.ts";
import { noteGone, notePulled } from "./push_record.ts";
import { agree, destinationOf, sayFetched } from "./receiving.ts";
import { paceOf, patienceOf, RECEIVING_FLAGS } from "./transfer_flags.ts";
import { allArrived } from "./waiting.ts";

/** Help for `sotto client pull`. */
export const usage = `sotto client pull fetches files that somebody has offered.

Usage: sotto client pull [PERSON [NUMBER]] [FLAG]...

Shows what is offered, by whom, and fetches it if you agree: the newest that was not fetched yet, of PERSON
if named, or the one with NUMBER (see --list). What was broken off goes on where it was when the same command
is given again. Nothing is overwritten: if a name is taken it becomes "name (1)".

Flags:
  --list, -l               show all offers and fetch nothing
  --to DIR                 where to put it; the current directory if not given
  --output, -o FILE        one file, under this name; "-" is standard output
  --replace                overwrite what is there
  --yes, -y                do not ask
  --limit-rate RATE        at most so many bytes a second, as in 10M
  --wait DURATION          wait for an offer, and give up when nothing moves for this time; 2m if not given
                           once it has begun
  --json                   print what came as JSON
  --passphrase-file FILE, --profile NAME

Examples:
  sotto client pull
  sotto client pull bob --to ~/Downloads --yes
  sotto client pull bob --output - | tar xz
`;

const FLAGS = {
  ...COMMON_FLAGS,
  ...PROFILE_FLAGS,
  ...RECEIVING_FLAGS,
  list: { type: "boolean", short: "l" },
} as const;

/** How long it waits for a connection, and for letters that wait, in milliseconds. */
const PATIENCE = 10_000;

/** `sotto client pull`. */
export async function run(args: string[], io: Io): Promise<number> {
  const { flags, operands } = parseFlags(args, FLAGS, {
    most: 2,
    shape: "[PERSON [NUMBER]]",
  });
  const destination = await destinationOf(io, flags);
  using profile = await Profile.open(io, flags);
  const [person, number] = operands;
  const from = person === undefined
    ? undefined
    : personOf(person, profile.address);
  const pull = new Pull(io, profile, flags, from);
  const online = await pull.goOnline();
  try {
    if (flags.list) return await pull.list(online);
    const chosen = await pull.choose(online, number, destination);
    await agree(
      io,
      flags,
      `${chosen.address} offers ${describeOffer(chosen.offer)}`,
    );
    const { id } = await blobKeys(chosen.offer.secret);
    const fetching = fetchFiles(
      {
        io,
        route: profile.route,
        server: profile.account.server,
        patience: patienceOf(flags),
        quiet: flags.quiet,
        pace: paceOf(flags["limit-rate"]),
        agree: (contents) => asOffered(chosen, contents),
        placed: (paths) => notePulled(profile.vault, id, paths),
      },
      chosen.offer.secret,
      chosen.offer.name,
      destination,
    );
    const fetched = await fetching.catch(async (error) => {
      if (isGone(error)) await noteGone(profile.vault, id);
      throw error;
    });
    await online.mailbox.markRead(chosen.address, chosen.number);
    await sayFetched(io, flags, fetched, {
      from: chosen.address,
      ...offerObject(chosen.offer),
    });
    return 0;
  } finally {
    await online.close();
  }
}

/** What was agreed to is what was offered, and the files themselves say what they are. */
function asOffered(
  { address, offer }: ReceivedOffer,
  contents: Contents,
): Promise<void> {
  const differs = contents.name !== offer.name ||
    contents.kind !== offer.kind || contents.size !== offer.size ||
    contents.entries !== offer.entries;
  return differs
    ? Promise.reject(
      new CommandError(
        `Not fetched: ${address} has offered ${describeOffer(offer)} and sent ${
          describeOffer(contents)
        }`,
      ),
    )
    : Promise.resolve();
}

class Pull {
  readonly #io: Io;
  readonly #profile: Profile;
  readonly #flags: FlagValues<typeof FLAGS>;
  readonly #from: string | undefined;
  /** Wakes whoever waits for letters. */
  #wake: () => void = () => {};

  constructor(
    io: Io,
    profile: Profile,
    flags: FlagValues<typeof FLAGS>,
    from: string | undefined,
  ) {
    this.#io = io;
    this.#profile = profile;
    this.#flags = flags;
    this.#from = from;
  }

  async goOnline(): Promise<Online> {
    const online = await Online.start(this.#io, this.#profile, {
      receive: true,
      onEvent: (event) => {
        this.#wake();
        const text = eventText(event);
        if (text === undefined || this.#flags.quiet) return;
        this.#io.stderr.write(`${text}\n`).catch(() => {/* nobody reads */});
      },
    });
    try {
      await allArrived(online, PATIENCE);
      return online;
    } catch (error) {
      await online.close();
      throw error;
    }
  }

  async list(online: Online): Promise<number> {
    const { stdout } = this.#io;
    for (const each of await this.#offers(online)) {
      const { address, number, offer, fetchedTo } = each;
      await stdout.write(
        this.#flags.json
          ? `${
            JSON.stringify({
              from: address,
              number,
              ...offerObject(offer),
              fetched: fetchedTo !== undefined && fetchedTo.length > 0,
            })
          }\n`
          : `${address} ${number}: ${describeOffer(offer)}, ${
            this.#stateOf(each)
          }\n`,
      );
    }
    return 0;
  }

  /** The offer that is meant, when it has come. */
  async choose(
    online: Online,
    number: string | undefined,
    destination: Destination,
  ): Promise<ReceivedOffer> {
    if (number !== undefined && !/^[1-9][0-9]{0,9}$/.test(number)) {
      throw new UsageError(`not a number: ${number}`, {
        hint: "sotto client pull --list shows the numbers of offers",
      });
    }
    const wait = this.#flags.wait === undefined
      ? 0
      : parseDuration(this.#flags.wait);
    const end = performance.now() + wait;
    for (;;) {
      const woken = this.#nextEvent(end);
      const offers = await this.#offers(online);
      const found = number === undefined
        ? await this.#placed(offers, destination) ??
          offers.findLast(({ fetchedTo, offer }) =>
            fetchedTo === undefined && offer.expiresAt > this.#io.now()
          )
        : offers.find((each) => each.number === Number(number));
      if (found !== undefined) return found;
      if (this.#io.signal.aborted) throw new InterruptedError();
      if (performance.now() >= end) throw this.#nothing(offers);
      await woken;
    }
  }

  /** What was put in its place by a process that ended before it could say so: by the same command. */
  async #placed(
    offers: readonly ReceivedOffer[],
    { directory, output }: Destination,
  ): Promise<ReceivedOffer | undefined> {
    if (output !== undefined) return undefined;
    const noted = await notedIn(directory);
    if (noted.size === 0) return undefined;
    for (const each of offers) {
      const id = partId((await blobKeys(each.offer.secret)).id);
      if (!noted.has(id)) continue;
      const notes = await new FetchNotes(directory, id).read();
      if (typeof notes !== "number") return each;
    }
    return undefined;
  }

  #nothing(offers: readonly ReceivedOffer[]): CommandError {
    const by = this.#from === undefined ? "" : ` of ${this.#from}`;
    return new CommandError(`Cannot fetch: there is no offer${by} that waits`, {
      hint: offers.length === 0
        ? "--wait 10m waits for one"
        : "sotto client pull --list shows those that were fetched or have expired",
    });
  }

  #offers(online: Online): Promise<ReceivedOffer[]> {
    return receivedOffers(online.mailbox, this.#profile.vault, this.#from);
  }

  #stateOf({ offer, fetchedTo }: ReceivedOffer): string {
    if (fetchedTo !== undefined) {
      return fetchedTo.length > 0 ? "fetched" : "gone";
    }
    const left = offer.expiresAt - this.#io.now();
    return left <= 0 ? "expired" : `waits for ${formatDuration(left)}`;
  }

  /** Resolves when something has come, at the end of the wait, or after Ctrl-C. */
  #nextEvent(end: number): Promise<void> {
    const { signal } = this.#io;
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        signal.removeEventListener("abort", done);
        this.#wake = () => {};
        resolve();
      };
      const timer = setTimeout(done, Math.max(0, end - performance.now()));
      signal.addEventListener("abort", done);
      this.#wake = done;
    });
  }
}
