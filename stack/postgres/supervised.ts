/** Child processes that never outlive this one, and that are not root. */

export interface Account {
  uid: number;
  gid: number;
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
    "PostgreSQL refuses to run as root, and there is no account `postgres` or `nobody` to run it as",
  );
}

/**
 * Starts a child that the kernel kills when this process ends, even by SIGKILL (prctl PR_SET_PDEATHSIG, through
 * util-linux's setpriv). SIGINT is the signal: it is postgres's fast shutdown, and ends other programs too.
 * Standard error is piped, standard output dropped.
 */
export async function spawnSupervised(
  command: string,
  args: string[],
  options: { asUnprivileged?: boolean } = {},
): Promise<Deno.ChildProcess> {
  const account = options.asUnprivileged ? await unprivileged() : null;
  const identity = account === null
    ? []
    : [`--reuid=${account.uid}`, `--regid=${account.gid}`, "--clear-groups"];
  return new Deno.Command("setpriv", {
    args: [...identity, "--pdeathsig", "INT", command, ...args],
    stdin: "null",
    stdout: "null",
    stderr: "piped",
    cwd: "/",
  }).spawn();
}
