import type { Bytes } from "../protocol/mod.ts";
import { CommandWriter, MalformedError } from "../protocol/mod.ts";
import { sameBytes } from "./byte_order.ts";
import { CHAIN_LIMIT, checkSuccession } from "./chain.ts";
import {
  CONSENSUS_IS,
  FIRST_HEIGHT,
  GET_CONSENSUS,
  GET_HEADERS,
  HEADER_COUNT,
  HEADERS_ARE,
  HEADERS_AT_ONCE,
  KNOWN_HASH,
  NOT_MODIFIED,
} from "./commands.ts";
import type { Consensus } from "./consensus.ts";
import { CONSENSUS_LIMIT, parseConsensus } from "./consensus.ts";
import { descriptorsOf } from "./consensus_body.ts";
import { ConsensusError } from "./consensus_error.ts";
import type { ConsensusHeader } from "./consensus_header.ts";
import { HEADER_BYTES, parseHeader } from "./consensus_header.ts";
import type { ControllerLink } from "./controller_link.ts";
import { DirectoryError } from "./directory_error.ts";
import type { Network } from "./network.ts";

/** What a controller had for somebody who knows `head`. */
export interface Fetched {
  /** The newest, verified, descending from the head; the times are not looked at. */
  readonly consensus: Consensus;
  /** The headers of all heights between the head and it; empty without a head. */
  readonly between: readonly ConsensusHeader[];
}

/**
 * Asks a controller for the newest consensus.
 *
 * @param head the one known, if any: what does not descend from it is not taken.
 * @returns `undefined` if the controller has no other than `head`.
 * @throws {ConsensusError} if it must not be used; its times are not looked at.
 * @throws {DirectoryError} `ERR_DIRECTORY_BEHIND` if the controller has only an older one,
 * `ERR_DIRECTORY_DECLINED` if it has none yet, or no way to it from the head.
 */
export async function fetchConsensus(
  link: ControllerLink,
  network: Network,
  head: Consensus | undefined,
): Promise<Fetched | undefined> {
  const commands = new CommandWriter().set(KNOWN_HASH, head?.hash)
    .verb(GET_CONSENSUS).done();
  const answer = await link.ask(commands, [CONSENSUS_IS, NOT_MODIFIED]);
  if (answer.verb === NOT_MODIFIED) {
    if (head !== undefined) return undefined;
    throw new MalformedError("Cannot take NOT-MODIFIED: nothing is known here");
  }
  const bytes = await link.body(answer, CONSENSUS_LIMIT);
  if (head === undefined) {
    return { consensus: await parseConsensus(bytes, network), between: [] };
  }
  const consensus = await parseConsensus(bytes, network, descriptorsOf(head));
  if (sameBytes(consensus.hash, head.hash)) return undefined;
  if (consensus.height < head.height) {
    throw new DirectoryError(
      "ERR_DIRECTORY_BEHIND",
      `Cannot use the consensus of a controller: it has height ${consensus.height}, one of height ${head.height} is known`,
    );
  }
  const between = await fetchBetween(link, head, consensus);
  await checkSuccession(head, between, consensus);
  return { consensus, between };
}

async function fetchBetween(
  link: ControllerLink,
  head: ConsensusHeader,
  next: ConsensusHeader,
): Promise<ConsensusHeader[]> {
  const wanted = next.height - head.height - 1;
  if (wanted > CHAIN_LIMIT) {
    throw new ConsensusError(
      "ERR_CONSENSUS_FORKED",
      `the way to it is ${wanted} long, at most ${CHAIN_LIMIT} can be shown`,
    );
  }
  const headers: ConsensusHeader[] = [];
  while (headers.length < wanted) {
    const count = Math.min(wanted - headers.length, HEADERS_AT_ONCE);
    const first = head.height + 1 + headers.length;
    headers.push(...await fetchHeaders(link, first, count));
  }
  return headers;
}

/** Exactly `count` headers from the height `first` on. */
async function fetchHeaders(
  link: ControllerLink,
  first: number,
  count: number,
): Promise<ConsensusHeader[]> {
  const commands = new CommandWriter().set(FIRST_HEIGHT, BigInt(first))
    .set(HEADER_COUNT, count).verb(GET_HEADERS).done();
  const answer = await link.ask(commands, [HEADERS_ARE]);
  const length = count * HEADER_BYTES;
  const body: Bytes = await link.body(answer, length);
  if (body.length !== length) {
    throw new MalformedError("Cannot read headers: not as many as were asked");
  }
  return Array.from(
    { length: count },
    (_, i) =>
      parseHeader(body.subarray(i * HEADER_BYTES, (i + 1) * HEADER_BYTES)),
  );
}
