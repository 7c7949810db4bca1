/**
 * What people say to each other, the same for every way of delivery: messages of one size with the
 * sender's signature inside, texts cut into them and put together again, and what of them has arrived.
 * It knows neither keys of sessions nor how a message travels (SPEC.md §6.5).
 *
 * @module
 */
export {
  acknowledge,
  addAcknowledgement,
  addSequences,
  hasSequence,
  highestAcknowledged,
  NO_SEQUENCES,
  RANGE_LIMIT,
  readSequenceSet,
  SACK_BITS,
  writeSequenceSet,
} from "./acknowledgement.ts";
export {
  FLAG_CONTINUED,
  FLAG_MORE,
  isNumbered,
  MessageType,
  PAYLOAD_LIMIT,
  PEER_MESSAGE_BYTES,
  PeerMessageError,
  signPeerMessage,
  verifyPeerMessage,
} from "./peer_message.ts";
export {
  cutText,
  joinText,
  TEXT_ID_BYTES,
  TEXT_LIMIT,
  TEXT_PARTS_LIMIT,
} from "./text.ts";
export {
  addTextPart,
  ASSEMBLY_LIMIT,
  decodeTextAssembly,
  EMPTY_ASSEMBLY,
  encodeTextAssembly,
} from "./text_assembly.ts";

export type {
  Acknowledgement,
  SequenceRange,
  SequenceSet,
} from "./acknowledgement.ts";
export type { PeerMessage } from "./peer_message.ts";
export type { Text, TextPart } from "./text.ts";
export type { TextAssembly, WaitingPart } from "./text_assembly.ts";
