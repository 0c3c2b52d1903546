/** Policies of tables, and row level security being enabled. */
import { CLASS } from "./class_ids.ts";
import type { ObjectType } from "./object_type.ts";
import { type CatalogObject, mainEntry, makeObject } from "./object.ts";
import { commentOn } from "./rules.ts";
import { isWhole } from "./selection.ts";

interface TableRow {
  oid: number;
  namespace: string;
  name: string;
  owner: string;
}

/** Row level security has no catalog row of its own: it is a flag of the table, and an entry behind the data. */
export const rowSecurity: ObjectType<TableRow> = {
  name: "row level security",
  query: () => `
    select c.oid::int8, n.nspname as namespace, c.relname as name, pg_get_userbyid(c.relowner) as owner
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relrowsecurity and c.relkind in ('r', 'p') and ${isWhole("pg_class", "c.oid")}
    order by c.oid`,
  read(row, catalog) {
    const table = catalog.find(CLASS.relation, row.oid);
    const object: CatalogObject = makeObject({
      kind: "policy",
      oid: row.oid,
      namespace: row.namespace,
      name: row.name,
      key: [row.name],
      render: () => [
        mainEntry(object, {
          desc: "ROW SECURITY",
          owner: row.owner,
          section: "post-data",
          definition: `ALTER TABLE ${catalog.qualified(row)} ENABLE ROW LEVEL SECURITY;`,
          needs: table ? [table] : [],
        }),
      ],
    });
    catalog.add(object);
  },
};

interface PolicyRow {
  oid: number;
  name: string;
  namespace: string;
  tableName: string;
  owner: string;
  command: "*" | "r" | "a" | "w" | "d";
  permissive: boolean;
  /** Quoted; null is PUBLIC. */
  roles: string | null;
  using: string | null;
  check: string | null;
}

const COMMANDS = { "*": "", r: " FOR SELECT", a: " FOR INSERT", w: " FOR UPDATE", d: " FOR DELETE" };

export const policies: ObjectType<PolicyRow> = {
  name: "policies",
  query: () => `
    select p.oid::int8, p.polname as name, n.nspname as namespace, c.relname as "tableName",
      pg_get_userbyid(c.relowner) as owner, p.polcmd as command, p.polpermissive as permissive,
      case when p.polroles <> '{0}' then array_to_string(
        array(select quote_ident(rolname) from pg_roles where oid = any (p.polroles)), ', ') end as roles,
      pg_get_expr(p.polqual, p.polrelid) as using, pg_get_expr(p.polwithcheck, p.polrelid) as check
    from pg_policy p
    join pg_class c on c.oid = p.polrelid
    join pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p') and ${isWhole("pg_class", "c.oid")}
    order by p.oid`,
  read(row, catalog) {
    const table = catalog.qualified({ namespace: row.namespace, name: row.tableName });
    const identity = `${catalog.quote(row.name)} ON ${table}`;
    const object: CatalogObject = makeObject({
      kind: "policy",
      classId: CLASS.policy,
      oid: row.oid,
      namespace: row.namespace,
      name: row.name,
      key: [row.tableName],
      render: () => [
        mainEntry(object, {
          desc: "POLICY",
          tag: `${row.tableName} ${row.name}`,
          owner: row.owner,
          section: "post-data",
          definition: [
            `CREATE POLICY ${identity}${row.permissive ? "" : " AS RESTRICTIVE"}${COMMANDS[row.command]}`,
            row.roles === null ? "" : ` TO ${row.roles}`,
            row.using === null ? "" : ` USING (${row.using})`,
            row.check === null ? "" : ` WITH CHECK (${row.check})`,
            ";\n",
          ].join(""),
          drop: `DROP POLICY ${identity};\n`,
        }),
        ...commentOn("POLICY", row, object, catalog),
      ],
    });
    catalog.add(object);
  },
};
