import { countOf } from "../../count.ts";
import { parseDuration } from "../../duration.ts";
import { UsageError } from "../../errors.ts";
import type { Io } from "../../io.ts";
import { otherPersonOf } from "../address.ts";
import { Profile } from "../profile.ts";
import type { ProfileFlags } from "../profile_secret.ts";
import { PrivateChat } from "./private_chat.ts";
import { jsonOutput, textOutput } from "./private_output.ts";
import { trustedCertificate } from "./private_session.ts";

/** How long a script waits for everything to be delivered, in milliseconds. */
const PATIENCE = 600_000;

/** The flags of `sotto client chat` that count with `--private`. */
export interface PrivateFlags extends ProfileFlags {
  readonly answer: boolean;
  readonly history: string | undefined;
  readonly json: boolean;
  readonly mixes: string | undefined;
  readonly "no-circuits": boolean;
  readonly wait: string | undefined;
}

/**
 * `sotto client chat [PERSON] --private`.
 *
 * @param named whom to call; nobody, to wait for calls.
 */
export async function runPrivate(
  io: Io,
  named: string | undefined,
  flags: PrivateFlags,
): Promise<number> {
  if (flags.history !== undefined) {
    throw new UsageError("--history and --private exclude each other", {
      hint: "nothing of a private chat is kept",
    });
  }
  const patience = flags.wait === undefined
    ? PATIENCE
    : parseDuration(flags.wait);
  const leastMixes = countOf("--mixes", flags.mixes, 1);
  using profile = await Profile.open(io, flags);
  const certificate = named === undefined
    ? undefined
    : await trustedCertificate(
      io,
      profile,
      otherPersonOf(named, profile.address),
    );
  const out = flags.json ? jsonOutput(io) : textOutput(io, "(connecting)> ");
  try {
    const chat = new PrivateChat(io, profile, out, {
      flags,
      answers: flags.answer,
      patience,
      leastMixes,
      circuits: !flags["no-circuits"],
    });
    return await chat.run(certificate);
  } finally {
    await out.close();
  }
}
