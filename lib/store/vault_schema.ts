import type { Schema } from "./migrations.ts";

/**
 * `secrets` has one row: what `RecordSealer` needs, sealed under the vault's key. Opening it proves
 * the key.
 */
export const VAULT_SCHEMA: Schema = {
  holds: "a vault",
  applicationId: 0x536f7456, // "SotV"
  steps: [
    `create table secrets (
       id integer primary key check (id = 1),
       sealed blob not null
     ) strict;
     create table records (
       kind text not null,
       key text not null,
       version integer not null,
       body blob not null,
       primary key (kind, key)
     ) strict;`,
  ],
};
