/** Locks on the tables of a dump, before their definitions are read (pg_dump.c, getTables). */
import { BackupError } from "../errors.ts";
import type { Session } from "../postgres/session.ts";
import { lockTables } from "../postgres/snapshot.ts";
import { literal } from "./catalog.ts";
import { FORGOTTEN_TABLES } from "./extension_rows.ts";
import { isPlatforms } from "./managed.ts";
import { queryJson } from "./query_json.ts";
import { isWhole } from "./selection.ts";
import type { Warning } from "../entry.ts";

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
  /** It belongs to an extension, and pg_dump would not read it. */
  forgotten: boolean;
}

export interface Locked {
  /** OIDs of tables whose rows stay out: they may not be read, or somebody wants it so. */
  unreadable: Set<number>;
  warnings: Warning[];
}

/** A partitioned table's rows are its partitions'; but its definition is theirs too. */
const QUERY = `
  select c.oid::int8, n.nspname as schema, format('%I.%I', n.nspname, c.relname) as name, pg_get_userbyid(c.relowner) as owner,
    current_user as role, pg_has_role(c.relowner, 'member') as own,
    has_schema_privilege(n.oid, 'usage') and has_table_privilege(c.oid, 'select') as readable,
    c.relkind = 'r' and row_security_active(c.oid) as hidden, f.oid is not null as forgotten
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  left join (${FORGOTTEN_TABLES}) f on f.oid = c.oid
  where c.relkind in ('r', 'p') and (${isWhole("pg_class", "c.oid")} or f.oid is not null
    or exists (select from pg_extension x where c.oid = any (x.extconfig) and x.oid >= 16384))
  order by c.oid`;

/**
 * Locks all tables that are dumped. One that the role may not read is left out with a warning when it is the
 * platform's. Throws BackupError `permission_denied` or `table_not_read` when it is a user's, `lock_timeout` when
 * someone else holds it.
 */
export async function lockDumpedTables(
  session: Session,
  lockTimeoutMs: number,
  leaveOut: readonly string[],
): Promise<Locked> {
  const tables = await queryJson<Row>(session, QUERY);
  const named = leaveOut.length === 0 ? [] : await queryJson<Named>(session, namedSql(leaveOut));
  const leftOut = new Set(named.flatMap(({ oids }) => oids));
  const refused = tables.filter(({ readable, hidden }) => !readable || hidden);
  const missed = refused.filter(({ oid }) => !leftOut.has(oid));
  const users = missed.find((table) => !table.forgotten && (table.own || !isPlatforms(table)));
  if (users) throw notReadable(users);
  const readable = tables.filter((table) => !refused.includes(table));
  await lockTables(session, readable.map(({ name }) => name), lockTimeoutMs);
  return {
    unreadable: new Set([...refused.map(({ oid }) => oid), ...leftOut]),
    warnings: [
      ...missed.map(({ name, role, owner }) => ({
        code: "no_privilege",
        object: `table ${name}`,
        message: `Its rows are not in the backup: role "${role}" may not read it (it belongs to "${owner}")`,
      })),
      ...named.map(({ name, oids }) => ({
        code: "left_out",
        object: `table ${name}`,
        message: oids.length === 0
          ? "The setting leave_out names it, and there is no such table"
          : "Its rows are not in the backup: the setting leave_out names it",
      })),
    ],
  };
}

interface Named {
  name: string;
  /** Of the table and its partitions; none where there is no such table. */
  oids: number[];
}

/** Finds the tables that `leave_out` names, with their partitions. */
function namedSql(names: readonly string[]): string {
  return `
    select l.name, coalesce((
      select json_agg(o.oid::int8)
      from pg_class c join pg_namespace n on n.oid = c.relnamespace,
        lateral (select c.oid union select t.relid from pg_partition_tree(c.oid) t) o
      where c.relkind in ('r', 'p') and n.nspname || '.' || c.relname = l.name), '[]') as oids
    from string_to_table(${literal(names.join("\n"))}, chr(10)) l (name)`;
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
