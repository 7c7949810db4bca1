import {
  Registration,
  relayAddress,
  ROLE_MIDDLE_ONLY,
  ROLE_MIX,
  signDescriptor,
} from "../../lib/directory/mod.ts";
import type {
  DescriptorFields,
  Directory,
  Network,
  RegistrationState,
  RelayAddress,
  RelayDescriptor,
} from "../../lib/directory/mod.ts";
import type { NodeKeyring } from "../../lib/identity/mod.ts";
import type { MixHost } from "../../lib/mix/mod.ts";
import { dial, isPublicAddress, parseIpAddress } from "../../lib/net/mod.ts";
import type { Listener } from "../../lib/net/mod.ts";
import {
  DnsResolver,
  Exit,
  HostsResolver,
  parseHostsFile,
  Relay,
} from "../../lib/onion/mod.ts";
import type { Resolver } from "../../lib/onion/mod.ts";
import type { Bytes } from "../../lib/protocol/mod.ts";
import { CommandError } from "../errors.ts";
import { parseFlags } from "../flags.ts";
import type { Io } from "../io.ts";
import type { Log, LogFields } from "../log.ts";
import { MIX_NOISE_HELP } from "../mix_noise.ts";
import { dialNode, networkFrom, openDirectory } from "../network.ts";
import { NETWORK_HELP } from "../network_flags.ts";
import { announceNode, openListener } from "../node_listener.ts";
import { logFailure, openLog } from "../node_log.ts";
import { privateDirectory, sottoPaths } from "../paths.ts";
import { stopped } from "../running.ts";
import { openServerKeys } from "../server/server_keys.ts";
import { VERSION } from "../version.ts";
import { openOnionKeys } from "./stored_onion_keys.ts";
import type { StoredOnionKeys } from "./stored_onion_keys.ts";
import { FLAGS, settingsOf } from "./settings.ts";
import type { Settings } from "./settings.ts";

/** Help for `sotto relay`. */
export const usage =
  `sotto relay carries circuits of the onion network for others.

Usage: sotto relay --controller ADDRESS [FLAG]...

It sees who is next to it in a circuit, and no more: not who asks and for what at the same time. With --exit
it also connects to the world for others. It registers at the controllers, which look whether it can be
reached. The first start makes its keys. It runs until Ctrl-C, and lets circuits end before it stops.

Network:
${NETWORK_HELP}
Where:
  --listen HOST:PORT       where to listen; [::]:7609 if not given, which is everywhere
  --address IP:PORT        where others reach it; if not given, the address that the controllers see and the
                           port that it listens on
  --data DIR               keys and a copy of the consensus; ~/.local/share/sotto/relay if not given
  --key FILE               the relay's keys (sotto keygen node); DIR/relay.key if not given
  --secret-file FILE       the secret that seals the key file; DIR/relay.secret if nothing is given
  --passphrase-file FILE   the passphrase, if the key file is sealed by one

What it does:
  --exit web|RULES         connect to the world: "web" for ports 80 and 443, or rules, the first that fits
                           counts: "accept *:22, reject *:25, accept *:*"; not at all if not given
  --exit-private           let the rules reach private addresses, too; otherwise none ever is
  --hosts FILE             names that the exit knows by itself, as in /etc/hosts
  --middle-only            never be the first or the last of a circuit
  --family FINGERPRINT     another relay of yours, so that no circuit and no chain of mixes uses both; several
                           are possible

As a mix, for private chats of servers that have it in their chain:
  --mix                    be one. As long as one mix of a chain is honest, nobody learns who talks to whom.
                           Each message takes about 0.2 ms of a processor (0.05 with circuits) and 2 kB on the
                           line, also those that the mixes before it have made for noise
  --mix-for FINGERPRINT    only for this server; several are possible. For any server if not given, for four
                           at a time
${MIX_NOISE_HELP}
Limits:
  --bandwidth SIZE         bytes a second that are taken in; no limit if not given
  --max-circuits N         circuits at once; 10000 if not given
  --max-queued SIZE        bytes that may wait; then the circuit goes whose data wait longest; 48M if not given
  --circuit-rate N         new circuits a second from one address; 100 if not given
  --max-connections N      connections at once; 20000 if not given
  --max-per-address N      the same from one address; 1000 if not given
  --drain DURATION         how long circuits may go on when it is told to stop; 30s if not given

Log, on standard error; it holds no addresses and no names:
  --log-level debug|info|warn|error
  --log-format text|json
  --quiet, -q              say nothing on standard output when it listens

Examples:
  sotto relay --controller sotto://FINGERPRINT@192.0.2.1:7608
  sotto relay --exit web --bandwidth 10M
  sotto relay --mix --mix-for FINGERPRINT --middle-only
  sotto relay --exit "accept *:*" --family FINGERPRINT --log-format json
`;

/** Between two looks at whether the onion key is to be changed, in milliseconds. */
const KEYS_EVERY = 3_600_000;
/** Between two lines of the log that say how things stand, in milliseconds. */
const STATUS_EVERY = 60_000;

