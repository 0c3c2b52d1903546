/** Publications, their tables and their schemas. */
import { described } from "./attachments.ts";
import { CLASS } from "./class_ids.ts";
import type { ObjectType } from "./object_type.ts";
import { type CatalogObject, mainEntry, makeObject } from "./object.ts";
import { isMember, isWhole } from "./selection.ts";

interface Row {
  oid: number;
  name: string;
  owner: string;
  allTables: boolean;
  insert: boolean;
  update: boolean;
  delete: boolean;
  truncate: boolean;
  viaRoot: boolean;
  generatedColumns: boolean;
}

export const publications: ObjectType<Row> = {
  name: "publications",
  query: (version) => `
    select p.oid::int8, p.pubname as name, pg_get_userbyid(p.pubowner) as owner, p.puballtables as "allTables",
      p.pubinsert as insert, p.pubupdate as update, p.pubdelete as delete, p.pubtruncate as truncate,
      p.pubviaroot as "viaRoot", ${version >= 180000 ? "p.pubgencols = 's'" : "false"} as "generatedColumns"
    from pg_publication p
    where not ${isMember("pg_publication", "p.oid")}
    order by p.oid`,
  read(row, catalog) {
    const name = catalog.quote(row.name);
    const operations = (["insert", "update", "delete", "truncate"] as const).filter((operation) =>
      row[operation]
    );
    const object: CatalogObject = makeObject({
      kind: "publication",
      classId: CLASS.publication,
      oid: row.oid,
      name: row.name,
      render: () => [
        mainEntry(object, {
          desc: "PUBLICATION",
          owner: row.owner,
          section: "post-data",
          definition: [
            `CREATE PUBLICATION ${name}${row.allTables ? " FOR ALL TABLES" : ""}`,
            ` WITH (publish = '${operations.join(", ")}'`,
            row.viaRoot ? ", publish_via_partition_root = true" : "",
            row.generatedColumns ? ", publish_generated_columns = stored" : "",
            ");\n",
          ].join(""),
          drop: `DROP PUBLICATION ${name};\n`,
        }),
        ...described(catalog, object, { type: "PUBLICATION", name, owner: row.owner }),
      ],
    });
    catalog.add(object);
  },
};

interface TableRow {
  oid: number;
  namespace: string;
  name: string;
  publication: string;
  owner: string;
  /** Quoted; null is all. */
  columns: string | null;
  condition: string | null;
}

/** Columns and conditions came with 15. */
const FINE_VERSION = 150000;

/** Until then pg_dump leaves out that an extension's own table is published. */
const MEMBERS_VERSION = 180000;

export const publicationTables: ObjectType<TableRow> = {
  name: "tables of publications",
  query: (version) => `
    select r.oid::int8, n.nspname as namespace, c.relname as name, p.pubname as publication,
      pg_get_userbyid(p.pubowner) as owner,
      ${
    version >= FINE_VERSION
      ? `(select string_agg(quote_ident(a.attname), ', ' order by k.place)
          from unnest(r.prattrs) with ordinality as k (number, place)
          join pg_attribute a on a.attrelid = r.prrelid and a.attnum = k.number) as columns,
         pg_get_expr(r.prqual, r.prrelid) as condition`
      : "null as columns, null as condition"
  }
    from pg_publication_rel r
    join pg_publication p on p.oid = r.prpubid
    join pg_class c on c.oid = r.prrelid
    join pg_namespace n on n.oid = c.relnamespace
    where ${version >= MEMBERS_VERSION ? "true" : isWhole("pg_class", "c.oid")}
    order by r.oid`,
  read(row, catalog) {
    const object: CatalogObject = makeObject({
      kind: "publication table",
      classId: CLASS.publicationRelation,
      oid: row.oid,
      namespace: row.namespace,
      name: row.name,
      key: [row.publication],
      render: () => [
        mainEntry(object, {
          desc: "PUBLICATION TABLE",
          tag: `${row.publication} ${row.name}`,
          owner: row.owner,
          section: "post-data",
          definition: [
            `ALTER PUBLICATION ${catalog.quote(row.publication)} ADD TABLE ONLY ${catalog.qualified(row)}`,
            row.columns === null ? "" : ` (${row.columns})`,
            row.condition === null ? "" : ` WHERE (${row.condition})`,
            ";\n",
          ].join(""),
        }),
      ],
    });
    catalog.add(object);
  },
};

interface SchemaRow {
  oid: number;
  name: string;
  publication: string;
  owner: string;
}

export const publicationSchemas: ObjectType<SchemaRow> = {
  name: "schemas of publications",
  query: (version) =>
    version < FINE_VERSION ? null : `
    select r.oid::int8, n.nspname as name, p.pubname as publication, pg_get_userbyid(p.pubowner) as owner
    from pg_publication_namespace r
    join pg_publication p on p.oid = r.pnpubid
    join pg_namespace n on n.oid = r.pnnspid
    order by r.oid`,
  read(row, catalog) {
    const object: CatalogObject = makeObject({
      kind: "publication schema",
      classId: CLASS.publicationSchema,
      oid: row.oid,
      name: row.name,
      key: [row.publication],
      render: () => [
        mainEntry(object, {
          desc: "PUBLICATION TABLES IN SCHEMA",
          tag: `${row.publication} ${row.name}`,
          namespace: row.name,
          owner: row.owner,
          section: "post-data",
          definition: `ALTER PUBLICATION ${catalog.quote(row.publication)} ADD TABLES IN SCHEMA ${
            catalog.quote(row.name)
          };\n`,
        }),
      ],
    });
    catalog.add(object);
  },
};
