/** Enumerated types. */
import { literal } from "./catalog.ts";
import type { ObjectType } from "./object_type.ts";
import { addType, typeQuery, type TypeRow } from "./types.ts";

interface Row extends TypeRow {
  labels: string[] | null;
}

export const enums: ObjectType<Row> = {
  name: "enumerated types",
  query: () =>
    typeQuery({
      columns:
        "(select array_agg(e.enumlabel order by e.enumsortorder) from pg_enum e where e.enumtypid = t.oid) as labels",
      which: "t.typtype = 'e'",
    }),
  read(row, catalog) {
    const labels = (row.labels ?? []).map((label) => `\n    ${literal(label)}`).join(",");
    addType(row, catalog, { definition: (name) => `CREATE TYPE ${name} AS ENUM (${labels}\n);\n` });
  },
};
