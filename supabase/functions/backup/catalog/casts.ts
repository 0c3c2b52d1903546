/** Casts (pg_dump.c, getCasts, dumpCast). */
import { described } from "./attachments.ts";
import { CLASS } from "./class_ids.ts";
import type { ObjectType } from "./object_type.ts";
import { mainEntry, makeObject } from "./object.ts";
import { FIRST_USER_OID, isMember } from "./selection.ts";
import { signature } from "./signatures.ts";

interface Row {
  oid: number;
  name: string;
  source: string;
  target: string;
  method: "b" | "i" | "f";
  context: "e" | "a" | "i";
  function: string | null;
}

const CONTEXTS = { e: "", a: " AS ASSIGNMENT", i: " AS IMPLICIT" };

export const casts: ObjectType<Row> = {
  name: "casts",
  // The cast from a range to its multirange is made with the types.
  query: () => `
     select c.oid::int8, s.typname || ' ' || t.typname as name, format_type(s.oid, null) as source, format_type(t.oid, null) as target,
       c.castmethod as method, c.castcontext as context, ${signature("c.castfunc")} as function
     from pg_cast c join pg_type s on s.oid = c.castsource join pg_type t on t.oid = c.casttarget
     where c.oid >= ${FIRST_USER_OID} and not ${isMember("pg_cast", "c.oid")}
       and not exists (select from pg_range r where r.rngtypid = c.castsource and r.rngmultitypid = c.casttarget)
     order by c.castsource, c.casttarget`,
  read(row, catalog) {
    const types = `(${row.source} AS ${row.target})`;
    const method = row.method === "b"
      ? "WITHOUT FUNCTION"
      : row.method === "i"
      ? "WITH INOUT"
      : `WITH FUNCTION ${row.function}`;
    const object = makeObject({
      kind: "cast",
      classId: CLASS.cast,
      oid: row.oid,
      name: row.name,
      render: () => [
        mainEntry(object, {
          desc: "CAST",
          tag: `CAST ${types}`,
          definition: `CREATE CAST ${types} ${method}${CONTEXTS[row.context]};\n`,
          drop: `DROP CAST ${types};\n`,
        }),
        ...described(catalog, object, { type: "CAST", name: types, owner: "" }),
      ],
    });
    catalog.add(object);
  },
};
