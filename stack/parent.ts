/** Watches whether the processes that started this one are still there. */

/** How often to look; each time four small files are read. */
const LOOK_MS = 1_000;

/** What `npm run` puts between a person's shell and this process. */
const WRAPPERS = /^(npm|npx|node|sh)\b/;

/** Resolves when the parent has died, or one of npm's processes above it. A signal need not reach us then. */
export function untilParentDies(): Promise<void> {
  const first = parents();
  return new Promise((resolve) => {
    const timer = setInterval(() => {
      if (parents() === first) return;
      clearInterval(timer);
      resolve();
    }, LOOK_MS);
    // Waiting for this alone keeps no process alive.
    Deno.unrefTimer(timer);
  });
}

/** Ids of the parent and of the wrappers' parents; of an orphan init's, which is another one. */
function parents(): string {
  const chain = [Deno.ppid];
  try {
    for (let pid = Deno.ppid; pid > 1 && WRAPPERS.test(command(pid)); chain.push(pid)) pid = parentOf(pid);
  } catch {
    // No /proc, or one of them ended this moment: the parent's id tells.
  }
  return chain.join();
}

function command(pid: number): string {
  return Deno.readTextFileSync(`/proc/${pid}/comm`);
}

/** The fourth field of `stat`; the second, the command, may hold spaces and parentheses. */
function parentOf(pid: number): number {
  const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
  return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
}
