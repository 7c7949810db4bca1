import type { KeyPairs, Keyring, NodeKeyring } from "../../lib/identity/mod.ts";
import {
  assembleKeyring,
  assembleNodeKeyring,
} from "../../lib/identity/mod.ts";
import { generateDh, generateSigning } from "../../lib/protocol/mod.ts";
import { testRsaPair } from "./rsa_pair.ts";

/** The time at which all test keyrings were made, in seconds since 1970. */
export const TEST_TIME = 1_800_000_000;

const accounts = new Map<string, Promise<Keyring>>();
let node: Promise<NodeKeyring> | undefined;

/**
 * The keyring of `address`: the same one at every call of a test file. Every address has its own
 * Ed25519 and X25519 keys; the RSA pair is the same for all, so that this is quick.
 */
export function testKeyring(address: string): Promise<Keyring> {
  let keyring = accounts.get(address);
  if (keyring === undefined) {
    keyring = freshKeyring(address);
    accounts.set(address, keyring);
  }
  return keyring;
}

/** Another keyring of `address` at every call, such as someone makes who took the name over. */
export async function freshKeyring(address: string): Promise<Keyring> {
  return await assembleKeyring(address, TEST_TIME, await testKeyPairs());
}

/** The keyring of a node: the same one at every call of a test file. */
export function testNodeKeyring(): Promise<NodeKeyring> {
  node ??= freshNodeKeyring();
  return node;
}

/** Another node's keyring at every call; the RSA pair is the same for all. */
export async function freshNodeKeyring(): Promise<NodeKeyring> {
  return await assembleNodeKeyring(TEST_TIME, await testKeyPairs());
}

/** New Ed25519 and X25519 pairs with the one RSA pair. */
export async function testKeyPairs(): Promise<KeyPairs> {
  return {
    signing: await generateSigning(true),
    dh: await generateDh(true),
    rsa: await testRsaPair(),
  };
}
