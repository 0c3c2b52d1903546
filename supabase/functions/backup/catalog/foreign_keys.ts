/** Foreign keys: always after the data, so that tables may refer to each other. */
import type { Catalog } from "./catalog.ts";
import { constraintComment } from "./check_constraints.ts";
import { CLASS } from "./class_ids.ts";
import type { ObjectType } from "./object_type.ts";
import { type CatalogObject, mainEntry, makeObject } from "./object.ts";
import { isWhole } from "./selection.ts";

interface Row {
  oid: number;
  name: string;
  namespace: string;
  tableName: string;
  tableKind: string;
  owner: string;
  definition: string;
  /** The index of the referenced table that makes the key unique. */
  index: number;
}

export const foreignKeys: ObjectType<Row> = {
  name: "foreign keys",
  // Those of partitions come with the partitioned table's.
  query: () => `
    select k.oid::int8, k.conname as name, n.nspname as namespace, c.relname as "tableName", c.relkind as "tableKind",
      pg_get_userbyid(c.relowner) as owner, pg_get_constraintdef(k.oid) as definition, k.conindid::int8 as index
    from pg_constraint k
    join pg_class c on c.oid = k.conrelid
    join pg_namespace n on n.oid = c.relnamespace
    where k.contype = 'f' and k.conparentid = 0 and ${isWhole("pg_class", "c.oid")}
    order by k.conrelid, k.conname`,
  read(row, catalog) {
    // A partitioned table's key is made with those of its partitions; no other knows ONLY to mean itself.
    const only = row.tableKind === "p" ? "" : "ONLY ";
    const alter = `ALTER TABLE ${only}${
      catalog.qualified({ namespace: row.namespace, name: row.tableName })
    }`;
    const name = catalog.quote(row.name);
    const object: CatalogObject = makeObject({
      kind: "fk constraint",
      classId: CLASS.constraint,
      oid: row.oid,
      namespace: row.namespace,
      name: row.name,
      key: [1, row.tableName],
      needs: attachmentsBelow(row.index, catalog),
      render: () => [
        mainEntry(object, {
          desc: "FK CONSTRAINT",
          tag: `${row.tableName} ${row.name}`,
          owner: row.owner,
          section: "post-data",
          definition: `${alter}\n    ADD CONSTRAINT ${name} ${row.definition};\n`,
          drop: `${alter} DROP CONSTRAINT ${name};\n`,
        }),
        ...constraintComment({ name: row.tableName, owner: row.owner }, object, object, catalog),
      ],
    });
    catalog.add(object);
  },
};

/** A partitioned table's index is valid, and may be referred to, once those of all partitions are attached. */
function attachmentsBelow(index: number, catalog: Catalog): CatalogObject[] {
  return (catalog.indexAttachments.get(index) ?? [])
    .flatMap(({ attachment, index: below }) => [attachment, ...attachmentsBelow(below, catalog)]);
}
