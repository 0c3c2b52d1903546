/**
 * Objects of kinds that no object type covers: a server newer than this function may have some. A warning names each of
 * them.
 */
import type { Catalog } from "./catalog.ts";
import { CLASS } from "./class_ids.ts";
import { FIRST_USER_OID, isMember, isUserSchema } from "./selection.ts";

export interface UnsupportedRow {
  /** In the server's words: `table public.t`. */
  object: string;
}

/** Catalogs whose rows are parts of objects of other catalogs: members of operator families, user mappings. */
const PARTS = [2602, 2603, 1418];

/** Codes of kinds by the column that holds them: `t` is a TOAST table, which comes with its table. */
export const KINDS = { relkind: "rpfvmScitI", typtype: "bcdemrp", prokind: "fpwa" };

/** The objects, for tests of fewer `classes` and `kinds` than there are. */
export function unsupportedSql(
  classes: number[] = Object.values(CLASS),
  kinds: typeof KINDS = KINDS,
): string {
  const unknown = (table: string, alias: string, schema: string, column: keyof typeof KINDS) => `
    select pg_describe_object('${table}'::regclass, ${alias}.oid, 0) as object
    from ${table} ${alias} join pg_namespace n on n.oid = ${alias}.${schema}
    where ${isUserSchema("n")} and strpos('${kinds[column]}', ${alias}.${column}::text) = 0
      and not ${isMember(table, `${alias}.oid`)}`;
  return `
    select distinct pg_describe_object(d.classid, d.objid, 0) as object
    from pg_depend d
    where d.objid >= ${FIRST_USER_OID} and d.classid not in (${[...classes, ...PARTS].join(", ")})
      and not exists (
        select from pg_depend m where m.classid = d.classid and m.objid = d.objid and m.deptype = 'e')
    union all ${unknown("pg_class", "c", "relnamespace", "relkind")}
    union all ${unknown("pg_type", "t", "typnamespace", "typtype")}
    union all ${unknown("pg_proc", "p", "pronamespace", "prokind")}`;
}

export function warnOfUnsupported(rows: UnsupportedRow[], catalog: Catalog): void {
  for (const { object } of rows) {
    catalog.warnings.push({
      code: "kind_not_covered",
      object,
      message: "It is not in the backup: objects of its kind are not dumped",
    });
  }
}

/** Major version of the newest server whose catalogs are known. */
const NEWEST_KNOWN = 18;

/** Warns of a server that is newer: of what it brings, only objects of kinds without a known code can be named. */
export function warnOfVersion({ facts, warnings }: Catalog): void {
  const major = Math.floor(facts.version / 10_000);
  if (major <= NEWEST_KNOWN) return;
  warnings.push({
    code: "unknown_server_version",
    object: `PostgreSQL ${major}`,
    message: `The backup may lack what is new in this version: it knows servers up to ${NEWEST_KNOWN}`,
  });
}
