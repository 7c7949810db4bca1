import {
  Controller,
  ControllerServer,
  ControllerState,
} from "../../lib/directory/mod.ts";
import type { ControllerEvent, Network } from "../../lib/directory/mod.ts";
import {
  formatFingerprint,
  formatServerAddress,
} from "../../lib/identity/mod.ts";
import type { NodeKeyring } from "../../lib/identity/mod.ts";
import type { Listener } from "../../lib/net/mod.ts";
import type { Bytes } from "../../lib/protocol/mod.ts";
import { parseFlags } from "../flags.ts";
import type { Io } from "../io.ts";
import type { Log } from "../log.ts";
import { dialNode, makeNetwork } from "../network.ts";
import { announceNode, openListener } from "../node_listener.ts";
import { logFailure, openLog } from "../node_log.ts";
import { privateDirectory, sottoPaths } from "../paths.ts";
import { stopped } from "../running.ts";
import { openServerKeys } from "../server/server_keys.ts";
import { FLAGS, settingsOf } from "./settings.ts";
import type { Settings } from "./settings.ts";

/** Help for `sotto controller`. */
export const usage =
  `sotto controller keeps the list of relays of a network, alone or together with other controllers.

Usage: sotto controller [FLAG]...
       sotto controller show [--controller ADDRESS]... [--json]

Relays register here; each is connected back to before it is listed. At every interval the controllers
agree on a consensus, which says which relays there are, sign it and append it to a chain, so that none
of them can show different lists to different people unnoticed. The first start makes the controller's
keys. It runs until Ctrl-C.

Where:
  --listen HOST:PORT       where to listen; 127.0.0.1:7608 if not given, [::]:7608 for everywhere
  --data DIR               chain and keys; ~/.local/share/sotto/controller if not given
  --key FILE               the controller's keys (sotto keygen node); DIR/controller.key if not given
  --secret-file FILE       the secret that seals the key file; DIR/controller.secret if nothing is given
  --passphrase-file FILE   the passphrase, if the key file is sealed by one

Together with others:
  --peer ADDRESS           another controller, sotto://FINGERPRINT@HOST:PORT; one for each
  --quorum N               how many must agree; more than half of all if not given. With a quorum of
                           more than (all + f) / 2, f of them may lie without anybody being misled

Consensus:
  --interval DURATION      from one to the next; 5m if not given, the same at every controller, whose clocks
                           must agree to a few seconds
  --valid DURATION         for how long it may be used; 3h if not given

Relays:
  --per-address N          relays at one address; 4 if not given
  --allow-private          relays may have addresses that are not public, and any number on loopback
  --alive-every DURATION   between two signs of life; 30s if not given
  --forget-after DURATION  silence after which a relay is forgotten; three times that if not given
  --probe-every DURATION   how often it is looked whether a relay can be reached; 10m if not given
  --guard-after DURATION   how long a relay must be known to be the first of circuits, in a network of 20
                           or more; 8h if not given

Limits:
  --max-connections N      connections at once; 20000 if not given
  --max-per-address N      the same from one address; 256 if not given

Log, on standard error; it holds no addresses:
  --log-level debug|info|warn|error
  --log-format text|json
  --quiet, -q              say nothing on standard output when it listens

Examples:
  sotto controller --listen [::]:7608
  sotto controller --listen 10.0.0.1:7608 --peer sotto://FINGERPRINT@10.0.0.2:7608 \\
    --peer sotto://FINGERPRINT@10.0.0.3:7608
  sotto controller --data ./lab --interval 2s --allow-private
`;

/** `sotto controller`, without `show`. */
export async function run(args: string[], io: Io): Promise<number> {
  const { flags } = parseFlags(args, FLAGS);
  const settings = settingsOf(flags);
  const directory = await privateDirectory(
    flags.data ?? `${sottoPaths(io).data}/controller`,
  );
  const keyring = await openServerKeys(io, flags, directory, "controller");
  const network = networkAround(keyring, settings);
  const log = openLog(io, flags);
  try {
    const state = await ControllerState.open(`${directory}/chain`, network);
    await serve(io, settings, { keyring, network, state }, log);
    return 0;
  } finally {
    await log.close();
  }
}

/** What a controller has from start to start. */
interface Kept {
  readonly keyring: NodeKeyring;
  readonly network: Network;
  readonly state: ControllerState;
}

/** This controller and its peers; every controller may be given the same list, itself included. */
function networkAround(
  { certificate: { fingerprint } }: NodeKeyring,
  { listen, peers, quorum }: Settings,
): Network {
  const port = listen.port === 0 ? 7608 : listen.port;
  const own = formatServerAddress({ host: listen.host, port, fingerprint });
  const print = formatFingerprint(fingerprint, "");
  const others = peers.filter((each) => !each.toLowerCase().includes(print));
  return makeNetwork([own, ...others], quorum);
}

async function serve(
  io: Io,
  settings: Settings,
  { keyring, network, state }: Kept,
  log: Log,
): Promise<void> {
  // Asked for before anybody learns that we are there: from then on we may be told to stop.
  const { signal } = io;
  const now = () => io.now();
  const happened = (event: ControllerEvent) => logEvent(log, event);
  const failed = (error: unknown) => logFailure(log, error);
  const { rules, limits, interval, lifetime } = settings;
  const controller = new Controller({
    keyring,
    network,
    state,
    dial: dialNode,
    rules,
    interval,
    lifetime,
    now,
    happened,
    failed,
  });
  const server = new ControllerServer(keyring, {
    controller,
    limits,
    dialRelay: dialNode,
    now,
    happened,
  });
  let listener: Listener | undefined;
  try {
    listener = openListener(
      settings.listen,
      settings.listener,
      (incoming) => server.accept(incoming),
      failed,
    );
    const { fingerprint } = keyring.certificate;
    if (!settings.quiet) await announceNode(io, listener, fingerprint);
    log.info("listening", {
      port: listener.port,
      controllers: network.controllers.length,
      quorum: network.quorum,
    });
    await stopped(signal);
    log.info("stopping", { connections: listener.connections });
  } finally {
    await server.close();
    await listener?.close();
    await controller.close();
    log.info("stopped");
  }
}

function logEvent(log: Log, event: ControllerEvent): void {
  switch (event.kind) {
    case "consensus": {
      const { height, relays, signers } = event.consensus;
      return log.info("consensus", {
        height,
        relays: relays.length,
        signers: signers.length,
      });
    }
    case "listed":
      return log.info("relay listed", { relay: short(event.relay) });
    case "dropped":
      return log.info("relay dropped", {
        relay: short(event.relay),
        why: event.why,
      });
    case "declined":
      return log.info("relay declined", { why: event.why });
    case "caught":
      return log.warn("controller caught", {
        controller: short(event.controller),
        offence: event.offence,
      });
  }
}

/** Enough of a fingerprint to find the rest in `sotto controller show`. */
function short(fingerprint: Bytes): string {
  return formatFingerprint(fingerprint, "").slice(0, 8);
}
