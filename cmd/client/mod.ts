import type { CommandTable, Group } from "../dispatch.ts";
import { dispatch, groupUsage } from "../dispatch.ts";
import type { Io } from "../io.ts";

const GROUP: Group = {
  name: "sotto client",
  about:
    "sotto client is what a person uses: accounts, letters, conversations, files, and the onion network.",
  more: `
Every command takes --profile NAME, for several accounts side by side, and --passphrase-file FILE where it
needs the passphrase; after sotto client login it does not. With --onion the server is reached through the
onion network, and does not learn from where (an account that was registered so always is); --controller,
--quorum and --hops say through which network and how, see sotto client proxy --help.

Examples:
  sotto client register alice --server example.org
  sotto client send bob "hello"
  sotto client chat bob
  sotto client push bob report.pdf`,
};

const COMMANDS: CommandTable = {
  ping: {
    summary: "ask whether a server is there",
    load: () => import("./ping.ts"),
  },
  register: {
    summary: "make an account",
    load: () => import("./register.ts"),
  },
  login: {
    summary: "unlock an account, or bring it to this machine",
    load: () => import("./login.ts"),
  },
  logout: {
    summary: "lock it again",
    load: () => import("./logout.ts"),
  },
  whoami: {
    summary: "show which account this is",
    load: () => import("./whoami.ts"),
  },
  chat: {
    summary: "talk with somebody in the terminal",
    load: () => import("./chat.ts"),
  },
  send: {
    summary: "write to somebody",
    load: () => import("./send.ts"),
  },
  inbox: {
    summary: "fetch letters and show what is new",
    load: () => import("./inbox.ts"),
  },
  push: {
    summary: "send files or directories to somebody",
    load: () => import("./push.ts"),
  },
  pull: {
    summary: "fetch files that somebody has offered",
    load: () => import("./pull.ts"),
  },
  share: {
    summary: "give files to whoever knows a code, without accounts",
    load: () => import("./share.ts"),
  },
  receive: {
    summary: "fetch what is shared by a code",
    load: () => import("./receive.ts"),
  },
  proxy: {
    summary: "let browsers and other programs use the onion network",
    load: () => import("./proxy.ts"),
  },
  fetch: {
    summary: "fetch a web page or file through the onion network",
    load: () => import("./fetch.ts"),
  },
  forward: {
    summary: "carry a port of this machine through the onion network",
    load: () => import("./forward.ts"),
  },
  circuits: {
    summary: "show the circuits that are open, and how fast they are",
    load: () => import("./circuits.ts"),
  },
  contacts: {
    summary: "the people you know, and whom you trust to be who",
    load: () => import("./contacts.ts"),
  },
  verify: {
    summary: "compare identities with somebody",
    load: () => import("./verify.ts"),
  },
  network: {
    summary: "whom to believe about which relays there are",
    load: () => import("./network.ts"),
  },
  passphrase: {
    summary: "replace the passphrase",
    load: () => import("./passphrase.ts"),
  },
  export: {
    summary: "write the account, or its certificate, to a file",
    load: () => import("./export.ts"),
  },
  import: {
    summary: "bring an exported account to this machine",
    load: () => import("./import.ts"),
  },
  delete: {
    summary: "delete the account, here and at the server",
    load: () => import("./delete.ts"),
  },
};

/** Help for `sotto client`. */
export const usage: string = groupUsage(GROUP, COMMANDS);

/** The commands below have help of their own. */
export const group = true;

/** `sotto client`: hands on to the command that `args` begin with. */
export async function run(args: string[], io: Io): Promise<number> {
  return await dispatch(GROUP, COMMANDS, args, io);
}
