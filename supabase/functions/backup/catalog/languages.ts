/** Procedural languages (pg_dump.c, getProcLangs, dumpProcLang). */
import { described, granted, type Privileges } from "./attachments.ts";
import { CLASS } from "./class_ids.ts";
import type { ObjectType } from "./object_type.ts";
import { mainEntry, makeObject } from "./object.ts";
import { FIRST_USER_OID, isMember, privileges } from "./selection.ts";

interface Row extends Privileges {
  oid: number;
  name: string;
  owner: string;
  whole: boolean;
  trusted: boolean;
  /** OIDs of handler, inline handler and validator; 0 for none. */
  handlers: [number, number, number];
}

const OBJECT = { catalog: "pg_language", oid: "l.oid", acl: "l.lanacl", owner: "l.lanowner", aclKind: "'l'" };

const CLAUSES = ["HANDLER", "INLINE", "VALIDATOR"];

export const languages: ObjectType<Row> = {
  name: "languages",
  query: () => `
     select l.oid::int8, l.lanname as name, pg_get_userbyid(l.lanowner) as owner,
       l.oid >= ${FIRST_USER_OID} and not ${isMember("pg_language", "l.oid")} as whole, ${privileges(OBJECT)},
       l.lanpltrusted as trusted, array[l.lanplcallfoid, l.laninline, l.lanvalidator]::int8[] as handlers
     from pg_language l
     where l.lanispl`,
  read(row, catalog) {
    const name = catalog.quote(row.name);
    const what = { type: "LANGUAGE", name, owner: row.owner };
    const object = makeObject({
      kind: "language",
      classId: CLASS.language,
      oid: row.oid,
      name: row.name,
      render: () => [
        ...(row.whole ? [definition(), ...described(catalog, object, what)] : []),
        ...(row.trusted ? granted(catalog, object, what, row) : []),
      ],
    });
    catalog.add(object);

    function definition() {
      return mainEntry(object, {
        desc: "PROCEDURAL LANGUAGE",
        owner: row.owner,
        definition: creation(),
        drop: `DROP PROCEDURAL LANGUAGE ${name};\n`,
      });
    }

    /** With its functions where they are dumped; else the target has to know a language of this name. */
    function creation(): string {
      const functions = row.handlers.map((oid) => oid === 0 ? null : catalog.find(CLASS.procedure, oid));
      if (functions.includes(undefined)) return `CREATE OR REPLACE PROCEDURAL LANGUAGE ${name};\n`;
      const clauses = functions.map((found, index) =>
        found ? ` ${CLAUSES[index]} ${catalog.qualified(found)}` : ""
      );
      return `CREATE ${row.trusted ? "TRUSTED " : ""}PROCEDURAL LANGUAGE ${name}${clauses.join("")};\n`;
    }
  },
};
