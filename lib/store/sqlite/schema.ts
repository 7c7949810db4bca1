import type { Schema } from "../migrations.ts";

/**
 * A server's database.
 *
 * - `names` gives every address that was ever seen a small number, and is never cleared: `taken`
 *   marks those that have, or had, an account. The other tables refer to the number.
 * - `accounts` is wide and rarely written; what changes with every letter is in `boxes`: the last
 *   sequence given to a letter, and the count and bytes of the letters that wait.
 * - `letters` holds the waiting ones, in the order in which their recipients read them. It refers to
 *   nothing and has no index, because adding to it is the hot path.
 * - `letter_ids` has an entry for every letter until it expires, also when it was acknowledged. The
 *   sender comes first in its key, so that all letters from an account can be found.
 * - `blobs` are few and large: their bytes are files of the spool, named by the id.
 */
export const SERVER_SCHEMA: Schema = {
  holds: "a server's database",
  applicationId: 0x536f7453, // "SotS"
  steps: [
    `create table names (
       id integer primary key,
       address text not null unique,
       taken integer not null default 0
     ) strict;

     create table accounts (
       id integer primary key references names (id),
       interactive integer not null,
       certificate_id blob not null unique,
       certificate blob not null,
       auth_salt blob,
       auth_hash blob,
       kdf_salt blob,
       kdf_memory_kib integer,
       kdf_passes integer,
       wrapped_keys blob,
       usr_public blob not null,
       usr_private_wrapped blob not null,
       device blob,
       created_at integer not null
     ) strict;

     create table bundles (
       account integer primary key references accounts (id) on delete cascade,
       bundle blob not null,
       highest_id integer not null
     ) strict;

     create table one_time_keys (
       account integer not null references accounts (id) on delete cascade,
       id integer not null,
       key blob not null,
       primary key (account, id)
     ) strict, without rowid;

     create table boxes (
       account integer primary key references accounts (id) on delete cascade,
       last_sequence integer not null default 0,
       letters integer not null default 0,
       bytes integer not null default 0
     ) strict;

     create table letters (
       recipient integer not null,
       sequence integer not null,
       sender integer not null,
       letter_id blob not null,
       stored_at integer not null,
       body blob not null,
       primary key (recipient, sequence)
     ) strict, without rowid;

     create table letter_ids (
       sender integer not null,
       recipient integer not null,
       letter_id blob not null,
       sequence integer not null,
       expires_at integer not null,
       primary key (sender, recipient, letter_id)
     ) strict, without rowid;
     create index letter_ids_by_expiry on letter_ids (expires_at);

     create table invites (
       hash blob primary key,
       uses integer not null,
       expires_at integer not null,
       note text not null
     ) strict, without rowid;`,
    `create table blobs (
       id blob primary key,
       writer blob not null,
       owner text not null,
       header blob not null,
       size integer not null,
       downloads integer not null,
       expires_at integer not null
     ) strict, without rowid;
     create index blobs_by_owner on blobs (owner);

     create table blob_readers (
       blob blob not null references blobs (id) on delete cascade,
       reader blob not null,
       fetched integer not null default 0,
       primary key (blob, reader)
     ) strict, without rowid;`,
  ],
};
