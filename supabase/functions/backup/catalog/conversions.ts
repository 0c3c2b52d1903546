/** Conversions between encodings (pg_dump.c, dumpConversion). */
import { described } from "./attachments.ts";
import { literal } from "./catalog.ts";
import { CLASS } from "./class_ids.ts";
import type { ObjectType } from "./object_type.ts";
import { mainEntry, makeObject } from "./object.ts";
import { isWhole } from "./selection.ts";

interface Row {
  oid: number;
  namespace: string;
  name: string;
  owner: string;
  isDefault: boolean;
  from: string;
  to: string;
  function: string;
}

export const conversions: ObjectType<Row> = {
  name: "conversions",
  query: () => `
     select c.oid::int8, n.nspname as namespace, c.conname as name, pg_get_userbyid(c.conowner) as owner, c.condefault as "isDefault",
       pg_encoding_to_char(c.conforencoding) as from, pg_encoding_to_char(c.contoencoding) as to, c.conproc::regproc as function
     from pg_conversion c join pg_namespace n on n.oid = c.connamespace
     where ${isWhole("pg_conversion", "c.oid")}`,
  read(row, catalog) {
    const object = makeObject({
      kind: "conversion",
      classId: CLASS.conversion,
      oid: row.oid,
      namespace: row.namespace,
      name: row.name,
      render: () => [
        mainEntry(object, {
          desc: "CONVERSION",
          owner: row.owner,
          definition: `CREATE ${row.isDefault ? "DEFAULT " : ""}CONVERSION ${catalog.qualified(object)} FOR ${
            literal(row.from)
          } TO ${literal(row.to)} FROM ${row.function};\n`,
          drop: `DROP CONVERSION ${catalog.qualified(object)};\n`,
        }),
        ...described(catalog, object, {
          type: "CONVERSION",
          name: catalog.quote(row.name),
          owner: row.owner,
        }),
      ],
    });
    catalog.add(object);
  },
};
