/** Extensions: created by name in whatever version the target has; what they made themselves is not dumped. */
import { described } from "./attachments.ts";
import { CLASS } from "./class_ids.ts";
import type { ObjectType } from "./object_type.ts";
import type { ExtensionVersion } from "../entry.ts";
import type { Session } from "../postgres/session.ts";
import { queryJson } from "./query_json.ts";
import { mainEntry, makeObject } from "./object.ts";
import { FIRST_USER_OID } from "./selection.ts";

interface Row {
  oid: number;
  name: string;
  schema: string;
}

/** Versions of the extensions that somebody made. An archive does not say them: the target's own version is created. */
export async function readExtensionVersions(session: Session): Promise<ExtensionVersion[]> {
  return await queryJson(
    session,
    `select x.extname as name, x.extversion as version from pg_extension x where x.oid >= ${FIRST_USER_OID}
     order by x.extname collate "C"`,
  );
}

export const extensions: ObjectType<Row> = {
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
