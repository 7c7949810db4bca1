/** The numbers of the processes in whose environment `text` stands; those that have ended have none. */
export async function processesIn(text: string): Promise<number[]> {
  const { stdout } = await new Deno.Command("sh", {
    args: ["-c", 'grep -lsF "$0" /proc/[0-9]*/environ', text],
  }).output();
  const found = new TextDecoder().decode(stdout).matchAll(/\/proc\/(\d+)\//g);
  return Array.from(found, ([, pid]) => Number(pid));
}

/** Waits until there is none any more; gives up after `patience` milliseconds. */
export async function untilNoneIn(
  text: string,
  patience: number,
): Promise<void> {
  const deadline = Date.now() + patience;
  for (;;) {
    const left = await processesIn(text);
    if (left.length === 0) return;
    if (Date.now() > deadline) {
      throw new Error(`Still there: ${left.join(" ")}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
