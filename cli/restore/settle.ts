/** A copy of a database has a copy of its backups' state: it must not call the source's function, nor wait for the source's run. */
import type { Plan } from "./plan.ts";

const TABLES = ["settings", "log"];

/** SQL for after the rows; "" when they are not restored. Marks what differs from the archive then. */
export function settled(plan: Plan): string {
  const found = plan.restored.filter(({ desc, namespace, tag }) =>
    desc === "TABLE DATA" && namespace === "backup" && TABLES.includes(tag)
  );
  if (found.length < TABLES.length) return "";
  for (const { dumpId } of found) plan.altered.set(dumpId, "a copy starts its own backups anew");
  plan.toDo.push({
    what: "let the copy back itself up",
    sql: "select backup.configure(function_url => 'https://<project-ref>.supabase.co/functions/v1/backup')",
  });
  return `UPDATE backup.settings SET function_url = NULL;
UPDATE backup.log
SET status = 'cancelled', finished_at = pg_catalog.now(), error_code = 'cancelled',
    error_message = 'this run made the backup that this database was restored from', error_hint = 'Nothing is to be done.'
WHERE finished_at IS NULL;
`;
}
