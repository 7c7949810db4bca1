/**
 * The cases that every implementation of `ServerStore` must pass. A new one is tested by calling the
 * functions of this folder with its own harness.
 *
 * @module
 */
import { StoreError } from "../../../lib/store/mod.ts";
import type { ServerStore, StoreErrorCode } from "../../../lib/store/mod.ts";
import { assertEquals, assertRejects } from "@std/assert";

/** One database under test, empty at first. */
export interface StoreHarness {
  /** Opens it; after `close`, opens what was left. */
  open(): Promise<ServerStore>;
  /** Deletes it. */
  discard(): Promise<void>;
}

/** Makes a harness. */
export type MakeHarness = () => Promise<StoreHarness>;

/** Gives `body` an open, empty store. */
export async function withStore(
  make: MakeHarness,
  body: (
    store: ServerStore,
    reopen: () => Promise<ServerStore>,
  ) => Promise<void>,
): Promise<void> {
  const harness = await make();
  let store = await harness.open();
  try {
    await body(store, async () => {
      await store.close();
      store = await harness.open();
      return store;
    });
  } finally {
    await store.close();
    await harness.discard();
  }
}

/** The store as it is, then as it is after a restart. */
export async function* beforeAndAfter(
  store: ServerStore,
  reopen: () => Promise<ServerStore>,
): AsyncGenerator<ServerStore> {
  yield store;
  yield await reopen();
}

/** Asserts that `call` rejects with a `StoreError` of this code. */
export async function assertRefused(
  call: () => Promise<unknown>,
  code: StoreErrorCode,
): Promise<void> {
  assertEquals((await assertRejects(call, StoreError)).code, code);
}
