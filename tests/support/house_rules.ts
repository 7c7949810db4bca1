/**
 * The rules of the house: who may import whom, and what a file of a room must not do. Each takes the
 * source and gives the breaches in words, so that tests can show them a bad house too.
 *
 * @module
 */
import type { SourceTree } from "./source_tree.ts";
import {
  importCycles,
  importsOf,
  specifiersOf,
  withoutComments,
} from "./source_tree.ts";

/** From the top of the house to its ground. A file imports from its own room or a lower one. */
const ROOMS: readonly string[] = [
  "main.ts",
  "mod.ts",
  "cmd",
  "lib/web",
  "lib/lab",
  "lib/mix",
  "lib/onion",
  "lib/transfer",
  "lib/mailbox",
  "lib/account",
  "lib/directory",
  "lib/peer",
  "lib/identity",
  "lib/store",
  "lib/net",
  "lib/protocol",
  "lib/types",
];

/** Services know nothing of each other, except where the domain demands it. */
const SERVICES: Readonly<Record<string, readonly string[]>> = {
  "lib/mix": ["lib/directory"],
  "lib/onion": ["lib/directory"],
  "lib/transfer": ["lib/account"],
  "lib/mailbox": ["lib/account"],
  "lib/account": [],
  "lib/directory": [],
};

/** The rooms within the protocol, from the top; its door `mod.ts` is above them. */
const PROTOCOL_ROOMS: readonly string[] = [
  "lib/protocol/channel",
  "lib/protocol/noise",
  "lib/protocol/risp",
  "lib/protocol/crypto",
  "lib/protocol/bytes",
];

const PROTOCOL_DOOR = "lib/protocol/mod.ts";

/** A longer file wants to be a folder; the library's face is a list of names, and grows with the rooms. */
const LINE_CAP = 400;
const FACE = "mod.ts";

/** Every rule at once. */
export function breaches(tree: SourceTree): string[] {
  return [
    ...roomOrder(tree),
    ...protocolOrder(tree),
    ...doors(tree),
    ...outsiders(tree),
    ...cycles(tree),
    ...platform(tree),
    ...exports(tree),
    ...sizes(tree),
  ];
}

/** Imports go down; between services only where the domain demands it. */
export function roomOrder(tree: SourceTree): string[] {
  return eachImport(tree, (from, to) => {
    const [room, target] = [roomOf(from), roomOf(to)];
    if (room === undefined) return "lies in no room";
    if (target === undefined) return "is imported and lies in no room";
    if (room === target) return undefined;
    if (ROOMS.indexOf(target) < ROOMS.indexOf(room)) return "is higher up";
    if (room === "mod.ts" && target === "cmd") return "is no library";
    const allowed = SERVICES[room];
    if (allowed && target in SERVICES && !allowed.includes(target)) {
      return "is another service";
    }
    return undefined;
  });
}

/** Within the protocol imports go down too, and nobody inside uses the door. */
export function protocolOrder(tree: SourceTree): string[] {
  return eachImport(tree, (from, to) => {
    if (roomOf(from) !== "lib/protocol" || roomOf(to) !== "lib/protocol") {
      return undefined;
    }
    if (to === PROTOCOL_DOOR) return "is the door, seen from inside";
    const below = PROTOCOL_ROOMS.findIndex((each) => inside(to, each));
    const above = PROTOCOL_ROOMS.findIndex((each) => inside(from, each));
    return below < above ? "is higher up in the protocol" : undefined;
  });
}

/** The protocol is entered through its door; files named with `_` are for their own room only. */
export function doors(tree: SourceTree): string[] {
  return eachImport(tree, (from, to) => {
    const room = roomOf(to);
    if (roomOf(from) === room) return undefined;
    if (room === "lib/protocol" && to !== PROTOCOL_DOOR) {
      return "is behind the protocol's door";
    }
    return /\/_[^/]*$/.test(to) ? "is internal to its room" : undefined;
  });
}

