/** RFC 1035 §2.3.4, without the dot at the end. */
const NAME_LIMIT = 253;
const LABEL = /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/;
/** What the systems of some read as an IP address: `127.1`, `0x7f.1`, `2130706433`. */
const NUMBER = /^([0-9]+|0x[0-9a-f]*)$/;
/** RFC 7686: names of onion services, which must never be asked for in the DNS. */
const ONION = "onion";

/**
 * The one spelling of a host name, in lower case and without a dot at its end; `undefined` if it is
 * none that can be resolved: over 253 bytes, with other characters than letters, digits, `-` and `_`,
 * with a number for its last label (which some systems would take for an IP address), or of an onion
 * service.
 */
export function parseHostName(text: string): string | undefined {
  const name = text.replace(/\.$/, "").toLowerCase();
  if (name.length > NAME_LIMIT) return undefined;
  const labels = name.split(".");
  if (!labels.every((label) => LABEL.test(label))) return undefined;
  const last = labels.at(-1)!;
  return NUMBER.test(last) || last === ONION ? undefined : name;
}
