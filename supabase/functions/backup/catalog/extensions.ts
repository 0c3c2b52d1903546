/** Extensions: created by name in whatever version the target has; what they made themselves is not dumped. */
import { described } from "./attachments.ts";
import { CLASS } from "./class_ids.ts";
import type { Family } from "./family.ts";
import { mainEntry, makeObject } from "./object.ts";
import { FIRST_USER_OID } from "./selection.ts";

interface Row {
  oid: number;
  name: string;
  schema: string;
}

export const extensions: Family<Row> = {
  name: "extensions",
  query: () => `
    select x.oid::int8, x.extname as name, n.nspname as schema
    from pg_extension x join pg_namespace n on n.oid = x.extnamespace
    order by x.oid`,
  read(row, catalog) {
    const name = catalog.quote(row.name);
    const object = makeObject({
      kind: "extension",
      classId: CLASS.extension,
      oid: row.oid,
      name: row.name,
      // Those of initdb are in every database; they are known because others depend on them.
      render: () =>
        row.oid < FIRST_USER_OID ? [] : [
          mainEntry(object, {
            desc: "EXTENSION",
            definition: `CREATE EXTENSION IF NOT EXISTS ${name} WITH SCHEMA ${catalog.quote(row.schema)};\n`,
            drop: `DROP EXTENSION ${name};\n`,
          }),
          ...described(catalog, object, { type: "EXTENSION", name, owner: "" }),
        ],
    });
    catalog.add(object);
  },
};
