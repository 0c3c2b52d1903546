/** What tables, views and sequences have in common: privileges, comments and labels, on the whole and on columns. */
import { grantCommands } from "./acl.ts";
import { commentEntry, granted, labelEntry, type Privileges } from "./attachments.ts";
import { type Catalog, objectKey } from "./catalog.ts";
import { attachedEntry, type CatalogObject, type Draft } from "./object.ts";
import { FIRST_USER_OID, isUserSchema } from "./selection.ts";

export interface RelationRow extends Privileges {
  oid: number;
  namespace: string;
  name: string;
  owner: string;
  whole: boolean;
}

/** Grants on columns by OID of their relation, read for all at once. */
export const COLUMN_GRANTS_SQL = `
  select a.attrelid::int8 as oid,
    json_agg(json_build_object('name', a.attname, 'items', coalesce(a.attacl, '{}'), 'base', coalesce(p.initprivs, '{}'))
      order by a.attnum) as columns
  from pg_attribute a
  left join pg_init_privs p
    on p.classoid = 'pg_class'::regclass and p.objoid = a.attrelid and p.objsubid = a.attnum
  where (a.attacl is not null or p.initprivs is not null) and not a.attisdropped
  group by a.attrelid`;

/**
 * A query's FROM item `c`: pg_class of the given kinds with `nspname`, `owner`, `whole`, `acl`, `base`, `child` (has
 * parents) and `config` (the filter of an extension's configuration table, null for others), restricted to those of
 * which something is dumped.
 */
export function relationsSql(kinds: string): string {
  return `(
    select c.*, n.nspname, pg_get_userbyid(c.relowner) as owner,
      ${isUserSchema("n")} and m.objid is null as whole,
      exists (select from pg_inherits i where i.inhrelid = c.oid) as child,
      x.config,
      coalesce(c.relacl, case when p.initprivs is not null then d.acl end) as acl,
      coalesce(p.initprivs, d.acl) as base
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
    cross join lateral (
      select acldefault((case when c.relkind = 'S' then 's' else 'r' end)::"char", c.relowner) as acl) d
    left join pg_depend m on m.classid = 'pg_class'::regclass and m.objid = c.oid and m.deptype = 'e'
    left join pg_init_privs p on p.classoid = 'pg_class'::regclass and p.objoid = c.oid and p.objsubid = 0
    left join (
      select config.relation, max(config.filter) as config
      from pg_extension e, unnest(e.extconfig, e.extcondition) as config (relation, filter)
      where e.oid >= ${FIRST_USER_OID}
      group by config.relation
    ) x on x.relation = c.oid
    where c.relkind in (${kinds}) and (
      ${isUserSchema("n")} and m.objid is null
      or x.relation is not null
      or (n.nspname = 'pg_catalog' or ${isUserSchema("n")}) and (
        c.relacl is distinct from p.initprivs
        or exists (select from pg_attribute a where a.attrelid = c.oid and a.attacl is not null)))
  ) as c`;
}

/** The columns of every relation's row. */
export const RELATION_COLUMNS =
  `c.oid::int8, c.nspname as namespace, c.relname as name, c.owner, c.whole, c.acl, c.base`;

/** Comments on the relation and its columns, then one entry with all labels. `columns` are names by number. */
export function relationDescribed(
  catalog: Catalog,
  object: CatalogObject,
  { type, owner, columns }: { type: string; owner: string; columns: ReadonlyMap<number, string> },
): Draft[] {
  const key = objectKey(object.classId, object.oid);
  const name = catalog.quote(object.name);
  const drafts: Draft[] = [];
  for (const { subId, text } of catalog.comments.get(key) ?? []) {
    const column = columns.get(subId);
    if (subId === 0) drafts.push(commentEntry(catalog, object, { type, name, owner }, text));
    else if (column !== undefined) {
      const columnName = `${name}.${catalog.quote(column)}`;
      drafts.push(commentEntry(catalog, object, { type: "COLUMN", name: columnName, owner }, text));
    }
  }
  const labels = catalog.labels.get(key);
  if (labels) {
    drafts.push(labelEntry(catalog, object, { type, name, owner }, labels, (subId) => columns.get(subId)));
  }
  return drafts;
}

/** Grants on the relation, then those on its columns, which need the former. */
export function relationGranted(catalog: Catalog, object: CatalogObject, row: RelationRow): Draft[] {
  const name = catalog.quote(row.name);
  const type = object.relkind === "S" ? "SEQUENCE" : "TABLE";
  const grants = granted(catalog, object, { type, name, owner: row.owner }, row);
  const columns = (catalog.columnGrants.get(row.oid) ?? []).flatMap((column) => {
    const quoted = catalog.quote(column.name);
    const definition = grantCommands(catalog, {
      type,
      name: catalog.qualified(row),
      column: quoted,
      items: column.items,
      base: column.base,
      owner: row.owner,
    });
    if (definition === "") return [];
    return [attachedEntry(object, {
      desc: "ACL",
      tag: `COLUMN ${name}.${quoted}`,
      owner: row.owner,
      definition,
      needs: [object, ...grants],
    })];
  });
  return [...grants, ...columns];
}
