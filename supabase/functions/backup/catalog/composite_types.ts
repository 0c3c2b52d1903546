/** Composite types that stand alone, not as the row of a table. */
import { commentEntry } from "./attachments.ts";
import { type Catalog, objectKey } from "./catalog.ts";
import { CLASS } from "./class_ids.ts";
import type { ObjectType } from "./object_type.ts";
import { type CatalogObject, type Draft, makeObject } from "./object.ts";
import { addType, collationName, typeQuery, type TypeRow } from "./types.ts";

interface Attribute {
  number: number;
  name: string;
  type: string;
  collation: string | null;
}

interface Row extends TypeRow {
  relation: number;
  attributes: Attribute[] | null;
}

export const compositeTypes: ObjectType<Row> = {
  name: "composite types",
  query: () =>
    typeQuery({
      columns: `t.typrelid::int8 as relation,
        (select json_agg(json_build_object('number', a.attnum, 'name', a.attname,
            'type', format_type(a.atttypid, a.atttypmod),
            'collation', case when a.attcollation <> at.typcollation then ${
        collationName("a.attcollation")
      } end) order by a.attnum)
         from pg_attribute a join pg_type at on at.oid = a.atttypid
         where a.attrelid = t.typrelid and a.attnum > 0 and not a.attisdropped) as attributes`,
      which:
        "t.typtype = 'c' and exists (select from pg_class c where c.oid = t.typrelid and c.relkind = 'c')",
    }),
  read(row, catalog) {
    const attributes = (row.attributes ?? []).map(({ name, type, collation }) =>
      `\n\t${catalog.quote(name)} ${type}${collation === null ? "" : ` COLLATE ${collation}`}`
    ).join(",");
    addType(row, catalog, {
      definition: (name) => `CREATE TYPE ${name} AS (${attributes}\n);\n`,
      attached: (object) => attributeComments(row, object, catalog),
    });
    // What its columns need is recorded for its relation, which is never written.
    catalog.add(makeObject({
      kind: "table",
      classId: CLASS.relation,
      oid: row.relation,
      namespace: row.namespace,
      name: row.name,
      relkind: "c",
    }));
  },
};

function attributeComments(row: Row, object: CatalogObject, catalog: Catalog): Draft[] {
  return (catalog.comments.get(objectKey(CLASS.relation, row.relation)) ?? []).flatMap(({ subId, text }) => {
    const attribute = row.attributes?.find(({ number }) => number === subId);
    if (!attribute) return [];
    const name = `${catalog.quote(row.name)}.${catalog.quote(attribute.name)}`;
    return [commentEntry(catalog, object, { type: "COLUMN", name, owner: row.owner }, text)];
  });
}
