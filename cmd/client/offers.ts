import type { MailboxClient } from "../../lib/mailbox/mod.ts";
import { blobKeys, parseOffer } from "../../lib/transfer/mod.ts";
import type { Offer } from "../../lib/transfer/mod.ts";
import type { Vault } from "../../lib/store/mod.ts";
import { pulledTo } from "./push_record.ts";

/** An offer that somebody has made to this account. */
export interface ReceivedOffer {
  /** Who. */
  readonly address: string;
  /** The letter's number in the history with them. */
  readonly number: number;
  readonly offer: Offer;
  /** Where its files lie, if they were fetched; nowhere if the server has them no more. */
  readonly fetchedTo: readonly string[] | undefined;
}

/** Letters of a conversation that are looked through. */
const LOOKED_THROUGH = 10_000;

/** What was offered to this account, the newest last; by `person` only, if given. */
export async function receivedOffers(
  mailbox: MailboxClient,
  vault: Vault,
  person: string | undefined,
): Promise<ReceivedOffer[]> {
  const offers: (ReceivedOffer & { readonly at: number })[] = [];
  for (const { address } of await mailbox.book.contacts()) {
    if (person !== undefined && person !== address) continue;
    const entries = await mailbox.book.history(address, LOOKED_THROUGH);
    for (const entry of entries) {
      const offer = entry.outgoing ? undefined : parseOffer(entry.text);
      if (offer === undefined) continue;
      const { id } = await blobKeys(offer.secret);
      offers.push({
        address,
        number: entry.number,
        at: entry.at,
        offer,
        fetchedTo: await pulledTo(vault, id),
      });
    }
  }
  return offers.toSorted((a, b) => a.at - b.at);
}
