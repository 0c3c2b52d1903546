/** Materialized views are filled at the very end, in the order in which they read each other. */
import type { Catalog } from "./catalog.ts";
import { type CatalogObject, mainEntry, makeObject } from "./object.ts";

interface View {
  oid: number;
  namespace: string;
  name: string;
  owner: string;
  populated: boolean;
}

export function addRefresh(row: View, view: CatalogObject, catalog: Catalog): void {
  const refresh: CatalogObject = makeObject({
    kind: "materialized view refresh",
    oid: row.oid,
    namespace: row.namespace,
    name: row.name,
    needs: [view],
    form: row.populated ? "normal" : "omitted",
    render: () =>
      refresh.form === "omitted" ? [] : [
        mainEntry(refresh, {
          desc: "MATERIALIZED VIEW DATA",
          owner: row.owner,
          section: "post-data",
          definition: `REFRESH MATERIALIZED VIEW ${catalog.qualified(row)};\n`,
          needs: refresh.needs.filter(({ kind }) => kind !== "post-data boundary"),
        }),
      ],
  });
  catalog.add(refresh);
  catalog.refreshes.set(row.oid, refresh);
}

/** Which materialized view reads which other, through views too. */
export const REFRESHES_SQL = `
  with recursive reads as (
    select r.ev_class as view, d.refobjid as source, s.relkind
    from pg_rewrite r
    join pg_class v on v.oid = r.ev_class and v.relkind = 'm'
    join pg_depend d on d.classid = 'pg_rewrite'::regclass and d.objid = r.oid and d.refobjid <> r.ev_class
    join pg_class s on s.oid = d.refobjid and s.relkind in ('m', 'v')
    union
    select reads.view, d.refobjid, s.relkind
    from reads
    join pg_rewrite r on r.ev_class = reads.source
    join pg_depend d on d.classid = 'pg_rewrite'::regclass and d.objid = r.oid and d.refobjid <> reads.source
    join pg_class s on s.oid = d.refobjid and s.relkind in ('m', 'v')
  )
  select view::int8, source::int8 from reads where relkind = 'm'`;

/** One materialized view is refreshed after those it reads, and not at all when one of them is not populated. */
export function orderRefreshes(reads: { view: number; source: number }[], catalog: Catalog): void {
  for (const { view, source } of reads) {
    const [refresh, needed] = [catalog.refreshes.get(view), catalog.refreshes.get(source)];
    if (!refresh || !needed) continue;
    refresh.needs.push(needed);
    if (needed.form === "omitted") refresh.form = "omitted";
  }
}
