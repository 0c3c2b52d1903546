/** Where the password of a target comes from: its URL, PGPASSWORD, libpq's password file, or a person. */
import {
  parseTarget,
  type Target as Address,
  urlOf,
} from "../../supabase/functions/backup/postgres/target.ts";
import { note } from "../terminal/output.ts";
import { askSecret } from "../terminal/prompt.ts";

/** Rights of the file's group and of others: libpq ignores a file that has any. */
const OTHERS = 0o077;

/**
 * The URL with its password, where one is found or typed; as it is otherwise: a server may ask for none.
 * `onCommandLine`: others could read it there.
 */
export async function withPassword(url: string, onCommandLine: boolean): Promise<string> {
  const address = parseTarget(url);
  if (address.password !== "") {
    if (onCommandLine) {
      note("others can see a password in the list of processes; PGPASSWORD or ~/.pgpass hide it");
    }
    return url;
  }
  const password = Deno.env.get("PGPASSWORD") ?? await fromFile(address) ?? await typed(address);
  if (password === null) return url;
  return urlOf({ ...address, password });
}

async function typed({ user, host }: Address): Promise<string | null> {
  if (host.startsWith("/") || !Deno.stdin.isTerminal()) return null;
  return await askSecret(`Password of ${user}:`, "Set PGPASSWORD.");
}

/** PGPASSFILE or ~/.pgpass (PostgreSQL documentation, 34.16). */
async function fromFile(address: Address): Promise<string | null> {
  const path = Deno.env.get("PGPASSFILE") ?? `${Deno.env.get("HOME") ?? ""}/.pgpass`;
  const found = await Deno.stat(path).catch(() => null);
  if (found === null || !found.isFile) return null;
  if (((found.mode ?? 0) & OTHERS) !== 0) {
    note(`${path} is ignored, as libpq does: others may read it (chmod 600)`);
    return null;
  }
  return passwordIn(await Deno.readTextFile(path), address);
}

/**
 * Of the first line `host:port:database:user:password` that fits; `*` fits anything, a backslash goes before
 * a colon or a backslash.
 */
export function passwordIn(file: string, { host, port, database, user }: Address): string | null {
  const wanted = [host.startsWith("/") ? "localhost" : host, String(port), database, user];
  for (const line of file.split(/\r?\n/)) {
    if (line.startsWith("#")) continue;
    const fields = [...line.matchAll(/((?:\\.|[^:\\])*)(?::|$)/g)].map(([, field]) => field!);
    const fits = wanted.every((value, index) => fields[index] === "*" || unescaped(fields[index]) === value);
    if (fits && fields[4] !== undefined) return unescaped(fields[4])!;
  }
  return null;
}

function unescaped(field: string | undefined): string | undefined {
  return field?.replace(/\\(.)/g, "$1");
}
