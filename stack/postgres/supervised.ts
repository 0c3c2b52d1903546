/** Child processes that never outlive this one, and that are not root. */

export interface Account {
  uid: number;
  gid: number;
}

export interface Supervised {
  /** What the child writes to standard error; has to be read. */
  stderr: ReadableStream<Uint8Array>;
  /** Resolves when the child has ended, and its folder is removed if that was asked for. */
  status: Promise<Deno.CommandStatus>;
  /** Asks the child to end, by `signal`, and waits until it has. */
  end(): Promise<void>;
}

export interface SupervisedOptions {
  /** Runs the child as the account of unprivileged() when this process is root. */
  asUnprivileged?: boolean;
  /** Ends the child; without it INT, postgres's fast shutdown. */
  signal?: "INT" | "TERM" | "QUIT";
  /** Folder to remove after end() or the death of this process; stays when the child ends by itself. */
  remove?: string;
  /** Gives the child no variable but those of bareEnvironment(). */
  bare?: boolean;
}

/** What a server needs to be found and to know its language and time zone. Nothing in it is a secret. */
const HARMLESS = ["PATH", "LANG", "LC_ALL", "TZ", "TMPDIR", "LD_LIBRARY_PATH"];

/**
 * Returns this process's variables without all that could be a secret: code that runs in a server may read its
 * environment.
 */
export function bareEnvironment(): Record<string, string> {
  return Object.fromEntries(
    HARMLESS.map((name) => [name, Deno.env.get(name)]).filter(([, value]) => value !== undefined),
  );
}

/**
 * Reads the pipe that the parent holds: it closes when the parent asks for the end and when the parent dies, even by
 * SIGKILL. (The kernel's own signal at a parent's death would leave the folder, and follows a thread, not a process.)
 * A child that ended by itself left its watch waiting to be killed: then the folder stays.
 */
const WATCH = `
signal=$1 remove=$2; shift 2
exec 3<&0 </dev/null
"$@" 3<&- & child=$!
( read -r _ <&3; kill -s "$signal" "$child" ) 2>/dev/null & watch=$!
wait "$child"; code=$?
kill "$watch" 2>/dev/null; wait "$watch" 2>/dev/null
[ $? -gt 128 ] || [ -z "$remove" ] || rm -rf "$remove"
exit "$code"
`;

/**
 * Starts a child that ends with this process, even by SIGKILL. It leaves the terminal's process group: Ctrl-C reaches
 * this process alone, which then ends its children in its own order. Standard output is dropped.
 */
export async function spawnSupervised(
  command: string,
  args: string[],
  options: SupervisedOptions = {},
): Promise<Supervised> {
  const { signal = "INT", remove = "" } = options;
  const account = options.asUnprivileged ? await unprivileged() : null;
  const identity = account === null
    ? []
    : ["setpriv", `--reuid=${account.uid}`, `--regid=${account.gid}`, "--clear-groups"];
  const child = new Deno.Command("setsid", {
    args: ["sh", "-c", WATCH, "watch", signal, remove, ...identity, command, ...args],
    stdin: "piped",
    stdout: "null",
    stderr: "piped",
    cwd: "/",
    ...(options.bare ? { clearEnv: true, env: bareEnvironment() } : {}),
  }).spawn();
  const end = async () => {
    // Already closed when end() is called twice.
    await child.stdin.close().catch(() => {});
    await child.status;
  };
  return { stderr: child.stderr, status: child.status, end };
}

/** The account for children that refuse to be root; null when this process is not root. Throws without one. */
export async function unprivileged(): Promise<Account | null> {
  if (Deno.uid() !== 0) return null;
  const passwd = await Deno.readTextFile("/etc/passwd");
  for (const name of ["postgres", "nobody"]) {
    const fields = passwd.split("\n").map((line) => line.split(":")).find(([account]) => account === name);
    if (fields) return { uid: Number(fields[2]), gid: Number(fields[3]) };
  }
  throw new Error(
    "PostgreSQL refuses to run as root, and this machine has no account `postgres` or `nobody` to run it as",
  );
}
