import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  renderTable,
  SPEC_TABLES,
  withTables,
} from "../../tools/spec_tables.ts";
import { SPEC, specTable } from "./naive_tables.ts";

Deno.test("SPEC.md shows the command tables of the code (otherwise run tools/spec_tables.ts)", () => {
  assert(SPEC === withTables(SPEC, SPEC_TABLES), "SPEC.md is out of date");
});

Deno.test("SPEC.md: every command is read back from the text with its id", () => {
  let commands = 0;
  for (const { service, parameters, verbs } of SPEC_TABLES) {
    const table = specTable(service);
    assertEquals(table.size, parameters.length + verbs.length);
    for (const { id, name } of [...parameters, ...verbs]) {
      assertEquals(table.get(name)?.id, id, name);
      commands++;
    }
  }
  assert(commands > 50, `${commands} commands`);
});

Deno.test("SPEC.md: no two commands share an id or a name", () => {
  const names = new Map<number, string>();
  const ids = new Map<string, number>();
  for (const { parameters, verbs } of SPEC_TABLES) {
    for (const { id, name } of [...parameters, ...verbs]) {
      assertEquals(names.get(id) ?? name, name);
      assertEquals(ids.get(name) ?? id, id);
      names.set(id, name);
      ids.set(name, id);
    }
  }
});

Deno.test("SPEC.md: every command is explained, not only listed", () => {
  const prose = SPEC.replaceAll(
    /<!-- table [^]*?<!-- end table -->/g,
    "",
  );
  for (const { parameters, verbs } of SPEC_TABLES) {
    for (const { name } of [...parameters, ...verbs]) {
      const word = new RegExp(`(?<![A-Z-])${name}(?![A-Z-])`);
      assert(word.test(prose), `${name} stands in no text`);
    }
  }
});

Deno.test("tools/spec_tables: a table is written between its marks, and nowhere else", () => {
  const [table] = SPEC_TABLES;
  const text = "a\n<!-- table greeting -->\nold\n<!-- end table -->\nb\n";
  const written = withTables(text, [table!]);
  assertEquals(
    written,
    `a\n<!-- table greeting -->\n\n${renderTable(table!)}\n\n` +
      "<!-- end table -->\nb\n",
  );
  assertEquals(withTables(written, [table!]), written);
  for (
    const bad of [
      "no mark",
      "<!-- table greeting -->\nno end",
      `${text}${text}`,
    ]
  ) assertThrows(() => withTables(bad, [table!]), RangeError);
});
