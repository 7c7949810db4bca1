import { accountCases } from "./account_cases.ts";
import { blobCases } from "./blob_cases.ts";
import type { MakeHarness } from "./harness.ts";
import { inviteCases } from "./invite_cases.ts";
import { letterCases } from "./letter_cases.ts";
import { modelCases } from "./model_cases.ts";
import { prekeyCases } from "./prekey_cases.ts";

/** Registers every test that an implementation of `ServerStore` must pass. */
export function serverStoreCases(name: string, make: MakeHarness): void {
  accountCases(name, make);
  prekeyCases(name, make);
  letterCases(name, make);
  inviteCases(name, make);
  blobCases(name, make);
  modelCases(name, make);
}
