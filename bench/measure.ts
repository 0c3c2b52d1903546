/** Runs a command and reads what it cost from the system. */

export interface Cost {
  wallSeconds: number;
  /** User and system time of the process and its children. */
  cpuSeconds: number;
  /** Largest resident size of a process among them, in bytes. */
  peakBytes: number;
}

/** The shell's `times` prints two lines, of itself and of its children: `0m1.23s 0m0.45s`. */
const TIMED = '"$@"; code=$?; times >&2; exit $code';

const POLL_MS = 20;

/** Throws with the command's own words when it fails. */
export async function measure(
  command: string,
  args: string[],
  env: Record<string, string> = {},
): Promise<Cost> {
  const begin = performance.now();
  const shell = new Deno.Command("sh", {
    args: ["-c", TIMED, "sh", command, ...args],
    env,
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const said = new Response(shell.stderr).text();
  let peakBytes = 0;
  const poll = setInterval(
    () => peakBytes = Math.max(peakBytes, ...descendantsOf(shell.pid).map(peakOf)),
    POLL_MS,
  );
  const { success } = await shell.status;
  const wallSeconds = (performance.now() - begin) / 1000;
  clearInterval(poll);
  const text = await said;
  if (!success) throw new Error(`${command} failed: ${text}`);
  const times = text.trim().split("\n").at(-1)!.split(" ").map(seconds);
  return { wallSeconds, cpuSeconds: times[0]! + times[1]!, peakBytes };
}

export function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

function seconds(time: string): number {
  const [, minutes, rest] = time.match(/^(\d+)m([\d.]+)s$/)!;
  return Number(minutes) * 60 + Number(rest);
}

/** A launcher has the program as its child. */
function descendantsOf(pid: number): number[] {
  return childrenOf(pid).flatMap((child) => [child, ...descendantsOf(child)]);
}

function childrenOf(pid: number): number[] {
  try {
    return Deno.readTextFileSync(`/proc/${pid}/task/${pid}/children`).trim().split(" ").filter(Boolean).map(
      Number,
    );
  } catch {
    return [];
  }
}

/** The kernel's own high-water mark, so a poll that comes late still sees it. */
function peakOf(pid: number): number {
  try {
    const line = Deno.readTextFileSync(`/proc/${pid}/status`).match(/^VmHWM:\s+(\d+) kB$/m);
    return Number(line?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}
