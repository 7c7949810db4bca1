import { assert, assertEquals } from "@std/assert";
import { readSourceTree } from "../support/source_tree.ts";
import { SPEC } from "./naive_tables.ts";

/** The rooms whose protocol the specification describes. */
const ROOMS = [
  "lib/protocol",
  "lib/identity",
  "lib/account",
  "lib/mailbox",
  "lib/transfer",
  "lib/directory",
  "lib/onion",
  "lib/peer",
  "lib/mix",
];

/** Labels that other specifications have given. */
const FOREIGN = [
  "Noise_NKhfs_25519+MLKEM768_AESGCM_SHA256",
  "c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\\0",
];

/** Labels that nothing is put behind, so that they never become a longer one (§4.3). */
const ALONE = ["sotto mix"];

/** Every label that stands as a literal in the code; `${purpose}` for both kinds of certificate. */
async function labelsInCode(): Promise<Set<string>> {
  const labels = new Set<string>();
  for (const text of (await readSourceTree(ROOMS)).values()) {
    for (const [, label] of text.matchAll(/utf8\(\s*["`](sotto [^"`]*)["`]/g)) {
      if (!label!.includes("${purpose}")) labels.add(label!);
      else {
        for (const purpose of ["account", "node"]) {
          labels.add(label!.replace("${purpose}", purpose));
        }
      }
    }
  }
  return labels;
}

function labelsInText(): Set<string> {
  const section = SPEC.split("### 8.1 Labels")[1]!.split("### 8.2")[0]!;
  const labels = [...section.matchAll(/^\| `([^`]*)`/gm)].map(([, each]) =>
    each!
  );
  assertEquals(new Set(labels).size, labels.length, "a label stands twice");
  return new Set(labels);
}

Deno.test("SPEC.md §8.1 lists the labels that the code uses, and no others", async () => {
  const inText = labelsInText();
  for (const label of FOREIGN) assert(inText.delete(label), label);
  assertEquals([...inText].sort(), [...await labelsInCode()].sort());
});

Deno.test("SPEC.md §8.1: no label of one key begins another", () => {
  const labels = [...labelsInText()].map((each) => each.replace("\\0", "\0"));
  for (const one of labels) {
    if (ALONE.includes(one)) continue;
    for (const other of labels) {
      assert(one === other || !other.startsWith(one), `${one}, ${other}`);
    }
  }
});
