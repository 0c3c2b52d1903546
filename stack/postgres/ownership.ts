/** Files and folders that the account of the servers may reach. */
import { exists } from "./programs.ts";
import { bareEnvironment, unprivileged } from "./supervised.ts";

/** Makes a folder, unless it is there, that the account of the server may pass through, whatever the umask is. */
export async function makePassable(path: string): Promise<void> {
  if (await exists(path)) return;
  await Deno.mkdir(path, { recursive: true });
  await Deno.chmod(path, 0o711);
}

/** Gives a folder or file to the account of the server; throws when that account cannot reach it. */
export async function giveAway(path: string): Promise<void> {
  const account = await unprivileged();
  if (account === null) return;
  await Deno.chown(path, account.uid, account.gid);
  const { success } = await new Deno.Command("setpriv", {
    args: [`--reuid=${account.uid}`, `--regid=${account.gid}`, "--clear-groups", "test", "-r", path],
    clearEnv: true,
    env: bareEnvironment(),
  }).output();
  if (success) return;
  throw new Error(
    `The database's account (uid ${account.uid}) cannot reach ${path}: PostgreSQL does not run as root. ` +
      "Choose a folder below one that everybody may enter, for example /var/lib or /tmp",
  );
}
