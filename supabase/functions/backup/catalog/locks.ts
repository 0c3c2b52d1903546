/** Locks on the tables of a dump, before their definitions are read (pg_dump.c, getTables). */
import { BackupError } from "../errors.ts";
import type { Session } from "../postgres/session.ts";
import { lockTables } from "../postgres/snapshot.ts";
import { isManaged } from "./managed.ts";
import { rows } from "./rows.ts";
import { isWhole } from "./selection.ts";
import type { Warning } from "../toc/entry.ts";

interface Row {
  oid: number;
  schema: string;
  /** Quoted, with its schema. */
  name: string;
  owner: string;
  role: string;
  /** The role is or may act as the owner. */
  own: boolean;
  readable: boolean;
  /** Policies would hide rows from the role. */
  hidden: boolean;
}

export interface Locked {
  /** OIDs of tables that were not locked because they may not be read: their data stay out. */
  unreadable: Set<number>;
  warnings: Warning[];
}

/** A partitioned table's rows are its partitions'; but its definition is theirs too. */
const QUERY = `
  select c.oid::int8, n.nspname as schema, format('%I.%I', n.nspname, c.relname) as name, pg_get_userbyid(c.relowner) as owner,
    current_user as role, pg_has_role(c.relowner, 'member') as own,
    has_schema_privilege(n.oid, 'usage') and has_table_privilege(c.oid, 'select') as readable,
    c.relkind = 'r' and row_security_active(c.oid) as hidden
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where c.relkind in ('r', 'p') and (${isWhole("pg_class", "c.oid")}
    or exists (select from pg_extension x where c.oid = any (x.extconfig) and x.oid >= 16384))
  order by c.oid`;

/**
 * Locks all tables that are dumped. One that the role may not read is left out with a warning when it is the platform's.
 * Throws BackupError `permission_denied` or `table_not_read` when it is a user's, `lock_timeout` when someone else holds it.
 */
export async function lockDumpedTables(session: Session, lockTimeoutMs: number): Promise<Locked> {
  const tables = await rows<Row>(session, QUERY);
  const refused = tables.filter(({ readable, hidden }) => !readable || hidden);
  const users = refused.find(({ schema, own }) => own || !isManaged(schema));
  if (users) throw notReadable(users);
  const readable = tables.filter((table) => !refused.includes(table));
  await lockTables(session, readable.map(({ name }) => name), lockTimeoutMs);
  return {
    unreadable: new Set(refused.map(({ oid }) => oid)),
    warnings: refused.map(({ name, role, owner }) => ({
      code: "no_privilege",
      object: `table ${name}`,
      message: `Its rows are not in the backup: role "${role}" may not read it (it belongs to "${owner}")`,
    })),
  };
}

function notReadable({ name, schema, role, owner, readable }: Row): BackupError {
  return readable
    ? new BackupError(
      "table_not_read",
      `Policies of table ${name} would hide rows from role "${role}"`,
      `Let the backup run as a role that policies do not hold back: alter role ${
        JSON.stringify(role)
      } bypassrls`,
    )
    : new BackupError(
      "permission_denied",
      `Role "${role}" may not read table ${name}, which belongs to "${owner}"`,
      `As "${owner}": grant usage on schema ${schema} to ${role}; grant select on table ${name} to ${role};`,
    );
}
