/** What a restore refuses before it touches anything, and the option by which a person says that it is meant. */
import type { Target as Address } from "../../supabase/functions/backup/postgres/target.ts";
import { CommandError } from "../terminal.ts";
import { type Contents, contentsOf } from "./contents.ts";
import { placeOf, type Target } from "./target.ts";

export interface Allowed {
  /** Drop what the backup has, first. */
  clean: boolean;
  intoNonEmpty: boolean;
  intoSource: boolean;
  olderServer: boolean;
  production: boolean;
}

export interface Refusal {
  reason: string;
  option: string;
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

/** All refusals that no option lifts; none when the restore may begin. */
export async function refusals(target: Target, backup: BackedUp, allowed: Allowed): Promise<Refusal[]> {
  const found: Refusal[] = [];
  const isSource = await sourceReason(target, backup);
  if (isSource !== null && !allowed.intoSource) found.push({ reason: isSource, option: "--into-source" });
  const contents = await contentsOf(target);
  if (!allowed.clean && !allowed.intoNonEmpty && !isEmpty(contents)) {
    found.push({
      reason: `it is not empty: ${described(contents)}`,
      option: "--into-non-empty, or --clean to drop first what the backup has",
    });
  }
  const source = Number.parseInt(backup.serverVersion ?? "");
  const major = Math.floor(target.version / 10000);
  if (major < source && !allowed.olderServer) {
    found.push({
      reason:
        `its server is version ${major}, older than the backup's ${source}: what is new there may not exist here`,
      option: "--older-server",
    });
  }
  const doubt = productionDoubt(target.address, backup);
  if (doubt !== null && !allowed.production) found.push({ reason: doubt, option: "--production" });
  return found;
}

/** Throws CommandError with all of them. */
export function refuse(target: Target, found: readonly Refusal[]): void {
  if (found.length === 0) return;
  throw new CommandError(
    `The ${placeOf(target.address)} is refused:\n${found.map(({ reason }) => `  - ${reason}`).join("\n")}`,
    `Nothing was changed. Choose another target, or say that it is meant:\n${
      found.map(({ option }) => `  ${option}`).join("\n")
    }`,
  );
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

/** Null when it is not the database that was backed up, as far as can be seen. */
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

/** Null when the target's names tell it from production. */
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
