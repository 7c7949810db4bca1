import { formatIpAddress, parseIpAddress } from "../../net/mod.ts";
import { MalformedError } from "../../protocol/mod.ts";
import { parseHostName } from "./host_name.ts";

/** In characters. */
const TEXT_LIMIT = 1 << 20;

/**
 * Reads a file in the manner of `/etc/hosts`: on each line an IP address and the names that have it,
 * what stands behind `#` does not count. A name on several lines has all of their addresses, in the
 * order of the lines. Keys are in lower case and without a dot at the end.
 *
 * @throws {MalformedError} if a line is anything else, or the file has more than 1 MiB.
 */
export function parseHostsFile(
  text: string,
): ReadonlyMap<string, readonly string[]> {
  if (text.length > TEXT_LIMIT) {
    throw malformed(`${text.length} characters, at most ${TEXT_LIMIT}`);
  }
  const hosts = new Map<string, string[]>();
  for (const [index, line] of text.split("\n").entries()) {
    const words = line.replace(/#.*/, "").trim().split(/\s+/);
    if (words[0] === "") continue;
    const [first, ...names] = words;
    const address = parseIpAddress(first!);
    if (address === undefined || names.length === 0) {
      throw malformed(`line ${index + 1} is not ADDRESS NAME...`);
    }
    const ip = formatIpAddress(address);
    for (const each of names) {
      const name = parseHostName(each);
      if (name === undefined) {
        throw malformed(`line ${index + 1} has something that is no name`);
      }
      const ips = hosts.get(name) ?? [];
      if (!ips.includes(ip)) ips.push(ip);
      hosts.set(name, ips);
    }
  }
  return hosts;
}

function malformed(seen: string): MalformedError {
  return new MalformedError(`Cannot read a hosts file: ${seen}`);
}
