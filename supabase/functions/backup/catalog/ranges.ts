/** Range types; their multirange types come with them. */
import type { ObjectType } from "./object_type.ts";
import { addShell, addType, collationName, typeQuery, type TypeRow } from "./types.ts";

interface Row extends TypeRow {
  subtype: string;
  multirange: string | null;
  /** Null when it is the subtype's usual one. */
  operatorClass: string | null;
  collation: string | null;
  canonical: string;
  difference: string;
}

export const ranges: ObjectType<Row> = {
  name: "range types",
  query: () =>
    typeQuery({
      columns: `format_type(r.rngsubtype, null) as subtype, format_type(r.rngmultitypid, null) as multirange,
        case when not o.opcdefault then format('%I.%I', oc.nspname, o.opcname) end as "operatorClass",
        case when r.rngcollation <> s.typcollation then ${collationName("r.rngcollation")} end as collation,
        r.rngcanonical::text as canonical, r.rngsubdiff::text as difference`,
      joins: `join pg_range r on r.rngtypid = t.oid
        join pg_type s on s.oid = r.rngsubtype
        join pg_opclass o on o.oid = r.rngsubopc
        join pg_namespace oc on oc.oid = o.opcnamespace`,
      which: "t.typtype = 'r'",
    }),
  read(row, catalog) {
    const options = [
      `subtype = ${row.subtype}`,
      ...(row.multirange === null ? [] : [`multirange_type_name = ${row.multirange}`]),
      ...(row.operatorClass === null ? [] : [`subtype_opclass = ${row.operatorClass}`]),
      ...(row.collation === null ? [] : [`collation = ${row.collation}`]),
      ...(row.canonical === "-" ? [] : [`canonical = ${row.canonical}`]),
      ...(row.difference === "-" ? [] : [`subtype_diff = ${row.difference}`]),
    ].map((option) => `\n    ${option}`).join(",");
    addType(row, catalog, {
      shell: addShell(row, catalog),
      definition: (name) => `CREATE TYPE ${name} AS RANGE (${options}\n);\n`,
    });
  },
};
