/** What runs, by Linux's own account of it. */

/** All processes below one, threads' children included. */
export async function descendants(pid: number): Promise<number[]> {
  const children: number[] = [];
  for (const thread of threads(pid)) {
    const text = await Deno.readTextFile(`/proc/${pid}/task/${thread}/children`).catch(() => "");
    children.push(...text.split(" ").filter(Boolean).map(Number));
  }
  return [...children, ...(await Promise.all(children.map(descendants))).flat()];
}

/** None of a process that has ended: a server's children come and go. */
function threads(pid: number): string[] {
  try {
    return Array.from(Deno.readDirSync(`/proc/${pid}/task`), ({ name }) => name);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

function alive(pid: number): boolean {
  try {
    // A zombie that nobody has waited for yet is dead all the same.
    return !/^State:\s+Z/m.test(Deno.readTextFileSync(`/proc/${pid}/status`));
  } catch {
    return false;
  }
}

/** Throws when one of them is still there after 15 s. */
export async function untilDead(pids: number[]): Promise<void> {
  const deadline = Date.now() + 15_000;
  while (pids.some(alive)) {
    if (Date.now() > deadline) throw new Error(`still running after 15 s: ${pids.filter(alive)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
