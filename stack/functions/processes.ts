/** Processes of workers: Deno itself, not root where that is possible, and none left behind. */
import { type Account, unprivileged } from "../postgres/supervised.ts";

export interface Processes {
  /** Starts Deno with these arguments and nothing else in its environment than `env` and what its start needs. */
  spawn(args: string[], env: Record<string, string>, cwd: string): Deno.ChildProcess;
  /** Kills what still runs and removes the cache. */
  stop(): Promise<void>;
}

/** For the start of Deno; the bootstrap module removes them before the function sees its environment. */
const START_ENV = { PATH: "/usr/bin:/bin", NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1" };

/**
 * Keeps the pids of running workers (`+ pid`, `- pid`) and kills them when its standard input closes: at stop() and at
 * the death of this process, even by SIGKILL. A worker cannot watch for that itself: its thread may be in an endless loop.
 * It is a child of the child, because an uncaught error in this process has Deno kill its own children.
 */
const REAPER = `
exec 3<&0
{
  pids=
  while read -r sign pid; do
    case $sign in
      +) pids="$pids $pid ";;
      -) pids="\${pids%% $pid *} \${pids#* $pid }";;
    esac
  done
  for pid in $pids; do kill -KILL "$pid" 2>/dev/null; done
  rm -rf "$1" 2>/dev/null || { sleep 1; rm -rf "$1"; }
} <&3 &
wait
`;

/** `files` are what workers have to read; where an unprivileged account cannot, they run as this process does. */
export async function startProcesses(files: string[]): Promise<Processes> {
  const account = await accountThatReads([Deno.execPath(), ...files]);
  const cache = await Deno.makeTempDir({ prefix: "functions-" });
  if (account !== null) await Deno.chown(cache, account.uid, account.gid);
  // In a session of its own, as the workers: Ctrl-C reaches this process alone, which then ends them in its own order.
  const reaper = new Deno.Command("setsid", {
    args: ["sh", "-c", REAPER, "reaper", cache],
    stdin: "piped",
    stdout: "null",
    stderr: "null",
    cwd: "/",
  }).spawn();
  const pids = reaper.stdin.getWriter();
  const tell = (sign: "+" | "-", pid: number) => {
    // A reaper that is gone leaves nothing to tell: stop() has been called.
    pids.write(new TextEncoder().encode(`${sign} ${pid}\n`)).catch(() => {});
  };
  const spawn = (args: string[], env: Record<string, string>, cwd: string) => {
    const [command, ...rest] = ["setsid", ...identity(account), Deno.execPath(), ...args];
    // setsid and setpriv become the next program in place: the pid is Deno's.
    const child = new Deno.Command(command!, {
      args: rest,
      clearEnv: true,
      env: { ...env, ...START_ENV, DENO_DIR: cache },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
      cwd,
    }).spawn();
    tell("+", child.pid);
    child.status.then(() => tell("-", child.pid));
    return child;
  };
  const stop = async () => {
    await pids.close().catch(() => {});
    await reaper.status;
  };
  return { spawn, stop };
}

function identity(account: Account | null): string[] {
  if (account === null) return [];
  return ["setpriv", `--reuid=${account.uid}`, `--regid=${account.gid}`, "--clear-groups"];
}

async function accountThatReads(files: string[]): Promise<Account | null> {
  const account = await unprivileged();
  if (account === null) return null;
  for (const file of files) {
    const [command, ...args] = [...identity(account), "test", "-r", file];
    const { success } = await new Deno.Command(command!, { args }).output();
    if (!success) return null;
  }
  return account;
}
