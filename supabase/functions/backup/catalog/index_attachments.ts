/** Attachments of partitions' indexes to that of the partitioned table. */
import { CLASS } from "./class_ids.ts";
import type { ObjectType } from "./object_type.ts";
import { type CatalogObject, mainEntry, makeObject } from "./object.ts";
import { isWhole } from "./selection.ts";

interface Row {
  oid: number;
  namespace: string;
  name: string;
  table: number;
  parent: number;
  parentTable: number;
  parentOwner: string;
}

export const indexAttachments: ObjectType<Row> = {
  name: "index attachments",
  query: () => `
    select x.oid::int8, n.nspname as namespace, x.relname as name, i.indrelid::int8 as table,
      p.indexrelid::int8 as parent, p.indrelid::int8 as "parentTable", pg_get_userbyid(pc.relowner) as "parentOwner"
    from pg_inherits h
    join pg_class x on x.oid = h.inhrelid and x.relkind in ('i', 'I')
    join pg_index i on i.indexrelid = x.oid
    join pg_class c on c.oid = i.indrelid and c.relispartition
    join pg_namespace n on n.oid = c.relnamespace
    join pg_index p on p.indexrelid = h.inhparent
    join pg_class pc on pc.oid = p.indrelid
    where ${isWhole("pg_class", "c.oid")}
    order by i.indrelid, x.relname`,
  read(row, catalog) {
    const index = catalog.find(CLASS.relation, row.oid);
    const parent = catalog.find(CLASS.relation, row.parent);
    if (!index || !parent) return;
    index.whole = parent;
    // The tables are named too: a parallel restore keeps other commands away from them meanwhile.
    const tables = [row.table, row.parentTable].flatMap((oid) => catalog.find(CLASS.relation, oid) ?? []);
    const attachment: CatalogObject = makeObject({
      kind: "index attach",
      namespace: row.namespace,
      name: row.name,
      needs: [index, parent, ...tables],
      render: () => [
        mainEntry(attachment, {
          desc: "INDEX ATTACH",
          owner: row.parentOwner,
          section: "post-data",
          definition: `ALTER INDEX ${catalog.qualified(parent)} ATTACH PARTITION ${
            catalog.qualified(row)
          };\n`,
        }),
      ],
    });
    catalog.add(attachment);
    const attached = catalog.indexAttachments.get(row.parent);
    if (attached) attached.push({ attachment, index: row.oid });
    else catalog.indexAttachments.set(row.parent, [{ attachment, index: row.oid }]);
  },
};
