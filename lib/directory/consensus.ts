import {
  NODE_CERTIFICATE_BYTES,
  parseNodeCertificate,
} from "../identity/mod.ts";
import type { NodeCertificate, NodeKeyring } from "../identity/mod.ts";
import type { Bytes } from "../protocol/mod.ts";
import {
  concat,
  MalformedError,
  Reader,
  sha256,
  sign,
  SIGNATURE_BYTES,
  utf8,
  verify,
  Writer,
} from "../protocol/mod.ts";
import { compareBytes, isAscending } from "./byte_order.ts";
import type { ConsensusBody, KnownDescriptors } from "./consensus_body.ts";
import { openBody, readRawBody } from "./consensus_body.ts";
import { ConsensusError } from "./consensus_error.ts";
import type { ConsensusTimes } from "./consensus_header.ts";
import { encodeHeader } from "./consensus_header.ts";
import type { Network } from "./network.ts";
import { CONTROLLER_LIMIT, controllerIndex } from "./network.ts";

const LABEL = utf8("sotto consensus v1\0");
/** How far a consensus may lie in the future, in seconds: clocks differ. */
const EARLY_TOLERANCE = 300;
/** A consensus of 10,000 of the longest descriptors, with every signature. */
export const CONSENSUS_LIMIT = 41_100_000;

/** A consensus with the signatures that make it one. */
export interface Consensus extends ConsensusBody {
  /** Body and signatures, as they are handed over. */
  readonly bytes: Bytes;
  /** Who has signed it: controllers of the network, at least the quorum. */
  readonly signers: readonly NodeCertificate[];
}

/** One controller's signature of a consensus. */
export interface ConsensusSignature {
  /** Whose it is. */
  readonly controller: NodeCertificate;
  /** Ed25519 over a label and the hash of the consensus, 64 bytes. */
  readonly signature: Bytes;
}

/** Signs the consensus with this hash (32 bytes). */
export async function signConsensus(
  hash: Bytes,
  keyring: NodeKeyring,
): Promise<ConsensusSignature> {
  return {
    controller: keyring.certificate,
    signature: await sign(keyring.signing.privateKey, concat(LABEL, hash)),
  };
}

/** Whether a signature is its controller's over the consensus with this hash. */
export async function isSigned(
  hash: Bytes,
  { controller, signature }: ConsensusSignature,
): Promise<boolean> {
  return await verify(controller.signingKey, signature, concat(LABEL, hash));
}

/**
 * Body ‖ number of signatures (1 byte) ‖ for each, ascending by fingerprint: node certificate (559),
 * Ed25519 signature (64).
 */
export function joinConsensus(
  body: ConsensusBody,
  signatures: readonly ConsensusSignature[],
): Consensus {
  const sorted = signatures.toSorted((a, b) =>
    compareBytes(a.controller.fingerprint, b.controller.fingerprint)
  );
  const writer = new Writer(16_384).u8(sorted.length);
  for (const { controller, signature } of sorted) {
    writer.bytes(controller.bytes).bytes(signature);
  }
  return {
    ...body,
    bytes: concat(body.body, writer.done()),
    signers: sorted.map(({ controller }) => controller),
  };
}

/**
 * Reads a consensus and verifies all that can be known from itself: the signatures of at least the
 * quorum of the network's controllers, every descriptor in it, and its times. Whether it descends from
 * the one known before, `checkSuccession` says.
 *
 * @param now seconds since 1970.
 * @param known descriptors that were verified before.
 * @throws {ConsensusError} if it must not be used; any code but `ERR_CONSENSUS_FORKED`.
 */
export async function verifyConsensus(
  bytes: Uint8Array,
  network: Network,
  now: number,
  known?: KnownDescriptors,
): Promise<Consensus> {
  const consensus = await parseConsensus(bytes, network, known);
  checkTimes(consensus, now);
  return consensus;
}

/**
 * As `verifyConsensus`, whatever the time is: for one's own head of the chain, which may be old.
 *
 * @throws {ConsensusError} `ERR_CONSENSUS_MALFORMED` or `ERR_CONSENSUS_UNSIGNED`.
 */
export async function parseConsensus(
  bytes: Uint8Array,
  network: Network,
  known?: KnownDescriptors,
): Promise<Consensus> {
  try {
    if (bytes.length > CONSENSUS_LIMIT) {
      throw new MalformedError(`Cannot read a consensus: too long`);
    }
    const reader = new Reader(bytes);
    const raw = readRawBody(reader);
    const hash = await sha256(encodeHeader(raw.header));
    const signers = await readSigners(reader, hash, network);
    const body = await openBody(raw, known);
    return { ...body, bytes: new Uint8Array(bytes), signers };
  } catch (cause) {
    if (!(cause instanceof MalformedError)) throw cause;
    throw new ConsensusError(
      "ERR_CONSENSUS_MALFORMED",
      "it is damaged, or not one",
      { cause },
    );
  }
}

/**
 * Holds the times of a consensus against the clock.
 *
 * @param now seconds since 1970.
 * @throws {ConsensusError} `ERR_CONSENSUS_EARLY` or `ERR_CONSENSUS_EXPIRED`.
 */
export function checkTimes(times: ConsensusTimes, now: number): void {
  const { validAfter, validUntil } = times;
  if (now < validAfter - EARLY_TOLERANCE) {
    throw new ConsensusError(
      "ERR_CONSENSUS_EARLY",
      `it is valid from ${timeOf(validAfter)} on, your clock says ${
        timeOf(now)
      }; is your clock slow?`,
    );
  }
  if (now >= validUntil) {
    throw new ConsensusError(
      "ERR_CONSENSUS_EXPIRED",
      `it was valid until ${timeOf(validUntil)}, your clock says ${
        timeOf(now)
      }; are the controllers away, or is your clock fast?`,
    );
  }
}

/**
 * The controllers of this network that have signed; each of their signatures must be good. Others may
 * have signed, too: a network may know only some of the controllers.
 */
async function readSigners(
  reader: Reader,
  hash: Bytes,
  network: Network,
): Promise<NodeCertificate[]> {
  const count = reader.u8();
  if (count > CONTROLLER_LIMIT) {
    throw new MalformedError(`Cannot read a consensus: ${count} signatures`);
  }
  const pairs = Array.from({ length: count }, () => ({
    certificate: reader.take(NODE_CERTIFICATE_BYTES),
    signature: reader.take(SIGNATURE_BYTES),
  }));
  reader.end();
  const signers: NodeCertificate[] = [];
  const prints: Bytes[] = [];
  for (const { certificate, signature } of pairs) {
    const controller = await parseNodeCertificate(certificate);
    prints.push(controller.fingerprint);
    if (controllerIndex(network, controller.fingerprint) < 0) continue;
    if (!await isSigned(hash, { controller, signature })) {
      throw unsigned("the signature of a controller does not match");
    }
    signers.push(controller);
  }
  if (!isAscending(prints)) {
    throw unsigned("its signatures are not in order, or one stands twice");
  }
  if (signers.length < network.quorum) {
    throw unsigned(
      `${signers.length} controllers have signed it, not ${network.quorum}`,
    );
  }
  return signers;
}

function unsigned(seen: string): ConsensusError {
  return new ConsensusError("ERR_CONSENSUS_UNSIGNED", seen);
}

function timeOf(seconds: number): string {
  const date = new Date(seconds * 1_000);
  return Number.isNaN(date.getTime())
    ? `second ${seconds}`
    : date.toISOString().replace(".000Z", "Z");
}
