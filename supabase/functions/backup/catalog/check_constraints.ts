/**
 * Check constraints of tables: inside of CREATE TABLE unless the rows need not meet them yet, or they need the table.
 * Not null that rows need not meet (since 18) too.
 */
import { commentEntry } from "./attachments.ts";
import { type Catalog, objectKey } from "./catalog.ts";
import { CLASS } from "./class_ids.ts";
import { type CatalogObject, type Draft, mainEntry, makeObject } from "./object.ts";

export interface Check {
  oid: number;
  name: string;
  /** `n` is not null. */
  type: "c" | "n";
  definition: string;
  /** Declared here, not only by a parent. */
  local: boolean;
  validated: boolean;
}

interface Table {
  kind: string;
  namespace: string;
  name: string;
  owner: string;
  whole: boolean;
  checks: Check[] | null;
}

/** The checks of the relation c as a JSON array, an SQL expression. */
export const CHECKS_SQL = `(
  select json_agg(json_build_object('oid', k.oid::int8, 'name', k.conname, 'type', k.contype, 'definition', pg_get_constraintdef(k.oid),
    'local', k.conislocal, 'validated', k.convalidated) order by k.conname)
  from pg_constraint k
  where k.conrelid = c.oid and (k.contype = 'c' or k.contype = 'n' and not k.convalidated))`;

export function addChecks(row: Table, table: CatalogObject, catalog: Catalog): [CatalogObject, Check][] {
  return (row.checks ?? []).map((check) => {
    const object: CatalogObject = makeObject({
      kind: "constraint",
      classId: CLASS.constraint,
      oid: check.oid,
      namespace: row.namespace,
      name: check.name,
      key: [1, row.name],
      whole: table,
      form: check.validated ? "inline" : "normal",
      render: () => object.form === "inline" || !row.whole ? [] : renderSeparate(row, check, object, catalog),
    });
    catalog.add(object);
    // Whatever the check needs must be there before the table.
    if (check.validated) table.needs.push(object);
    return [object, check];
  });
}

function renderSeparate(row: Table, check: Check, object: CatalogObject, catalog: Catalog): Draft[] {
  const alter = `ALTER ${row.kind === "f" ? "FOREIGN " : ""}TABLE ${catalog.qualified(row)}`;
  const name = catalog.quote(check.name);
  const comment = constraintComment(row, object, object, catalog);
  if (!check.local) return comment;
  return [
    mainEntry(object, {
      desc: check.type === "c" ? "CHECK CONSTRAINT" : "CONSTRAINT",
      tag: `${row.name} ${check.name}`,
      owner: row.owner,
      section: "post-data",
      // Not ONLY: children inherit it.
      definition: `${alter}\n    ADD CONSTRAINT ${name} ${check.definition};\n`,
      drop: `${alter} DROP CONSTRAINT ${name};\n`,
    }),
    ...comment,
  ];
}

/** Comments on checks that stand in CREATE TABLE: they follow the table's own. */
export function inlineCheckComments(
  row: Table,
  table: CatalogObject,
  checks: readonly [CatalogObject, Check][],
  catalog: Catalog,
): Draft[] {
  return checks.filter(([, { local }]) => local)
    .flatMap(([object]) => constraintComment(row, object, table, catalog));
}

/**
 * The comment on a table's constraint, as a list of one or none; `parent` is the object in whose entry the constraint
 * stands.
 */
export function constraintComment(
  { name, owner }: { name: string; owner: string },
  constraint: CatalogObject,
  parent: CatalogObject,
  catalog: Catalog,
): Draft[] {
  const comment = catalog.comments.get(objectKey(CLASS.constraint, constraint.oid))?.[0];
  if (!comment) return [];
  const type = `CONSTRAINT ${catalog.quote(constraint.name)} ON`;
  return [commentEntry(catalog, parent, { type, name: catalog.quote(name), owner }, comment.text)];
}
