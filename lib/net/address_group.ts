/**
 * The addresses that count as one when limits are applied: a whole IPv4 address, but of IPv6 the
 * first 64 bits, since one household commonly has all addresses behind them. IPv4 written as IPv6
 * (`::ffff:1.2.3.4`) counts as IPv4.
 */
export function addressGroup(hostname: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(hostname);
  if (mapped !== null) return mapped[1]!;
  if (!hostname.includes(":")) return hostname;
  const [head = "", tail] = hostname.split("%")[0]!.split("::");
  const left = head === "" ? [] : head.split(":");
  if (tail !== undefined) {
    const right = tail === "" ? [] : tail.split(":");
    while (left.length + right.length < 8) left.push("0");
    left.push(...right);
  }
  const prefix = left.slice(0, 4).map((part) =>
    parseInt(part || "0", 16).toString(16)
  );
  return `${prefix.join(":")}::/64`;
}
