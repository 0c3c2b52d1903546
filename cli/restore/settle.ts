/**
 * A copy of a database has a copy of its backups' state: it must not call the source's function, nor wait for the source's run, nor
 * take the source's second copies for its own.
 */
import { columnsOf } from "./copy_text.ts";
import { literal } from "./roles.ts";
import type { Target } from "./target.ts";
import type { Plan } from "./plan.ts";

const TABLES = ["settings", "log"];

/** Settings that are about a database's surroundings: those of the target stay, those of the source are not its own. */
const ELSEWHERE = ["function_url", "second_copy"] as const;

export type Surroundings = Partial<Record<typeof ELSEWHERE[number], string | null>>;

/** What the target has of them now; nothing where no backups were set up, or none that this role may see. */
export async function surroundingsOf({ session: { sql }, schemas }: Target): Promise<Surroundings> {
  if (!schemas.has("backup")) return {};
  try {
    const [row] = await sql.unsafe<Surroundings[]>("select to_jsonb(s) as settings from backup.settings s");
    return (row as { settings?: Surroundings } | undefined)?.settings ?? {};
  } catch (error) {
    // No such table, or not for this role.
    if (["42P01", "42501"].includes((error as { code?: string }).code ?? "")) return {};
    throw error;
  }
}

/**
 * SQL for after the rows; "" when they are not restored. Marks what differs from the archive then. The run ends when it last gave a
 * sign of life: of one that ends now somebody would be told.
 */
export function settled(plan: Plan, surroundings: Surroundings): string {
  const data = plan.restored.filter(({ desc, namespace }) => desc === "TABLE DATA" && namespace === "backup");
  const found = data.filter(({ tag }) => TABLES.includes(tag));
  if (found.length < TABLES.length) return "";
  // In place: the very project, whose bucket has the backup. A rebuilt log knows it as the good one that it is.
  const inPlace = Boolean(surroundings.function_url);
  if (inPlace) {
    // What belongs to the run goes with it.
    for (const { dumpId } of data) plan.altered.set(dumpId, "the project's own backups go on");
    plan.notes.push(
      "backups that were made since are not in the restored log: npm run log -- --rebuild; and pin again what was",
    );
  } else {
    for (const { dumpId } of found) plan.altered.set(dumpId, "a copy starts its own backups anew");
    plan.toDo.push({
      what: "let the copy back itself up",
      sql: "select backup.configure(function_url => 'https://<project-ref>.supabase.co/functions/v1/backup')",
    });
  }
  // A backup of an earlier release lacks some.
  const columns = columnsOf(found.find(({ tag }) => tag === "settings")!.copy!);
  const own = ELSEWHERE.filter((name) => columns.includes(name)).map((name) => {
    const value = surroundings[name] ?? null;
    return `${name} = ${value === null ? "NULL" : literal(value)}`;
  });
  const settings = `UPDATE backup.settings SET ${own.join(", ")};\n`;
  if (inPlace) return `${settings}DELETE FROM backup.log WHERE finished_at IS NULL;\n`;
  return `${settings}UPDATE backup.log
SET status = 'cancelled', finished_at = COALESCE(heartbeat_at, started_at), error_code = 'cancelled',
    error_message = 'this run made the backup that this database was restored from', error_hint = 'Nothing is to be done.'
WHERE finished_at IS NULL;
`;
}
