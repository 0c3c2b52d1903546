/** What a restore finds before it touches anything, and what a person must confirm because of it. */
import type { Target as Address } from "../../supabase/functions/backup/postgres/target.ts";
import { CommandError } from "../terminal/errors.ts";
import { type Contents, contentsOf } from "./target_contents.ts";
import { placeOf, type Target } from "./target.ts";

export interface Finding {
  code: "is_source" | "not_empty" | "clean" | "older_server" | "production";
  reason: string;
}

/** What is known of the database that was backed up. */
export interface BackedUp {
  /** Name of the backup; null for a file. */
  name: string | null;
  serverVersion: string | null;
  database: string | null;
  projectUrl: string | null;
}

const SHOWN = 8;

/**
 * Returns everything that speaks against this target; a restore may begin without a question where there is
 * nothing.
 */
export async function preflight(target: Target, backup: BackedUp, clean: boolean): Promise<Finding[]> {
  const found: Finding[] = [];
  const isSource = await sourceReason(target, backup);
  if (isSource !== null) found.push({ code: "is_source", reason: isSource });
  const contents = await contentsOf(target);
  if (!isEmpty(contents)) {
    const stays = clean ? "" : ": what is there stays (--clean drops what the backup has)";
    found.push({ code: "not_empty", reason: `it is not empty: ${described(contents)}${stays}` });
  }
  if (clean) found.push({ code: "clean", reason: "--clean drops what the backup has" });
  const source = Number.parseInt(backup.serverVersion ?? "");
  const major = Math.floor(target.version / 10000);
  if (major < source) {
    found.push({
      code: "older_server",
      reason:
        `its server is version ${major}, older than the backup's ${source}: what is new there may not exist here`,
    });
  }
  const doubt = productionDoubt(target.address, backup);
  if (doubt !== null) found.push({ code: "production", reason: doubt });
  return found;
}

/**
 * Expects the database's name where something was found. `given` is that of --confirm, and must fit in any
 * case; `canAsk`: a person may
 * still be asked, later. Throws CommandError that says each thing that was found.
 */
export function expectConfirmation(
  { address }: Target,
  found: readonly Finding[],
  given: string | undefined,
  canAsk: boolean,
): void {
  if (given === address.database || (given === undefined && (found.length === 0 || canAsk))) return;
  const reasons = found.map(({ reason }) => reason);
  if (given !== undefined) {
    const message = `"${given}" is not "${address.database}", the name of the target's database`;
    throw new CommandError(message, "Nothing was changed.", undefined, reasons);
  }
  throw new CommandError(
    `A restore into the ${placeOf(address)} must be confirmed:`,
    `Nothing was changed. Choose another target, or add --confirm ${address.database}.`,
    undefined,
    reasons,
  );
}

/** Returns a warning about a superuser, which is not refused: many people restore into a server of their own as one. */
export function superuserNote({ user }: Target): string {
  return `role "${user}" is a superuser: code in the backup (checks, defaults, index functions) runs with its rights, and can run ` +
    "programs on the server's machine. Unless you trust every owner of a table, restore as a role that owns the database and is " +
    "not a superuser";
}

function isEmpty({ objects, users }: Contents): boolean {
  return objects.length === 0 && users === 0;
}

function described({ objects, users }: Contents): string {
  const schemas = new Map<string, number>();
  for (const { schema } of objects) schemas.set(schema, (schemas.get(schema) ?? 0) + 1);
  const shown = [...schemas].slice(0, SHOWN).map(([schema, number]) => `${schema} (${number})`).join(", ");
  const tables = objects.filter(({ schema }) => schema !== "backup").slice(0, SHOWN).map(({ name }) => name)
    .join(", ");
  return [
    ...(objects.length > 0
      ? [`${objects.length} objects in ${shown}${tables === "" ? "" : `: ${tables}, …`}`]
      : []),
    ...(users > 0 ? [`${users} users in auth.users`] : []),
  ].join(", ");
}

/** Returns null when it is not the database that was backed up, as far as can be seen. */
async function sourceReason(
  { address, session: { sql } }: Target,
  { name, projectUrl }: BackedUp,
): Promise<string | null> {
  const ref = projectUrl === null ? null : refOfUrl(projectUrl);
  if (ref !== null && refOfAddress(address) === ref) return `it is the project that was backed up (${ref})`;
  if (name === null) return null;
  try {
    // A copy has the run as it was while it made the backup: running, and cancelled after a restore.
    const [row] = await sql.unsafe("select from backup.log where name = $1 and status = 'succeeded'", [name]);
    return row ? `it is the database that was backed up: its backup.log has ${name}` : null;
  } catch (error) {
    // No such table or schema, or not for this role: 42P01, 3F000, 42501.
    if (["42P01", "3F000", "42501"].includes((error as { code?: string }).code ?? "")) return null;
    throw error;
  }
}

const PRODUCTION = /(^|[^a-z])(prod|production|live|main|primary|master)([^a-z]|$)/i;
const LOCAL = /^(localhost|127\.|::1$|\/)/;

/** Returns null when the target's names tell it from production. */
export function productionDoubt(address: Address, { database, projectUrl }: BackedUp): string | null {
  const { host, database: name, user } = address;
  const word = [host, name, user].find((text) => PRODUCTION.test(text));
  if (word !== undefined) return `"${word}" sounds like production`;
  if (LOCAL.test(host)) return null;
  const [here, there] = [refOfAddress(address), projectUrl === null ? null : refOfUrl(projectUrl)];
  if (here !== null && there !== null && here !== there) return null;
  if (database !== null && database !== name) return null;
  return `nothing in its name tells it from production: database "${name}" at ${host}`;
}

/** The project's reference in `https://<ref>.supabase.co`. */
function refOfUrl(url: string): string | null {
  return /^https:\/\/([a-z0-9]{16,})\.supabase\.\w+/.exec(url)?.[1] ?? null;
}

/** In `db.<ref>.supabase.co`, or in the pooler's user `postgres.<ref>`. */
function refOfAddress({ host, user }: Address): string | null {
  return /^db\.([a-z0-9]{16,})\.supabase\.\w+$/.exec(host)?.[1] ?? /^\w+\.([a-z0-9]{16,})$/.exec(user)?.[1] ??
    null;
}
