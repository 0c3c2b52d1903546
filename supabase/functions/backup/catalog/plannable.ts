/**
 * Whether a table may be the subject of a query. To plan a query the server computes calls with constant arguments in
 * the expressions and predicates of the table's indexes and in its extended statistics, with the rights of the
 * session's role. COPY of a whole table has no plan.
 */
import type { Session } from "../postgres/session.ts";
import { TRUSTED_ROLES } from "./trusted_owner.ts";

/**
 * No index or statistics object of the table c calls a function of an untrusted role at this moment, an SQL expression.
 */
export const IS_PLANNABLE = `not exists (
    select from (
      select 'pg_class'::regclass::oid as classid, i.indexrelid as objid
      from pg_index i where i.indrelid = c.oid and (i.indexprs is not null or i.indpred is not null)
      union all
      select 'pg_statistic_ext'::regclass, s.oid from pg_statistic_ext s where s.stxrelid = c.oid and s.stxexprs is not null
    ) part
    join pg_depend d on d.classid = part.classid and d.objid = part.objid
    left join pg_operator o on d.refclassid = 'pg_operator'::regclass and o.oid = d.refobjid
    join pg_proc p on p.oid = case when d.refclassid = 'pg_proc'::regclass then d.refobjid else o.oprcode end
    where p.proowner <> all (${TRUSTED_ROLES}))`;

/** Looks at the catalogs of this moment, so the session must not be in a snapshot. `table` is quoted and qualified. */
export async function isPlannable({ sql }: Session, table: string): Promise<boolean> {
  const rows = await sql.unsafe(
    `select from pg_catalog.pg_class c where c.oid = pg_catalog.to_regclass($1) and ${IS_PLANNABLE}`,
    [table],
  );
  return rows.length === 1;
}
