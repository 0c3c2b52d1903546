/** Event triggers of a target that may forbid what a restore does. */
import { isManaged } from "../../supabase/functions/backup/catalog/managed.ts";
import type { Target } from "./target.ts";

const QUERY = `
  select t.evtname as name, n.nspname as schema, pg_catalog.pg_get_userbyid(t.evtowner) as owner,
    pg_catalog.pg_has_role(t.evtowner, 'USAGE') as mine
  from pg_catalog.pg_event_trigger t
  join pg_catalog.pg_proc p on p.oid = t.evtfoid
  join pg_catalog.pg_namespace n on n.oid = p.pronamespace
  where t.evtenabled in ('O', 'A') and p.prosrc operator(pg_catalog.~*) 'raise\\s+exception'
  order by t.evtname`;

/** Returns a note about each whose function can raise an error; those of the platform let a restore pass. */
export async function eventTriggerNotes({ session: { sql }, superuser }: Target): Promise<string[]> {
  const rows = await sql.unsafe<{ name: string; schema: string; owner: string; mine: boolean }[]>(QUERY);
  return rows.filter(({ schema }) => !isManaged(schema)).map(({ name, owner, mine }) =>
    `event trigger "${name}" of the target may refuse what a restore does; ` +
    (superuser || mine
      ? "if it does, it is disabled within the restore and enabled again"
      : `only its owner "${owner}" can disable it: alter event trigger "${name}" disable`)
  );
}
