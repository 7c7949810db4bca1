import type {
  AttemptLimits,
  RegistrationRules,
} from "../../lib/account/mod.ts";
import type { ServerAddress } from "../../lib/identity/mod.ts";
import { DEFAULT_MAILBOX_LIMITS } from "../../lib/mailbox/mod.ts";
import type { MailboxLimits } from "../../lib/mailbox/mod.ts";
import { DEFAULT_LISTENER_LIMITS } from "../../lib/net/mod.ts";
import type { ListenerLimits } from "../../lib/net/mod.ts";
import { RECORD_LIMIT, RECORD_LIMIT_MINIMUM } from "../../lib/protocol/mod.ts";
import { DEFAULT_TRANSFER_LIMITS } from "../../lib/transfer/mod.ts";
import type { TransferLimits } from "../../lib/transfer/mod.ts";
import { parseChoice } from "../choice.ts";
import { countOf } from "../count.ts";
import { parseDuration } from "../duration.ts";
import { UsageError } from "../errors.ts";
import { COMMON_FLAGS } from "../flags.ts";
import type { FlagValues } from "../flags.ts";
import { PROTECTION_FLAGS } from "../key_file.ts";
import { parseListenAddress } from "../listen_address.ts";
import { LOG_FLAGS } from "../node_log.ts";
import { NETWORK_FLAGS } from "../network_flags.ts";
import { parseSize } from "../size.ts";
import { MIX_FLAGS, needsRelays, offersRounds } from "./mix_flags.ts";
import { DATA_FLAG } from "./server_store.ts";

/** The flags of `sotto server`. */
export const FLAGS = {
  ...COMMON_FLAGS,
  ...PROTECTION_FLAGS,
  ...DATA_FLAG,
  ...NETWORK_FLAGS,
  listen: { type: "string" },
  "no-listen": { type: "boolean" },
  onion: { type: "boolean" },
  key: { type: "string" },
  zone: { type: "string", multiple: true },
  registration: { type: "string" },
  retention: { type: "string" },
  "quota-letters": { type: "string" },
  "quota-size": { type: "string" },
  "quota-files": { type: "string" },
  "guest-files": { type: "string" },
  "spool-size": { type: "string" },
  "files-lifetime": { type: "string" },
  "max-packet": { type: "string" },
  "max-connections": { type: "string" },
  "max-per-address": { type: "string" },
  "connection-rate": { type: "string" },
  "registration-rate": { type: "string" },
  ...MIX_FLAGS,
  ...LOG_FLAGS,
} as const;

/** What they say. */
export interface Settings {
  /** Where to listen; `undefined` if nowhere. */
  readonly listen: ServerAddress | undefined;
  /** Whether it is reached through the onion network. */
  readonly onion: boolean;
  /** Whether it offers rounds. */
  readonly mixes: boolean;
  /** Whether relays are to be mixes of its chain. */
  readonly mixesWithRelays: boolean;
  readonly quiet: boolean;
  readonly rules: RegistrationRules;
  readonly maxPacket: number;
  readonly mailbox: MailboxLimits;
  readonly files: TransferLimits;
  readonly listener: ListenerLimits;
  readonly attempts: AttemptLimits;
}

/** @throws {UsageError} if a flag cannot be what it is. */
export function settingsOf(flags: FlagValues<typeof FLAGS>): Settings {
  const zones = flags.zone.length === 0 ? ["local"] : flags.zone;
  for (const zone of zones) {
    if (!/^[a-z0-9.-]{1,64}$/.test(zone)) {
      throw new UsageError(`not a zone: ${zone}`, {
        hint: "a zone is lower-case letters, digits, dots and dashes",
      });
    }
  }
  const { quota } = DEFAULT_MAILBOX_LIMITS;
  const maxPacket = sizeOf(flags["max-packet"], RECORD_LIMIT);
  if (maxPacket < RECORD_LIMIT_MINIMUM || maxPacket > RECORD_LIMIT) {
    throw new UsageError("--max-packet is out of its range", {
      hint: "512 to 64k",
    });
  }
  return {
    listen: listenOf(flags),
    onion: flags.onion,
    mixes: offersRounds(flags),
    mixesWithRelays: needsRelays(flags),
    quiet: flags.quiet,
    rules: {
      zones,
      mode: parseChoice("--registration", flags.registration ?? "open", [
        "open",
        "invite",
      ]),
    },
    maxPacket,
    mailbox: {
      quota: {
        letters: countOf(
          "--quota-letters",
          flags["quota-letters"],
          quota.letters,
        ),
        bytes: sizeOf(flags["quota-size"], quota.bytes),
      },
      retention: flags.retention === undefined
        ? DEFAULT_MAILBOX_LIMITS.retention
        : Math.ceil(parseDuration(flags.retention) / 1_000),
    },
    files: filesOf(flags),
    listener: {
      connections: countOf(
        "--max-connections",
        flags["max-connections"],
        DEFAULT_LISTENER_LIMITS.connections,
      ),
      perAddress: countOf(
        "--max-per-address",
        flags["max-per-address"],
        DEFAULT_LISTENER_LIMITS.perAddress,
      ),
      rate: rateOf("--connection-rate", flags["connection-rate"], 50, 1, 10),
    },
    attempts: {
      registrations: rateOf(
        "--registration-rate",
        flags["registration-rate"],
        12,
        60,
        2,
      ),
    },
  };
}

function listenOf(flags: FlagValues<typeof FLAGS>): ServerAddress | undefined {
  const isNamed = flags.controller.length > 0 || flags.quorum !== undefined;
  if (isNamed && !flags.onion && !needsRelays(flags)) {
    throw new UsageError(
      "--controller and --quorum are for --onion or --mixes",
    );
  }
  if (!flags["no-listen"]) {
    return parseListenAddress(flags.listen ?? "127.0.0.1:7607");
  }
  if (flags.listen !== undefined) {
    throw new UsageError("--listen and --no-listen exclude each other");
  }
  if (!flags.onion) {
    throw new UsageError("nobody could reach a server with --no-listen alone", {
      hint: "with --onion it is reached through the onion network",
    });
  }
  return undefined;
}

function filesOf(flags: FlagValues<typeof FLAGS>): TransferLimits {
  const { account, guests, total, lifetime } = DEFAULT_TRANSFER_LIMITS;
  const most = (usage: TransferLimits["total"], text: string | undefined) => ({
    ...usage,
    bytes: sizeOf(text, usage.bytes),
  });
  return {
    account: most(account, flags["quota-files"]),
    guests: most(guests, flags["guest-files"]),
    total: most(total, flags["spool-size"]),
    lifetime: flags["files-lifetime"] === undefined
      ? lifetime
      : Math.ceil(parseDuration(flags["files-lifetime"]) / 1_000),
  };
}

function sizeOf(text: string | undefined, otherwise: number): number {
  return text === undefined ? otherwise : parseSize(text);
}

/** `count` per `seconds`, with `burst` times as many at once. */
function rateOf(
  flag: string,
  text: string | undefined,
  otherwise: number,
  seconds: number,
  burst: number,
): { perSecond: number; burst: number } {
  const count = countOf(flag, text, otherwise);
  return { perSecond: count / seconds, burst: count * burst };
}
