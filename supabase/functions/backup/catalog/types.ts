/** What all kinds of types have in common. */
import { described, granted, type Privileges } from "./attachments.ts";
import type { Catalog } from "./catalog.ts";
import { CLASS } from "./class_ids.ts";
import { type CatalogObject, type Draft, mainEntry, makeObject } from "./object.ts";
import { selected, worthReading } from "./selection.ts";

export interface TypeRow extends Privileges {
  oid: number;
  namespace: string;
  name: string;
  owner: string;
  whole: boolean;
}

const OBJECT = { catalog: "pg_type", oid: "t.oid", acl: "t.typacl", owner: "t.typowner", aclKind: "'T'" };

/**
 * The query of a kind of types: `columns` and `joins` beyond the common ones, `which` restricts pg_type t. Array types
 * are never dumped: they come with their elements' type.
 */
export function typeQuery(
  { columns = "", joins = "", which }: { columns?: string; joins?: string; which: string },
): string {
  return `
    select t.oid::int8, n.nspname as namespace, t.typname as name, pg_get_userbyid(t.typowner) as owner,
      ${columns === "" ? "" : `${columns},`}
      ${selected(OBJECT)}
    from pg_type t
    join pg_namespace n on n.oid = t.typnamespace
    ${joins}
    where ${which} and ${worthReading(OBJECT)}
    order by t.oid`;
}

/** The name of the collation with OID `oid`, quoted and qualified, as an SQL expression. */
export function collationName(oid: string): string {
  return `(select format('%I.%I', cn.nspname, co.collname)
       from pg_collation co join pg_namespace cn on cn.oid = co.collnamespace where co.oid = ${oid})`;
}

/** Adds a type; `definition` is called when the order is known. Returns the object. */
export function addType(
  row: TypeRow,
  catalog: Catalog,
  { desc = "TYPE", cascade = "", definition, shell = null, attached = () => [] }: {
    desc?: string;
    /** Follows the name in the command that drops it. */
    cascade?: string;
    definition: (qualified: string) => string;
    shell?: CatalogObject | null;
    /** Entries after its grants. */
    attached?: (object: CatalogObject) => Draft[];
  },
): CatalogObject {
  const name = catalog.quote(row.name);
  const qualified = catalog.qualified(row);
  const object = makeObject({
    kind: "type",
    classId: CLASS.type,
    oid: row.oid,
    namespace: row.namespace,
    name: row.name,
    shell,
    render: () => {
      const grants = granted(catalog, object, { type: "TYPE", name, owner: row.owner }, row);
      if (!row.whole) return grants;
      return [
        mainEntry(object, {
          desc,
          owner: row.owner,
          definition: definition(qualified),
          drop: `DROP ${desc} ${qualified}${cascade};\n`,
        }),
        ...described(catalog, object, { type: desc, name, owner: row.owner }),
        ...grants,
        ...attached(object),
      ];
    },
  });
  catalog.add(object);
  return object;
}

/** Adds the shell of a type that is made of functions: written only when a loop of dependencies asks for it. */
export function addShell(row: TypeRow, catalog: Catalog): CatalogObject | null {
  if (!row.whole) return null;
  const shell: CatalogObject = makeObject({
    kind: "shell type",
    namespace: row.namespace,
    name: row.name,
    form: "omitted",
    render: () =>
      shell.form === "omitted" ? [] : [
        mainEntry(shell, {
          desc: "SHELL TYPE",
          owner: row.owner,
          definition: `CREATE TYPE ${catalog.qualified(row)};\n`,
        }),
      ],
  });
  catalog.add(shell);
  return shell;
}
