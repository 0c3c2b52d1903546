/** Statements for a person who merges rows of a copy back into the live table, with its own columns. */
import type { Session } from "../postgres/session.ts";
import { quoted } from "./sql_text.ts";

export interface MergeStatement {
  what: string;
  sql: string;
}

interface Column {
  name: string;
  /** Part of the primary key. */
  key: boolean;
  /**
   * Generated always as identity: a value of one's own takes a word more on insert, and an update takes none.
   */
  always: boolean;
  /** The type, where the copy has another one. */
  cast: string | null;
}

/** Columns that can be written and that both tables have. */
const COLUMNS = `
  select a.attname as name, a.attidentity = 'a' as always, coalesce(a.attnum = any (i.indkey), false) as key,
    case when c.atttypid <> a.atttypid then pg_catalog.format_type(a.atttypid, a.atttypmod) end as cast
  from pg_catalog.pg_attribute a
  join pg_catalog.pg_attribute c on c.attrelid = pg_catalog.to_regclass($2) and c.attname = a.attname and not c.attisdropped
  left join pg_catalog.pg_index i on i.indrelid = a.attrelid and i.indisprimary
  where a.attrelid = pg_catalog.to_regclass($1) and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
  order by a.attnum`;

/** Returns none where there is no live table, or no key that tells which rows are the same. */
export async function mergeStatements(
  { sql }: Pick<Session, "sql">,
  living: string,
  copyName: string,
): Promise<MergeStatement[]> {
  const columns = [...await sql.unsafe<(Column & Record<string, unknown>)[]>(COLUMNS, [living, copyName])];
  const keys = columns.filter(({ key }) => key).map(({ name }) => quoted(name));
  if (keys.length === 0) return [];
  const names = columns.map(({ name }) => quoted(name));
  const copy = columns.every(({ cast }) => cast === null)
    ? copyName
    : `(select ${
      columns.map(({ name, cast }) =>
        cast === null ? quoted(name) : `${quoted(name)}::${cast} as ${quoted(name)}`
      ).join(", ")
    } from ${copyName})`;
  const same = keys.map((key) => `now.${key} = old.${key}`).join(" and ");
  const rowOf = (table: string) => `row(${names.map((name) => `${table}.${name}`).join(", ")})::text`;
  const changeable = columns.filter(({ key, always }) => !key && !always).map(({ name }) => quoted(name));
  const overriding = columns.some(({ always }) => always) ? " overriding system value" : "";
  return [
    {
      what: "see what differs",
      sql: `select ${keys.join(", ")}, case when now.${keys[0]} is null then 'gone' ` +
        `when old.${keys[0]} is null then 'new' else 'changed' end as what\n` +
        `  from ${copy} old full join ${living} now using (${keys.join(", ")})\n` +
        `  where ${rowOf("old")} is distinct from ${rowOf("now")}`,
    },
    {
      what: "insert the rows that are gone",
      sql:
        `insert into ${living} (${names.join(", ")})${overriding}\n  select ${
          names.join(", ")
        } from ${copy} old\n` +
        `  where not exists (select from ${living} now where ${same})`,
    },
    ...(changeable.length === 0 ? [] : [{
      what: "set rows to what they were (all rows, unless you add a condition)",
      sql: `update ${living} now set ${changeable.map((name) => `${name} = old.${name}`).join(", ")}\n` +
        `  from ${copy} old where ${same} and ${rowOf("old")} is distinct from ${rowOf("now")}`,
    }]),
  ];
}
