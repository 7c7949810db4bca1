import { parseIpAddress } from "../../net/mod.ts";
import type { Resolver } from "./resolver.ts";

/** Asks the name servers of the system. It does not read the hosts file. */
export class DnsResolver implements Resolver {
  /** A and AAAA at the same time; one of them that fails does not matter if the other has answered. */
  async addresses(
    name: string,
    signal: AbortSignal,
  ): Promise<readonly string[]> {
    const answers = await Promise.allSettled([
      ask(name, "A", signal),
      ask(name, "AAAA", signal),
    ]);
    const found = answers.flatMap((each) =>
      each.status === "fulfilled" ? each.value : []
    );
    const failed = answers.find((each) => each.status === "rejected");
    if (found.length === 0 && failed !== undefined) throw failed.reason;
    return found;
  }

  /** PTR, under the name that the address has for it (RFC 1035 §3.5, RFC 3596 §2.5). */
  names(ip: string, signal: AbortSignal): Promise<readonly string[]> {
    return ask(reverseName(ip), "PTR", signal);
  }
}

async function ask(
  name: string,
  type: "A" | "AAAA" | "PTR",
  signal: AbortSignal,
): Promise<string[]> {
  try {
    // The dot at the end keeps the system from looking in its own domains, which would be inside.
    return await Deno.resolveDns(`${name}.`, type, { signal });
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

function reverseName(ip: string): string {
  const { family, value } = parseIpAddress(ip)!;
  if (family === 4) return `${ip.split(".").reverse().join(".")}.in-addr.arpa`;
  const digits = value.toString(16).padStart(32, "0").split("").reverse();
  return `${digits.join(".")}.ip6.arpa`;
}
