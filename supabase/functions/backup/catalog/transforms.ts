/** Transforms between types and procedural languages (pg_dump.c, dumpTransform). */
import { described } from "./attachments.ts";
import { CLASS } from "./class_ids.ts";
import type { ObjectType } from "./object_type.ts";
import { mainEntry, makeObject } from "./object.ts";
import { isMember } from "./selection.ts";
import { signature } from "./signatures.ts";

interface Row {
  oid: number;
  typeName: string;
  type: string;
  language: string;
  fromSql: string | null;
  toSql: string | null;
}

export const transforms: ObjectType<Row> = {
  name: "transforms",
  query: () => `
     select f.oid::int8, t.typname as "typeName", format_type(t.oid, null) as type, l.lanname as language,
       ${signature("f.trffromsql")} as "fromSql", ${signature("f.trftosql")} as "toSql"
     from pg_transform f join pg_type t on t.oid = f.trftype join pg_language l on l.oid = f.trflang
     where not ${isMember("pg_transform", "f.oid")}
     order by f.trftype, f.trflang`,
  read(row, catalog) {
    const name = `FOR ${row.type} LANGUAGE ${catalog.quote(row.language)}`;
    const functions = [
      ...(row.fromSql === null ? [] : [`FROM SQL WITH FUNCTION ${row.fromSql}`]),
      ...(row.toSql === null ? [] : [`TO SQL WITH FUNCTION ${row.toSql}`]),
    ].join(", ");
    const object = makeObject({
      kind: "transform",
      classId: CLASS.transform,
      oid: row.oid,
      name: `${row.typeName} ${row.language}`,
      render: () => [
        mainEntry(object, {
          desc: "TRANSFORM",
          tag: `TRANSFORM ${name}`,
          definition: `CREATE TRANSFORM ${name} (${functions});\n`,
          drop: `DROP TRANSFORM ${name};\n`,
        }),
        ...described(catalog, object, { type: "TRANSFORM", name, owner: "" }),
      ],
    });
    catalog.add(object);
  },
};
