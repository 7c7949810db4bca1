import { assert, assertEquals } from "@std/assert";
import { BUDGET_BEFORE_LOGIN } from "../../lib/account/authenticator.ts";
import { INVITE_LIMIT } from "../../lib/account/credentials.ts";
import { IDLE_DEADLINE } from "../../lib/account/server.ts";
import {
  SUBMISSION_COMMANDS,
  SUBMISSION_LIMIT,
} from "../../lib/account/submission.ts";
import { MESSAGE_LIMIT } from "../../lib/directory/agreement/message.ts";
import { CHAIN_LIMIT } from "../../lib/directory/chain.ts";
import { HEADERS_AT_ONCE } from "../../lib/directory/commands.ts";
import { CONSENSUS_LIMIT } from "../../lib/directory/consensus.ts";
import { RELAY_LIMIT } from "../../lib/directory/consensus_body.ts";
import {
  DESCRIPTOR_LIMIT,
  FAMILY_LIMIT,
} from "../../lib/directory/descriptor.ts";
import { CONTROLLER_LIMIT } from "../../lib/directory/network.ts";
import {
  ADDRESS_LIMIT,
  MAXIMUM_COST,
  MINIMUM_COST,
  NAME_LIMIT,
  NODE_CERTIFICATE_BYTES,
  WRAPPED_LIMIT,
  ZONE_LIMIT,
} from "../../lib/identity/mod.ts";
import {
  PAYLOAD_LIMIT,
  PEER_MESSAGE_BYTES,
  RANGE_LIMIT,
  TEXT_LIMIT,
  TEXT_PARTS_LIMIT,
} from "../../lib/peer/mod.ts";
import {
  FOLLOWING_LETTER_BYTES,
  OPENING_LETTER_BYTES,
} from "../../lib/mailbox/letter.ts";
import { DEFAULT_MAILBOX_LIMITS } from "../../lib/mailbox/mod.ts";
import {
  BUNDLE_BYTES,
  ONE_TIME_PREKEY_BYTES,
} from "../../lib/mailbox/prekey_bundle.ts";
import {
  PREKEY_GRACE_S,
  PREKEY_LIFETIME_S,
} from "../../lib/mailbox/prekey_secrets.ts";
import { GAP_LIMIT } from "../../lib/mailbox/ratchet.ts";
import { SKIPPED_LIMIT } from "../../lib/mailbox/ratchet_state.ts";
import {
  BODY_BYTES,
  HEADERS_LIMIT,
  HOPS_LIMIT,
} from "../../lib/onion/cell/cell.ts";
import { REKEY_AFTER_CELLS } from "../../lib/onion/circuit/layer_key.ts";
import { LINK_DEADLINE } from "../../lib/onion/link/link_watch.ts";
import { HOPS_MINIMUM } from "../../lib/onion/path/choose_path.ts";
import { DEFAULT_RELAY_LIMITS } from "../../lib/onion/relay/relay_limits.ts";
import {
  ADDRESSES_LIMIT,
  HOST_LIMIT,
} from "../../lib/onion/stream/stream_message.ts";
import { STREAMS_LIMIT } from "../../lib/onion/stream/stream_mux.ts";
import {
  CIRCUIT_INCREMENT,
  CIRCUIT_WINDOW,
  STREAM_INCREMENT,
  STREAM_WINDOW,
} from "../../lib/onion/stream/window.ts";
import { GREETING_BUDGET } from "../../lib/protocol/channel/command_stream.ts";
import {
  RECORD_LIMIT,
  RECORD_LIMIT_MINIMUM,
} from "../../lib/protocol/channel/record.ts";
import { REKEY_AFTER_RECORDS } from "../../lib/protocol/channel/traffic_key.ts";
import { DEFAULT_TRANSFER_LIMITS } from "../../lib/transfer/mod.ts";
import { PIECE_BYTES, PIECES_LIMIT } from "../../lib/transfer/pieces.ts";
import {
  CHUNK_BYTES,
  SEALED_CHUNK_BYTES,
} from "../../lib/transfer/sealed_blob/sizes.ts";
import { CODE_WORDS } from "../../lib/transfer/share_code.ts";
import {
  COMPONENT_LIMIT,
  PATH_LIMIT,
} from "../../lib/transfer/tree/entry_path.ts";
import { PADDED_MINIMUM } from "../../lib/transfer/tree/layout.ts";
import {
  ENTRY_LIMIT,
  MANIFEST_LIMIT,
} from "../../lib/transfer/tree/manifest.ts";
import { SPEC } from "./naive_tables.ts";

const DAY = 86_400;
const GIB = 2 ** 30;
const { quota, retention } = DEFAULT_MAILBOX_LIMITS;
const { account, guests, total, lifetime } = DEFAULT_TRANSFER_LIMITS;

