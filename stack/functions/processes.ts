/** Processes of workers: Deno itself, never root, and none left behind. */
import { join } from "node:path";
import { unprivileged } from "../postgres/supervised.ts";

export interface Processes {
  /** Folder for what workers read; it is removed in the end. */
  deployed: string;
  /** Folder that workers may write to. */
  scratch: string;
  /** File of an authority that workers trust beside the public ones. */
  authority: string | null;
  /** Starts Deno with these arguments and nothing else in its environment than `env` and what its start needs. */
  spawn(args: string[], env: Record<string, string>, cwd: string): Deno.ChildProcess;
  /** Kills what still runs and removes the folders. */
  stop(): Promise<void>;
}

/** For the start of Deno; the bootstrap module removes them before the function sees its environment. */
const START_ENV = { PATH: "/usr/bin:/bin", NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1" };

/**
 * Keeps the pids of running workers (`+ pid`, `- pid`) and kills them when its standard input closes: at stop() and at
 * the death of this process, even by SIGKILL. A worker cannot watch for that itself: its thread may be in an endless
 * loop. It is a child of the child, because an uncaught error in this process has Deno kill its own children.
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

/**
 * Becomes the account whose ids are given, then Deno. The program is opened before and run by its descriptor, because
 * it may lie in a folder that the account cannot enter.
 */
const AS_ACCOUNT = `
exec 3<"$1"; uid=$2 gid=$3; shift 3
exec setpriv --reuid="$uid" --regid="$gid" --clear-groups /proc/self/fd/3 "$@"
`;

/** `authority` is the PEM of a certificate authority that the processes trust beside the public ones. */
export async function startProcesses(authority?: string): Promise<Processes> {
  const account = await unprivileged();
  const folder = await Deno.makeTempDir({ prefix: "functions-" });
  const [deployed, cache, scratch] = ["deployed", "cache", "scratch"].map((name) => join(folder, name));
  await Deno.chmod(folder, 0o755);
  await Deno.mkdir(deployed!);
  await Deno.chmod(deployed!, 0o755);
  const trusted = `${folder}/authority.pem`;
  if (authority !== undefined) await Deno.writeTextFile(trusted, authority, { mode: 0o644 });
  for (const own of [cache!, scratch!]) {
    await Deno.mkdir(own, { mode: 0o700 });
    if (account !== null) await Deno.chown(own, account.uid, account.gid);
  }
  const program = account === null
    ? [Deno.execPath()]
    : ["sh", "-c", AS_ACCOUNT, "worker", Deno.execPath(), String(account.uid), String(account.gid)];
  // In a session of its own, as the workers: Ctrl-C reaches this process alone, which then ends them in its own order.
  const reaper = new Deno.Command("setsid", {
    args: ["sh", "-c", REAPER, "reaper", folder],
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
    // setsid, sh and setpriv become the next program in place: the pid is Deno's.
    const child = new Deno.Command("setsid", {
      args: [...program, ...args],
      clearEnv: true,
      env: { ...env, ...START_ENV, DENO_DIR: cache! },
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
  return {
    deployed: deployed!,
    scratch: scratch!,
    spawn,
    stop,
    authority: authority === undefined ? null : trusted,
  };
}
