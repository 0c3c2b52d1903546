/** Access methods of tables and indexes (pg_dump.c, dumpAccessMethod). */
import { described } from "./attachments.ts";
import { CLASS } from "./class_ids.ts";
import type { ObjectType } from "./object_type.ts";
import { mainEntry, makeObject } from "./object.ts";
import { FIRST_USER_OID, isMember } from "./selection.ts";

interface Row {
  oid: number;
  name: string;
  type: "i" | "t";
  handler: string;
}

const TYPES = { i: "INDEX", t: "TABLE" };

export const accessMethods: ObjectType<Row> = {
  name: "access methods",
  query: () => `
     select a.oid::int8, a.amname as name, a.amtype as type, a.amhandler::regproc as handler
     from pg_am a
     where a.oid >= ${FIRST_USER_OID} and not ${isMember("pg_am", "a.oid")}`,
  read(row, catalog) {
    const name = catalog.quote(row.name);
    const object = makeObject({
      kind: "access method",
      classId: CLASS.accessMethod,
      oid: row.oid,
      name: row.name,
      render: () => [
        mainEntry(object, {
          desc: "ACCESS METHOD",
          definition: `CREATE ACCESS METHOD ${name} TYPE ${TYPES[row.type]} HANDLER ${row.handler};\n`,
          drop: `DROP ACCESS METHOD ${name};\n`,
        }),
        ...described(catalog, object, { type: "ACCESS METHOD", name, owner: "" }),
      ],
    });
    catalog.add(object);
  },
};
