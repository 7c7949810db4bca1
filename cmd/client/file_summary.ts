import type { Bytes } from "../../lib/protocol/mod.ts";
import type { Manifest, Offer } from "../../lib/transfer/mod.ts";
import { printable } from "../printable.ts";
import { formatSize } from "../size.ts";

/** What an offer says of files, and of nothing else. */
export type Contents = Pick<Offer, "name" | "kind" | "size" | "entries">;

/** What is to be said of what is sent. */
export function contentsOf({ name, entries }: Manifest): Contents {
  const [top, another] = entries.filter(({ path }) => !path.includes("/"));
  return {
    name,
    kind: another !== undefined
      ? "several"
      : top?.kind === "directory"
      ? "directory"
      : "file",
    size: entries.reduce(
      (sum, entry) => sum + (entry.kind === "file" ? entry.size : 0),
      0,
    ),
    entries: entries.length,
  };
}

/** `report.pdf (1.2 MiB)`, `photos/ (directory, 341 entries, 2.0 GiB)`. */
export function describeOffer(
  { name, kind, size, entries }: Contents,
): string {
  const length = formatSize(size);
  const shown = printable(name);
  if (kind === "file") return `${shown} (${length})`;
  const count = `${entries} ${entries === 1 ? "entry" : "entries"}`;
  return kind === "directory"
    ? `${shown}/ (directory, ${count}, ${length})`
    : `${shown} (${count}, ${length})`;
}

/** The digest of a transfer as people compare it: hex. */
export function formatDigest(digest: Bytes): string {
  return digest.toHex();
}

/** That files were sent; `digest` is `undefined` if they were fetched before the server had said it. */
export function sentText(digest: Bytes | undefined): string {
  return digest === undefined ? "sent" : `sent, digest ${formatDigest(digest)}`;
}

/** An offer as an object for programs; without the secret, which opens it. */
export function offerObject(offer: Offer): Record<string, unknown> {
  return {
    name: offer.name,
    kind: offer.kind,
    size: offer.size,
    entries: offer.entries,
    expiresAt: new Date(offer.expiresAt).toISOString(),
  };
}
