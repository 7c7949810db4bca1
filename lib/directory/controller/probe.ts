import type { ByteStream } from "../../protocol/mod.ts";
import { Caller, ChannelError, RefusedError } from "../../protocol/mod.ts";
import { sameBytes } from "../byte_order.ts";
import { closeQuietly, withinTime } from "../controller_link.ts";
import type { RelayDescriptor } from "../descriptor.ts";
import type { RelayAddress } from "../relay_address.ts";

/** Opens a connection to a relay; rejects if nobody answers there, or when `signal` fires. */
export type DialRelay = (
  address: RelayAddress,
  signal: AbortSignal,
) => Promise<ByteStream>;

/** Why a relay is not where it says, in a word. */
export type ProbeFailure = "unreachable" | "wrong-key" | "busy";

/** How long a relay may take to shake hands, in milliseconds. */
const PATIENCE = 10_000;

/**
 * Looks whether a relay can be reached at the address in its descriptor, through the whole handshake
 * with the link key that the descriptor names.
 *
 * @returns why not, or `undefined` if it can.
 */
export async function probe(
  { address, identity }: RelayDescriptor,
  dial: DialRelay,
  signal: AbortSignal,
): Promise<ProbeFailure | undefined> {
  let stream: ByteStream;
  try {
    stream = await dial(address, signal);
  } catch {
    return "unreachable";
  }
  const drop = () => closeQuietly(stream);
  signal.addEventListener("abort", drop);
  if (signal.aborted) drop();
  try {
    const caller = new Caller(stream);
    // Whoever holds another key could only break off at HELLO, which a bad line does, too.
    const shown = await withinTime(stream, PATIENCE, () => caller.publicKey());
    if (!sameBytes(shown, identity.bytes)) {
      drop();
      return "wrong-key";
    }
    const channel = await withinTime(
      stream,
      PATIENCE,
      () => caller.connect(identity.dhKey),
    );
    await withinTime(stream, PATIENCE, () => channel.close());
    return undefined;
  } catch (error) {
    drop();
    if (error instanceof RefusedError) return "busy";
    return error instanceof ChannelError &&
        error.code === "ERR_HANDSHAKE_FAILED"
      ? "wrong-key"
      : "unreachable";
  } finally {
    signal.removeEventListener("abort", drop);
  }
}
