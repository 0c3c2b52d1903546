/** Objects of kinds that no family reads: a server newer than this function may have some. They are named, never passed over in silence. */
import type { Catalog } from "./catalog.ts";
import { CLASS } from "./class_ids.ts";
import { FIRST_USER_OID, isMember, isUserSchema } from "./selection.ts";

export interface UncoveredRow {
  /** In the server's words: `table public.t`. */
  object: string;
}

/** Catalogs whose rows are parts of objects of other catalogs: members of operator families, user mappings. */
const PARTS = [2602, 2603, 1418];

/** Codes of kinds by the column that holds them: `t` is a TOAST table, which comes with its table. */
export const KINDS = { relkind: "rpfvmScitI", typtype: "bcdemrp", prokind: "fpwa" };

/** The objects, for tests of fewer `classes` and `kinds` than there are. */
export function uncoveredSql(classes: number[] = Object.values(CLASS), kinds: typeof KINDS = KINDS): string {
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

export function warnOfUncovered(rows: UncoveredRow[], catalog: Catalog): void {
  for (const { object } of rows) {
    catalog.warnings.push({
      code: "kind_not_covered",
      object,
      message: "It is not in the backup: objects of its kind are not dumped",
    });
  }
}