/** Nothing from outside but the platform and the standard library; test tools only in tests. */
export function outsiders(tree: SourceTree): string[] {
  const found: string[] = [];
  for (const [path, text] of tree) {
    for (const name of specifiersOf(text)) {
      const known = name.startsWith(".") || name.startsWith("@std/") ||
        name.startsWith("node:");
      const tool = name === "@std/assert" || name === "node:crypto" ||
        name === "node:test";
      if (!known || tool) found.push(`${path}: imports ${name}`);
    }
  }
  return found;
}

/** No ring of imports, those of types counted. */
export function cycles(tree: SourceTree): string[] {
  return importCycles(tree).map((ring) =>
    `${ring[0]}: in a ring with ${ring.slice(1).join(", ") || "itself"}`
  );
}

/** One room sees `crypto.subtle`; nothing under `lib/` prints, exits or reads the environment. */
export function platform(tree: SourceTree): string[] {
  const found: string[] = [];
  for (const [path, text] of tree) {
    const code = withoutComments(text);
    if (!inside(path, "lib/protocol/crypto")) {
      if (/\bcrypto\s*(?:\?\.|\.|\[)\s*["']?subtle\b/.test(code)) {
        found.push(`${path}: names crypto.subtle`);
      }
      if (/\{[^{}]*\bsubtle\b[^{}]*\}\s*=\s*[\w.]*\bcrypto\b/.test(code)) {
        found.push(`${path}: takes subtle out of crypto`);
      }
    }
    if (!inside(path, "lib")) continue;
    const outward = code.match(
      /\bconsole\s*\.\s*\w+|\bDeno\s*\.\s*(?:exit|env|args|stdout|stderr|stdin|exitCode)\b|\bprocess\s*\.\s*\w+|\bglobalThis\s*\.\s*(?:console|prompt|alert)\b/g,
    );
    for (const each of outward ?? []) found.push(`${path}: uses ${each}`);
    if (/["']node:process["']/.test(code)) {
      found.push(`${path}: imports node:process`);
    }
  }
  return found;
}

/** Names are listed: no `export *`, no default, no inline types, and doors hold nothing but lists. */
export function exports(tree: SourceTree): string[] {
  const found: string[] = [];
  for (const [path, text] of tree) {
    const code = withoutComments(text);
    if (/^export\s*\*/m.test(code)) found.push(`${path}: has export *`);
    if (/^export\s+default\b|\bas\s+default\b/m.test(code)) {
      found.push(`${path}: has a default export`);
    }
    if (/^(?:import|export)\s*\{[^}]*\btype\s+\w/m.test(code)) {
      found.push(`${path}: has an inline type import`);
    }
    if (!/^(?:lib\/.*\/)?mod\.ts$/.test(path)) continue;
    const rest = code.replace(
      /^export (?:type )?\{[\s\w,]+\} from "[^"]+";$/gm,
      "",
    );
    if (rest.trim() !== "") {
      found.push(`${path}: is a door and holds more than lists of names`);
    }
  }
  return found;
}

/** No file has more lines than the cap. */
export function sizes(tree: SourceTree): string[] {
  const found: string[] = [];
  for (const [path, text] of tree) {
    const lines = text.split("\n").length - 1;
    if (lines > LINE_CAP && path !== FACE) {
      found.push(`${path}: has ${lines} lines`);
    }
  }
  return found;
}

/** The room that `path` lies in, or undefined. */
function roomOf(path: string): string | undefined {
  return ROOMS.find((room) => path === room || inside(path, room));
}

function inside(path: string, folder: string): boolean {
  return path.startsWith(`${folder}/`);
}

function eachImport(
  tree: SourceTree,
  judge: (from: string, to: string) => string | undefined,
): string[] {
  const found: string[] = [];
  for (const [from, text] of tree) {
    for (const to of importsOf(from, text)) {
      const breach = judge(from, to);
      if (breach !== undefined) {
        found.push(`${from}: imports ${to}, which ${breach}`);
      }
    }
  }
  return found;
}