/** `sotto relay`. */
export async function run(args: string[], io: Io): Promise<number> {
  const { flags } = parseFlags(args, FLAGS);
  const settings = settingsOf(flags);
  const network = await networkFrom(io, flags);
  const data = await privateDirectory(
    flags.data ?? `${sottoPaths(io).data}/relay`,
  );
  const keyring = await openServerKeys(io, flags, data, "relay");
  const log = openLog(io, flags);
  const failed = (error: unknown) => logFailure(log, error);
  const copy = `${data}/consensus`;
  const directory = await openDirectory(io, network, failed, copy);
  try {
    const keys = await openOnionKeys(io, data, keyring);
    const resolver = await resolverOf(settings.hosts);
    const mix = settings.mix === undefined
      ? undefined
      : (await import("./mix_host.ts")).openMixHost(keyring, settings.mix);
    const kept = { keyring, keys, directory, resolver, mix };
    await serve(io, settings, kept, network, log);
    return 0;
  } finally {
    directory.close();
    await log.close();
  }
}

/** What a relay has from start to start. */
interface Kept {
  readonly keyring: NodeKeyring;
  readonly keys: StoredOnionKeys;
  readonly directory: Directory;
  readonly resolver: Resolver;
  /** What it is as a mix, if it is one. */
  readonly mix: MixHost | undefined;
}

async function serve(
  io: Io,
  settings: Settings,
  { keyring, keys, directory, resolver, mix }: Kept,
  network: Network,
  log: Log,
): Promise<void> {
  // Asked for before anybody learns that we are there: from then on we may be told to stop.
  const { signal } = io;
  const failed = (error: unknown) => logFailure(log, error);
  // In a network of private addresses a destination may well have the same one as the relay.
  const address: { own: readonly string[] } = { own: [] };
  const relay = new Relay({
    keyring,
    onionKeys: () => keys.keys.pairs,
    find: (fingerprint) => find(directory, fingerprint),
    dial: ({ address: { host, port } }) => dial({ hostname: host, port }),
    exit: new Exit({
      policy: settings.policy,
      own: () => address.own,
      resolver,
    }),
    limits: settings.limits,
    guests: mix,
    now: () => performance.now(),
    failed,
  });
  const listener = openListener(
    settings.listen,
    settings.listener,
    (incoming) => relay.accept(incoming),
    failed,
  );
  const registration = new Registration({
    network,
    keyring,
    dial: dialNode,
    describe(seenHost) {
      const host = settings.address?.host ?? seenHost;
      address.own = isPublic(host) ? [host] : [];
      const port = settings.address?.port ?? listener.port;
      return signDescriptor(
        describe(io, settings, keys, relayAddress(host, port)),
        keyring,
      );
    },
    changed: (state) => logState(log, state),
  });
  const fresh = directory.keepFresh();
  const rotating = setInterval(() => {
    keys.rotate(io.now()).then(
      (isNew) => isNew && registration.renew(),
      failed,
    );
  }, KEYS_EVERY);
  const telling = setInterval(
    () => log.status({ ...relay.status, ...mixStatus(mix) }),
    STATUS_EVERY,
  );
  try {
    const { fingerprint } = keyring.certificate;
    if (!settings.quiet) await announceNode(io, listener, fingerprint);
    log.info("listening", { port: listener.port });
    await stopped(signal);
    log.info("stopping", { ...relay.status });
  } finally {
    clearInterval(rotating);
    clearInterval(telling);
    await registration.close();
    await mix?.stop();
    await end(relay, listener, settings.drain, log);
    directory.close();
    await fresh;
    log.info("stopped");
  }
}

/** Lets circuits end by themselves for a while, then ends them. */
async function end(
  relay: Relay,
  listener: Listener,
  drain: number,
  log: Log,
): Promise<void> {
  listener.stop();
  const patience = AbortSignal.timeout(drain);
  if (relay.status.circuits > 0) log.info("draining", { ...relay.status });
  await relay.drain(patience);
  await relay.close();
  await listener.close();
}

/** What the copy here knows of a relay, or a fresh one. */
async function find(
  directory: Directory,
  fingerprint: Bytes,
): Promise<RelayDescriptor | undefined> {
  const known = directory.find(fingerprint);
  if (known !== undefined) return known.descriptor;
  await directory.refresh().catch(() => {/* then it is not known */});
  return directory.find(fingerprint)?.descriptor;
}

function describe(
  io: Io,
  settings: Settings,
  { keys }: StoredOnionKeys,
  address: RelayAddress,
): DescriptorFields {
  const { policy, offered, family, middleOnly, mix } = settings;
  return {
    onionKey: keys.publicKey,
    address,
    policy,
    bandwidth: offered,
    family,
    roles: (middleOnly ? ROLE_MIDDLE_ONLY : 0) |
      (mix === undefined ? 0 : ROLE_MIX),
    version: VERSION,
    publishedAt: Math.floor(io.now() / 1_000),
  };
}

/** How it does as a mix; no names. */
function mixStatus(mix: MixHost | undefined): LogFields {
  if (mix === undefined) return {};
  return { coordinators: mix.coordinators, rounds: mix.status.rounds };
}

function isPublic(host: string): boolean {
  const address = parseIpAddress(host);
  return address !== undefined && isPublicAddress(address);
}

function logState(log: Log, { listed, error }: RegistrationState): void {
  if (listed) return log.info("listed");
  const why = error instanceof Error ? error.message : "";
  log.warn("not listed", { why });
}

async function resolverOf(hosts: string | undefined): Promise<Resolver> {
  const system = new DnsResolver();
  if (hosts === undefined) return system;
  try {
    const known = parseHostsFile(await Deno.readTextFile(hosts));
    return new HostsResolver(known, system);
  } catch (cause) {
    throw new CommandError(`Cannot use ${hosts}`, { cause });
  }
}
