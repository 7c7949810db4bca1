/**
 * sotto as a library.
 *
 * @module
 */
export { concat } from "./lib/protocol/mod.ts";
export type { Bytes } from "./lib/protocol/mod.ts";
