/**
 * The project's source as text, and the imports between its files.
 *
 * @module
 */

/** The text of each TypeScript file, by its path from the project's root. */
export type SourceTree = ReadonlyMap<string, string>;

/** The project's root directory, ending in a slash. */
export const PROJECT = new URL("../../", import.meta.url).pathname;

/** Reads the TypeScript files at and below `paths`, each a file or a directory under the root. */
export async function readSourceTree(
  paths: readonly string[],
): Promise<SourceTree> {
  const tree = new Map<string, string>();
  const left = [...paths];
  for (let path; (path = left.pop()) !== undefined;) {
    const { isDirectory } = await Deno.stat(PROJECT + path);
    if (!isDirectory) {
      tree.set(path, await Deno.readTextFile(PROJECT + path));
      continue;
    }
    for await (const entry of Deno.readDir(PROJECT + path)) {
      if (entry.isDirectory || entry.name.endsWith(".ts")) {
        left.push(`${path}/${entry.name}`);
      }
    }
  }
  return tree;
}

/**
 * `text` with every comment replaced by blanks, line breaks kept. Strings and templates are passed
 * over, so that "http://" begins no comment.
 */
export function withoutComments(text: string): string {
  return text.replace(
    /("(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`)|\/\/[^\n]*|\/\*[\s\S]*?\*\//g,
    (all, literal: string | undefined) => literal ?? all.replace(/[^\n]/g, " "),
  );
}

/** What `path` imports or passes on, types and lazy imports included, as written. */
export function specifiersOf(text: string): string[] {
  const code = withoutComments(text);
  const found = code.matchAll(
    /^(?:import|export)\b[^;"'`]*?\bfrom\s*"([^"]+)"|^import\s*"([^"]+)"|\bimport\(\s*"([^"]+)"/gm,
  );
  return Array.from(found, ([, a, b, c]) => a ?? b ?? c ?? "");
}

/** The files of the project that `path` imports, as paths from the root. */
export function importsOf(path: string, text: string): string[] {
  return specifiersOf(text).filter((each) => each.startsWith("."))
    .map((each) => new URL(each, `file:///${path}`).pathname.slice(1));
}

/** Groups of files that import each other in a ring, each sorted, found with Tarjan's algorithm. */
export function importCycles(tree: SourceTree): string[][] {
  const order = new Map<string, number>();
  const low = new Map<string, number>();
  const stack: string[] = [];
  const rings: string[][] = [];
  function visit(path: string): void {
    order.set(path, order.size);
    low.set(path, order.get(path)!);
    stack.push(path);
    for (const next of importsOf(path, tree.get(path)!)) {
      if (!tree.has(next)) continue;
      if (next === path) rings.push([path]);
      if (!order.has(next)) visit(next);
      if (stack.includes(next)) {
        low.set(path, Math.min(low.get(path)!, low.get(next)!));
      }
    }
    if (low.get(path) !== order.get(path)) return;
    const ring = stack.splice(stack.indexOf(path));
    if (ring.length > 1) rings.push(ring.sort());
  }
  for (const path of tree.keys()) if (!order.has(path)) visit(path);
  return rings;
}
