/** Schemas. `public` is there in every new database: of it only what differs from there is written. */
import { CLASS } from "./class_ids.ts";
import { objectKey } from "./catalog.ts";
import { commentEntry, described, granted } from "./attachments.ts";
import type { ObjectType } from "./object_type.ts";
import { mainEntry, makeObject } from "./object.ts";
import { isMember, isUserSchema, privileges, worthReading } from "./selection.ts";

interface Row {
  oid: number;
  name: string;
  owner: string;
  member: boolean;
  acl: string[] | null;
  base: string[];
}

/** What initdb says about the schema public. */
const PUBLIC_COMMENT = "standard public schema";
const PUBLIC_OWNER = "pg_database_owner";

const OBJECT = {
  catalog: "pg_namespace",
  oid: "n.oid",
  acl: "n.nspacl",
  owner: "n.nspowner",
  aclKind: "'n'",
};

export const schemas: ObjectType<Row> = {
  name: "schemas",
  query: () => `
    select n.oid::int8, n.nspname as name, pg_get_userbyid(n.nspowner) as owner, ${
    isMember("pg_namespace", "n.oid")
  } as member,
      ${privileges(OBJECT)}
    from pg_namespace n
    where ${isUserSchema("n")} or ${worthReading(OBJECT)}
    order by n.oid`,
  read(row, catalog) {
    const name = catalog.quote(row.name);
    const whole = !row.member && !row.name.startsWith("pg_");
    const isPublic = whole && row.name === "public";
    const what = { type: "SCHEMA", name, owner: row.owner };
    // What a new database's public schema has once it belongs to its owner here, whatever the first owner's rights
    // were.
    const owner = aclName(row.owner);
    const base = isPublic ? [`${owner}=UC/${owner}`, `=U/${owner}`] : row.base;
    const object = makeObject({
      kind: "schema",
      classId: CLASS.schema,
      oid: row.oid,
      name: row.name,
      render: () => [
        ...(whole && !(isPublic && row.owner === PUBLIC_OWNER) ? [definition()] : []),
        ...(isPublic ? publicDescribed() : whole ? described(catalog, object, what) : []),
        ...granted(catalog, object, what, { acl: row.acl ?? (isPublic ? row.base : null), base }),
      ],
    });
    catalog.add(object);

    function definition() {
      return mainEntry(object, {
        desc: "SCHEMA",
        owner: row.owner,
        definition: isPublic
          ? "-- *not* creating schema, since initdb creates it\n"
          : `CREATE SCHEMA ${name};\n`,
        drop: isPublic ? "-- *not* dropping schema, since initdb creates it\n" : `DROP SCHEMA ${name};\n`,
      });
    }

    function publicDescribed() {
      const text = catalog.comments.get(objectKey(CLASS.schema, row.oid))?.[0]?.text ?? "";
      const entries = described(catalog, object, what).filter(({ desc }) => desc !== "COMMENT");
      return text === PUBLIC_COMMENT ? entries : [commentEntry(catalog, object, what, text), ...entries];
    }
  },
};

/** A role's name inside of an aclitem (acl.c, putid). */
function aclName(name: string): string {
  return /^[a-zA-Z0-9_]+$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`;
}
