/** Records a restore in the database that it went into. */
import type { Account } from "../../supabase/functions/backup/restore/account.ts";
import type { Target } from "../target/target.ts";

export interface Restored {
  /** Name of the backup, or the file. */
  backup: string;
  /** Tables or schemas, where not everything was restored. */
  subject: string | null;
  /** In words. */
  target: string;
  startedAt: Date;
  account: Account;
}

/** Of another role's table anything may be a trap. */
const MINE = `
  select from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  where n.nspname = 'backup' and c.relname = 'restores' and c.relkind = 'r'
    and pg_catalog.pg_get_userbyid(c.relowner) in (current_user, 'postgres')`;

/** Adds a row to backup.restores. Returns whether the target has it. Throws what the database throws. */
export async function recordRestore(
  { session: { sql } }: Target,
  { backup, subject, target, startedAt, account }: Restored,
): Promise<boolean> {
  if ((await sql.unsafe(MINE)).length === 0) return false;
  const { changed, leftOut, rows, aside } = account;
  const exceptions = [
    ...changed,
    ...leftOut,
    ...aside.map(({ table, rows, why, file }) => ({
      entry: `rows of ${table}`,
      how: `${rows} rows aside`,
      why,
      file,
    })),
  ];
  const [begun, ended] = [startedAt, new Date()].map((date) => date.toISOString());
  await sql`
    insert into backup.restores
      (kind, backup, subject, target, status, requested_at, started_at, progressed_at, finished_at, rows, exceptions)
    values ('command', ${backup}, ${subject}, ${target}, 'succeeded', ${begun!}, ${begun!}, ${ended!}, ${ended!}, ${rows},
      ${sql.json(exceptions as never)})`;
  return true;
}
