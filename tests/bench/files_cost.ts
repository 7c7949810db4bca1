import { cpuSeconds } from "./process_cost.ts";

/** How a process is started. */
export interface Invocation {
  readonly program: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** What a transfer took. */
export interface Cost {
  /** From the start of the first process to the end of the last. */
  readonly seconds: number;
  /** Processor time of all processes and of what they started, in seconds. */
  readonly cpu: number;
  /** Most resident memory in bytes: of the processes that were started, in order, then of the servers. */
  readonly peaks: readonly number[];
}

/** Between two looks at the memory of processes that end by themselves, in milliseconds. */
const LOOK_EVERY = 50;
/** Until servers have waited for processes of theirs, whose time counts only then. */
const SETTLING = 200;

/**
 * Starts processes at the same time and waits for all of them. Nothing else that this process has
 * started may end meanwhile, because the processor time of ended processes is only known in sum.
 *
 * @param servers process ids of servers that work for them.
 * @throws {Error} if one of them fails; the others are ended.
 */
export async function costOf(
  invocations: readonly Invocation[],
  servers: readonly number[],
): Promise<Cost> {
  for (const pid of servers) forgetPeak(pid);
  const cpu = () =>
    childrenCpu(Deno.pid) + servers.reduce(
      (sum, pid) => sum + cpuSeconds(pid) + childrenCpu(pid),
      0,
    );
  const cpuBefore = cpu();
  const start = performance.now();
  const children = invocations.map(({ program, args, env = {} }) =>
    new Deno.Command(program, {
      args: [...args],
      env: { ...env },
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn()
  );
  const peaks = invocations.map(() => 0);
  const looking = setInterval(() => {
    children.forEach(({ pid }, i) => {
      peaks[i] = Math.max(peaks[i]!, peakBytes(pid));
    });
  }, LOOK_EVERY);
  try {
    await Promise.all(
      children.map((child, i) => ended(child, invocations[i]!)),
    );
  } catch (error) {
    for (const child of children) stop(child);
    throw error;
  } finally {
    clearInterval(looking);
  }
  const seconds = (performance.now() - start) / 1_000;
  await new Promise((resolve) => setTimeout(resolve, SETTLING));
  return {
    seconds,
    cpu: cpu() - cpuBefore,
    peaks: [...peaks, ...servers.map(peakBytes)],
  };
}

async function ended(
  child: Deno.ChildProcess,
  { program, args }: Invocation,
): Promise<void> {
  const [said, { success }] = await Promise.all([
    new Response(child.stderr).text(),
    child.status,
  ]);
  if (success) return;
  const line = [program, ...args].join(" ");
  throw new Error(`Cannot measure: ${line}: ${said.slice(-500)}`);
}

function stop(child: Deno.ChildProcess): void {
  try {
    child.kill("SIGKILL");
  } catch {
    // It has ended.
  }
}

/** Processor time of those that the process has started and that have ended, in seconds. */
function childrenCpu(pid: number): number {
  const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
  // cutime and cstime are the 14th and 15th behind the name, in ticks of 10 ms.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[13]) + Number(fields[14])) / 100;
}

/** The most resident memory a process has had; 0 when it has ended. */
function peakBytes(pid: number): number {
  try {
    const status = Deno.readTextFileSync(`/proc/${pid}/status`);
    return Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1_024;
  } catch {
    return 0;
  }
}

/** Lets the peak begin at what there is now (proc(5), clear_refs). */
function forgetPeak(pid: number): void {
  Deno.writeTextFileSync(`/proc/${pid}/clear_refs`, "5");
}