/** Rows of the table, with the numbers that the code has; null where it does not say them aloud. */
const ROWS: readonly (readonly [string, readonly (number | null)[]])[] = [
  ["bytes in the clear, each side", [GREETING_BUDGET]],
  ["bytes inside the channel before a login", [BUDGET_BEFORE_LOGIN]],
  ["plaintext of a record", [RECORD_LIMIT]],
  ["MAX-PACKET", [RECORD_LIMIT_MINIMUM, RECORD_LIMIT]],
  ["records under one key", [REKEY_AFTER_RECORDS]],
  ["address; name; zone", [ADDRESS_LIMIT, NAME_LIMIT, ZONE_LIMIT]],
  ["account certificate; node certificate", [null, NODE_CERTIFICATE_BYTES]],
  ["invite code", [INVITE_LIMIT]],
  ["wrapped keyring", [WRAPPED_LIMIT]],
  ["plaintext of a submission, an answer or a push", [SUBMISSION_LIMIT]],
  ["commands in one of them", [SUBMISSION_COMMANDS]],
  ["silence until a client counts as gone", [IDLE_DEADLINE / 1_000]],
  ["prekey bundle; one-time prekey", [BUNDLE_BYTES, ONE_TIME_PREKEY_BYTES]],
  ["letter", [FOLLOWING_LETTER_BYTES, OPENING_LETTER_BYTES]],
  ["message; its payload", [PEER_MESSAGE_BYTES, PAYLOAD_LIMIT]],
  ["text; its pieces", [TEXT_LIMIT, TEXT_PARTS_LIMIT]],
  ["waiting for one person", [quota.letters, quota.bytes / 2 ** 20]],
  ["retention", [retention / DAY]],
  [
    "missing letters in front of one that opens; keys kept",
    [GAP_LIMIT, SKIPPED_LIMIT],
  ],
  ["runs of message numbers above a gap", [RANGE_LIMIT]],
  [
    "age of a bundle; private halves kept after that",
    [PREKEY_LIFETIME_S / DAY, PREKEY_GRACE_S / DAY],
  ],
  ["Argon2id: memory in KiB; passes", [
    MINIMUM_COST.memoryKiB,
    MAXIMUM_COST.memoryKiB,
    MINIMUM_COST.passes,
    MAXIMUM_COST.passes,
  ]],
  ["body of a bare record", [1, RECORD_LIMIT]],
  ["chunk of a blob; sealed", [CHUNK_BYTES, SEALED_CHUNK_BYTES]],
  ["piece of a blob; how many it has", [PIECE_BYTES, PIECES_LIMIT]],
  [
    "blobs of an account; of all guests; of everybody",
    [account.bytes / GIB, guests.bytes / GIB, total.bytes / GIB],
  ],
  ["lifetime of a blob", [lifetime / DAY]],
  ["shortest padded length", [PADDED_MINIMUM]],
  ["manifest; its entries", [MANIFEST_LIMIT, ENTRY_LIMIT]],
  ["path or link target; a component of a path", [PATH_LIMIT, COMPONENT_LIMIT]],
  ["words of a share code", [CODE_WORDS]],
  ["relay descriptor; relays of its family", [DESCRIPTOR_LIMIT, FAMILY_LIMIT]],
  ["relays in a consensus; controllers", [RELAY_LIMIT, CONTROLLER_LIMIT]],
  ["headers that are kept; in one answer", [CHAIN_LIMIT, HEADERS_AT_ONCE]],
  ["consensus; message between controllers", [CONSENSUS_LIMIT, MESSAGE_LIMIT]],
  ["cells under one record of headers", [HEADERS_LIMIT]],
  ["body of a cell", [...BODY_BYTES]],
  ["silence until a link counts as dead", [LINK_DEADLINE / 1_000]],
  ["relays in a circuit", [HOPS_MINIMUM, HOPS_LIMIT]],
  ["cells under one layer key", [REKEY_AFTER_CELLS]],
  [
    "cells that wait: of a circuit; of all at a relay",
    [null, DEFAULT_RELAY_LIMITS.memory / 2 ** 20],
  ],
  [
    "units under way on a circuit; on a stream",
    [CIRCUIT_WINDOW, STREAM_WINDOW],
  ],
  [
    "units that one SENDME answers: circuit; stream",
    [CIRCUIT_INCREMENT, STREAM_INCREMENT],
  ],
  ["streams on a circuit; name of a host", [STREAMS_LIMIT, HOST_LIMIT]],
  ["answers in one RESOLVED", [ADDRESSES_LIMIT]],
];

Deno.test("SPEC.md §8.2 gives the limits that the code has", () => {
  const section = SPEC.split("### 8.2 Limits")[1]!.split("\n## ")[0]!;
  const rows = new Map(
    section.split("\n").filter((line) => line.startsWith("| ")).map((line) => {
      const [, name, value] = line.split("|").map((cell) => cell.trim());
      const numbers = value!.replaceAll(",", "").match(/\d+/g) ?? [];
      return [name!, numbers.map(Number)];
    }),
  );
  for (const [name, expected] of ROWS) {
    const said = rows.get(name);
    assert(said !== undefined, `no row "${name}"`);
    const known = expected.map((each, i) => each ?? said[i]!);
    assertEquals(said, known, name);
  }
});
