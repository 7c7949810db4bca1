import { assert, assertEquals } from "@std/assert";

// The npm edition of the standard library ships no types: `lib/types/std.d.ts` describes it in our
// words, and only running shows whether a described name is there.

const text = await Deno.readTextFile(
  new URL("../lib/types/std.d.ts", import.meta.url),
);

/** The functions that an ambient declaration file declares, by module. */
function declaredFunctions(declarations: string): Map<string, string[]> {
  const modules = new Map<string, string[]>();
  const parts = declarations.split(/^declare module "([^"]+)" \{$/m).slice(1);
  for (let i = 0; i < parts.length; i += 2) {
    const names = parts[i + 1]!.matchAll(
      /^ {2}export (?!interface|type)(\w+) (\w+)/gm,
    );
    modules.set(
      parts[i]!,
      Array.from(names, ([, kind, name]) => {
        assertEquals(kind, "function", `${name} is declared as a ${kind}`);
        return name!;
      }),
    );
  }
  return modules;
}

const MODULES = declaredFunctions(text);

for (const [module, names] of MODULES) {
  Deno.test(`types: what std.d.ts says of ${module} is there`, async () => {
    assert(names.length > 0);
    const loaded: Record<string, unknown> = await import(module);
    for (const name of names) {
      assertEquals(typeof loaded[name], "function", `${module}: ${name}`);
    }
  });
}

Deno.test("types: every module and name was found in the file", () => {
  assertEquals(MODULES.size, text.match(/declare module/g)?.length);
  const names = [...MODULES.values()].flat();
  assertEquals(names.length, text.match(/export function/g)?.length);
});
