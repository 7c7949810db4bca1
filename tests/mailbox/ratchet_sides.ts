import { assertEquals } from "@std/assert";
import type { Bytes } from "../../lib/protocol/mod.ts";
import { exportDh, generateDh, utf8 } from "../../lib/protocol/mod.ts";
import {
  acceptRatchet,
  decrypt,
  encrypt,
  startRatchet,
} from "../../lib/mailbox/ratchet.ts";
import type { RatchetState } from "../../lib/mailbox/ratchet_state.ts";
import { encodeRatchetState } from "../../lib/mailbox/ratchet_state.ts";
import { codeOf } from "./people.ts";

/** A letter as the ratchet sees it. */
export interface Sealed {
  readonly header: Bytes;
  readonly sealed: Bytes;
}

/** One side with its current state; `write` and `read` go on from it, a failed `read` changes nothing. */
export class Side {
  state: RatchetState;

  constructor(state: RatchetState) {
    this.state = state;
  }

  async write(text = "x"): Promise<Sealed> {
    const { state, header, sealed } = await encrypt(
      this.state,
      (header) =>
        Promise.resolve({ plaintext: utf8(text), associated: header }),
    );
    this.state = state;
    return { header, sealed };
  }

  async read({ header, sealed }: Sealed): Promise<string> {
    const opened = await decrypt(this.state, header, sealed, header);
    this.state = opened.state;
    return new TextDecoder().decode(opened.plaintext);
  }

  /** The code of the refusal; the state is checked to be the same value with the same bytes. */
  async refusal(letter: Sealed): Promise<string> {
    const before = encodeRatchetState(this.state);
    const code = await codeOf(() => this.read(letter));
    assertEquals(encodeRatchetState(this.state), before);
    return code;
  }
}

/** Two sides of a new ratchet; Alice has to write first. */
export async function sides(): Promise<{ alice: Side; bob: Side }> {
  const secret = new Uint8Array(32).fill(1);
  const prekey = await generateDh(true);
  return {
    alice: new Side(startRatchet(secret, prekey.publicKey)),
    bob: new Side(acceptRatchet(secret, {
      privateKey: await exportDh(prekey),
      publicKey: prekey.publicKey,
    })),
  };
}

/** One letter each way. */
export async function roundTrip(a: Side, b: Side): Promise<void> {
  assertEquals(await b.read(await a.write("there")), "there");
  assertEquals(await a.read(await b.write("back")), "back");
}
