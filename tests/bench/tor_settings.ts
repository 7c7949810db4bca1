/** What every process of the peer's network must know of its directory authority. */
export interface TorAuthority {
  readonly relayPort: number;
  readonly directoryPort: number;
  /** Fingerprint of the key that signs the consensus. */
  readonly identity: string;
  /** Fingerprint of the authority as a relay. */
  readonly fingerprint: string;
}

/**
 * A torrc, as its lines: a private network that votes every 20 seconds, tuned for loopback. Tor's usual
 * scheduler (KIST) sends in rounds of 2 ms and more, and its congestion control (Vegas) grows slowly on
 * a path without delay: cells are sent at once, in fixed windows.
 */
function common(directory: string, authority: TorAuthority): string[] {
  const { relayPort, directoryPort, identity, fingerprint } = authority;
  return [
    "TestingTorNetwork 1",
    `DirAuthority auth orport=${relayPort} no-v2 v3ident=${identity} ` +
    `127.0.0.1:${directoryPort} ${fingerprint}`,
    "RunAsDaemon 0",
    "ShutdownWaitLength 0",
    "PathsNeededToBuildCircuits 0.25",
    "TestingDirAuthVoteExit *",
    "TestingDirAuthVoteHSDir *",
    "TestingDirAuthVoteGuard *",
    "TestingMinExitFlagThreshold 0",
    "TestingV3AuthInitialVotingInterval 5",
    "TestingV3AuthInitialVoteDelay 2",
    "TestingV3AuthInitialDistDelay 2",
    "V3AuthVotingInterval 20",
    "V3AuthVoteDelay 2",
    "V3AuthDistDelay 2",
    "V3AuthNIntervalsValid 30",
    "AssumeReachable 1",
    "PublishServerDescriptor v3",
    "ClientUseIPv6 0",
    "Schedulers Vanilla",
    `DataDirectory ${directory}`,
    "Log notice stdout",
  ];
}

function relay(name: string, port: number): string[] {
  return [
    `Nickname ${name}`,
    `ORPort 127.0.0.1:${port}`,
    "Address 127.0.0.1",
    "SocksPort 0",
  ];
}

/** The torrc of the directory authority. */
export function authoritySettings(
  directory: string,
  authority: TorAuthority,
): string {
  return [
    ...common(directory, authority),
    ...relay("auth", authority.relayPort),
    `DirPort 127.0.0.1:${authority.directoryPort}`,
    "ContactInfo nobody@example.org",
    "AuthoritativeDirectory 1",
    "V3AuthoritativeDirectory 1",
    "ConsensusParams cc_alg=0",
    "ExitPolicy reject *:*",
  ].join("\n");
}

/** The torrc of a relay that connects to everything. */
export function relaySettings(
  directory: string,
  authority: TorAuthority,
  name: string,
  port: number,
): string {
  return [
    ...common(directory, authority),
    ...relay(name, port),
    "ExitRelay 1",
    "ExitPolicyRejectPrivate 0",
    "ExitPolicy accept *:*",
    "IPv6Exit 0",
  ].join("\n");
}

/** The torrc of a client all of whose circuits run over these relays, in this order. */
export function clientSettings(
  directory: string,
  authority: TorAuthority,
  ports: { readonly socks: number; readonly control: number },
  path: readonly string[],
): string {
  return [
    ...common(directory, authority),
    `SocksPort 127.0.0.1:${ports.socks}`,
    `ControlPort 127.0.0.1:${ports.control}`,
    `EntryNodes ${path[0]}`,
    `MiddleNodes ${path[1]}`,
    `ExitNodes ${path[2]}`,
    "StrictNodes 1",
    "NumEntryGuards 1",
    "ConfluxEnabled 0",
    "MaxCircuitDirtiness 1 day",
    "ClientRejectInternalAddresses 0",
    "ClientDNSRejectInternalAddresses 0",
  ].join("\n");
}
