/** Default privileges, for a role everywhere or in one schema. */
import { grantCommands } from "./acl.ts";
import { CLASS } from "./class_ids.ts";
import type { ObjectType } from "./object_type.ts";
import { type CatalogObject, mainEntry, makeObject } from "./object.ts";
import { isUserSchema } from "./selection.ts";

interface Row {
  oid: number;
  namespace: string | null;
  role: string;
  type: keyof typeof TYPES;
  items: string[];
  base: string[];
}

const TYPES = { r: "TABLES", S: "SEQUENCES", f: "FUNCTIONS", T: "TYPES", n: "SCHEMAS", L: "LARGE OBJECTS" };

export const defaultPrivileges: ObjectType<Row> = {
  name: "default privileges",
  // Those of a schema add to what holds everywhere; those that hold everywhere replace what is built in.
  query: () => `
    select d.oid::int8, n.nspname as namespace, pg_get_userbyid(d.defaclrole) as role, d.defaclobjtype as type,
      d.defaclacl as items,
      case when d.defaclnamespace = 0
        then acldefault(case when d.defaclobjtype = 'S' then 's' else d.defaclobjtype end, d.defaclrole)
        else '{}' end as base
    from pg_default_acl d
    left join pg_namespace n on n.oid = d.defaclnamespace
    where d.defaclnamespace = 0 or ${isUserSchema("n")}
    order by d.oid`,
  read(row, catalog) {
    const type = TYPES[row.type];
    const place = row.namespace === null ? "" : `IN SCHEMA ${catalog.quote(row.namespace)} `;
    const object: CatalogObject = makeObject({
      kind: "default acl",
      classId: CLASS.defaultAcl,
      oid: row.oid,
      namespace: row.namespace,
      name: row.type,
      key: [row.role],
      render: () => [
        mainEntry(object, {
          desc: "DEFAULT ACL",
          tag: `DEFAULT PRIVILEGES FOR ${type}`,
          owner: row.role,
          section: "post-data",
          definition: grantCommands(catalog, {
            type,
            name: "",
            items: row.items,
            base: row.base,
            owner: row.role,
            prefix: `ALTER DEFAULT PRIVILEGES FOR ROLE ${catalog.quote(row.role)} ${place}`,
          }),
        }),
      ],
    });
    catalog.add(object);
  },
};
