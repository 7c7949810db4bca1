import { AccountServer } from "../../lib/account/mod.ts";
import type { NodeKeyring } from "../../lib/identity/mod.ts";
import { MAILBOX, MailboxService } from "../../lib/mailbox/mod.ts";
import type { Incoming } from "../../lib/net/mod.ts";
import type { ServerStore } from "../../lib/store/mod.ts";
import { TRANSFER, TransferService } from "../../lib/transfer/mod.ts";
import { parseFlags } from "../flags.ts";
import type { Io } from "../io.ts";
import type { Log } from "../log.ts";
import { NETWORK_HELP } from "../network_flags.ts";
import { announceNode, openListener } from "../node_listener.ts";
import { logFailure, openLog } from "../node_log.ts";
import { privateDirectory } from "../paths.ts";
import { atMost, stopped } from "../running.ts";
import type { StoredGuards } from "../stored_guards.ts";
import { MIX_HELP } from "./mix_flags.ts";
import type { MixServer } from "./mix_server.ts";
import type { MixSettings } from "./mix_settings.ts";
import { logOnionFailure } from "./onion_news.ts";
import type { OnionServer } from "./onion_server.ts";
import { openServerKeys } from "./server_keys.ts";
import { dataDirectory, openServerStore } from "./server_store.ts";
import { ServerNetwork } from "./server_network.ts";
import { FLAGS, settingsOf } from "./settings.ts";
import type { Settings } from "./settings.ts";

/** Help for `sotto server`. */
export const usage =
  `sotto server keeps accounts, letters and files for people who need not trust it.

Usage: sotto server [FLAG]...
       sotto server invite create|list|revoke

What people write is sealed before it gets here; the server sees who writes to whom and when, not what.
The first start makes the server's keys. It runs until Ctrl-C.

Where:
  --listen HOST:PORT       where to listen; 127.0.0.1:7607 if not given, [::]:7607 for everywhere
  --onion                  be reached through the onion network, too, at sotto://FINGERPRINT.onion, without
                           telling anybody from where; the address is printed once it is published
  --no-listen              listen nowhere: with --onion, there is no other way in. Without it, whoever
                           connects to it straight can tell that it is the same server
  --data DIR               database and keys; ~/.local/share/sotto/server if not given
  --key FILE               the server's keys (sotto keygen node); DIR/server.key if not given
  --secret-file FILE       the secret that seals the key file; DIR/server.secret if nothing is given
  --passphrase-file FILE   the passphrase, if the key file is sealed by one

Network, with --onion and --mixes:
${NETWORK_HELP}
${MIX_HELP}
Who:
  --zone NAME              the part of addresses behind the @; several are possible, the first is for
                           names that name none; "local" if not given
  --registration open|invite
                           whether anybody may register, or only who has an invite; open if not given

Limits:
  --retention DURATION     how long a letter waits for its recipient; 30d if not given
  --quota-letters N        letters that may wait for one person; 10000 if not given
  --quota-size SIZE        their size in all; 16M if not given
  --quota-files SIZE       files that one account may have here; 64G if not given
  --guest-files SIZE       the same for all who have no account together; 16G if not given, 0 for none
  --spool-size SIZE        the same for everybody together; 256G if not given
  --files-lifetime DURATION
                           the longest time for which files are kept; 7d if not given
  --max-packet SIZE        most bytes sealed and sent at a time, 512 to 64k; 64k if not given
  --max-connections N      connections at once; 20000 if not given
  --max-per-address N      the same from one address; 256 if not given
  --connection-rate N      new connections a second from one address; 50 if not given
  --registration-rate N    registrations a minute from one address; 12 if not given

Log, on standard error; it holds no names, no addresses and no content:
  --log-level debug|info|warn|error
  --log-format text|json
  --quiet, -q              say nothing on standard output when it listens

Examples:
  sotto server --listen [::]:7607 --zone example.org
  sotto server --onion --no-listen --controller sotto://FINGERPRINT@192.0.2.1:7608
  sotto server --mixes 3 --controller sotto://FINGERPRINT@192.0.2.1:7608
  sotto server --data /srv/sotto --registration invite --log-format json
  sotto server invite create --data /srv/sotto --uses 5 --expires 7d
`;

/** Between two looks for what has expired, in milliseconds. */
const SWEEP_EVERY = 60_000;
/** How long clients may take to hear CLOSE at a shutdown, in milliseconds. */
const GRACE = 3_000;

/** `sotto server`, without `invite`. */
export async function run(args: string[], io: Io): Promise<number> {
  const { flags } = parseFlags(args, FLAGS);
  const settings = settingsOf(flags);
  const mix = settings.mixes ? (await mixes()).mixSettingsOf(flags) : undefined;
  const directory = await dataDirectory(io, flags.data);
  const node = await openServerKeys(io, flags, directory);
  const log = openLog(io, flags);
  const failed = (error: unknown) => logOnionFailure(log, error);
  const network = settings.onion || settings.mixesWithRelays
    ? await ServerNetwork.open(io, flags, directory, failed)
    : undefined;
  const guards = settings.onion
    ? await (await onion()).openGuards(network!, directory)
    : undefined;
  const store = await openServerStore(directory);
  try {
    const spool = await privateDirectory(`${directory}/spool`);
    const kept = { node, store, spool, network, guards };
    await serve(io, settings, mix, kept, log);
    return 0;
  } finally {
    await network?.close();
    await store.close();
    await log.close();
  }
}

/** What a server has from start to start. */
interface Kept {
  readonly node: NodeKeyring;
  readonly store: ServerStore;
  /** The directory for files. */
  readonly spool: string;
  /** The network that it is in, if it is in one. */
  readonly network: ServerNetwork | undefined;
  /** Its guards there, if it is reached through it. */
  readonly guards: StoredGuards | undefined;
}

/** Most servers do without, and start sooner. */
async function onion(): Promise<typeof import("./onion_server.ts")> {
  return await import("./onion_server.ts");
}

/** Some servers do without, and start sooner. */
async function mixes(): Promise<typeof import("./open_mix_server.ts")> {
  return await import("./open_mix_server.ts");
}

async function serve(
  io: Io,
  settings: Settings,
  mix: MixSettings | undefined,
  { node, store, spool, network, guards }: Kept,
  log: Log,
): Promise<void> {
  // Asked for before anybody learns that we are there: from then on we may be told to stop.
  const { signal } = io;
  const now = () => io.now();
  const failed = (error: unknown) => logFailure(log, error);
  const mailboxes = new MailboxService(store, settings.mailbox, now, failed);
  const files = new TransferService(
    store,
    spool,
    settings.files,
    now,
    failed,
  );
  const rounds: MixServer | undefined = mix === undefined
    ? undefined
    : (await mixes()).openMixServer(node, mix, network, log);
  const accounts = new AccountServer({
    store,
    node,
    rules: settings.rules,
    services: [mailboxes, files],
    tables: [MAILBOX, TRANSFER],
    guests: rounds === undefined ? [files] : [files, rounds.service],
    maxPacket: settings.maxPacket,
    limits: settings.attempts,
    now,
    failed,
  });
  // A server that was killed may have left pieces of what it had forgotten already.
  await files.expire().catch(failed);
  const accept = (incoming: Incoming) => accounts.accept(incoming);
  const { listen, quiet } = settings;
  const listener = listen === undefined
    ? undefined
    : openListener(listen, settings.listener, accept, failed);
  const sweep = setInterval(() => {
    Promise.all([
      mailboxes.expire(),
      store.invites.expire(io.now()),
      files.expire(),
    ]).then(([letters, invites, files]) => {
      if (letters + invites + files > 0) {
        log.info("expired", { letters, invites, files });
      }
    }, failed);
  }, SWEEP_EVERY);
  let hidden: OnionServer | undefined;
  try {
    const { fingerprint } = node.certificate;
    const registration = settings.rules.mode;
    if (listener !== undefined) {
      if (!quiet) await announceNode(io, listener, fingerprint);
      log.info("listening", { port: listener.port, registration });
    }
    network?.start();
    rounds?.look();
    if (network !== undefined && guards !== undefined) {
      const { OnionServer } = await onion();
      const serving = { node, accept, quiet, log };
      hidden = OnionServer.start(io, network, guards, serving);
      log.info("joining the onion network", { registration });
    }
    await stopped(signal);
    log.info("stopping", { sessions: accounts.sessions });
  } finally {
    clearInterval(sweep);
    listener?.stop();
    hidden?.stop();
    await atMost(
      Promise.all([accounts.closeSessions(), rounds?.stop()]),
      GRACE,
    );
    await listener?.close();
    await hidden?.close();
    await accounts.close();
    await rounds?.close();
    log.info("stopped");
  }
}
