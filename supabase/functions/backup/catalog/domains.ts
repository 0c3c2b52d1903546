/** Domains and their constraints. */
import { commentEntry } from "./attachments.ts";
import { type Catalog, literal, objectKey } from "./catalog.ts";
import { CLASS } from "./class_ids.ts";
import type { ObjectType } from "./object_type.ts";
import { type CatalogObject, type Draft, mainEntry, makeObject } from "./object.ts";
import { addType, collationName, typeQuery, type TypeRow } from "./types.ts";

interface Constraint {
  oid: number;
  name: string;
  /** `n` is not null, a constraint with a name since 17. */
  type: "c" | "n";
  definition: string;
  validated: boolean;
}

interface Row extends TypeRow {
  base: string[] | null;
  baseType: string;
  collation: string | null;
  notNull: boolean;
  /** An expression, or else a text that wants quotes. */
  defaultExpression: string | null;
  defaultText: string | null;
  constraints: Constraint[] | null;
}

export const domains: ObjectType<Row> = {
  name: "domains",
  query: (version) =>
    typeQuery({
      columns: `format_type(t.typbasetype, t.typtypmod) as "baseType",
        case when t.typcollation <> b.typcollation then ${collationName("t.typcollation")} end as collation,
        t.typnotnull as "notNull",
        pg_get_expr(t.typdefaultbin, 'pg_type'::regclass) as "defaultExpression", t.typdefault as "defaultText",
        (select json_agg(json_build_object('oid', k.oid::int8, 'name', k.conname, 'type', k.contype,
            'definition', pg_get_constraintdef(k.oid), 'validated', k.convalidated) order by k.conname)
         from pg_constraint k
         where k.contypid = t.oid and k.contype in (${
        version >= 170000 ? "'c', 'n'" : "'c'"
      })) as constraints`,
      joins: "left join pg_type b on b.oid = t.typbasetype",
      which: "t.typtype = 'd'",
    }),
  read(row, catalog) {
    const constraints = row.whole ? row.constraints ?? [] : [];
    const checks = new Map<CatalogObject, Constraint>();
    // One is enough; of several pg_dump writes the last.
    const named = constraints.findLast(({ type }) => type === "n");
    const inline = () => [...checks].filter(([check]) => check.form === "inline");
    const domain = addType(row, catalog, {
      desc: "DOMAIN",
      definition: (name) =>
        [
          `CREATE DOMAIN ${name} AS ${row.baseType}`,
          row.collation === null ? "" : ` COLLATE ${row.collation}`,
          row.notNull ? notNullClause(row, named, catalog) : "",
          defaultClause(row),
          ...inline().map(([, { name, definition }]) =>
            `\n\tCONSTRAINT ${catalog.quote(name)} ${definition}`
          ),
          ";\n",
        ].join(""),
      attached: () => [
        ...inline().flatMap(([check]) => constraintComment(row, check, domain, catalog)),
        ...(named ? constraintComment(row, named, domain, catalog) : []),
      ],
    });
    for (const constraint of constraints) {
      if (constraint.type === "n") continue;
      const check: CatalogObject = makeObject({
        kind: "constraint",
        classId: CLASS.constraint,
        oid: constraint.oid,
        namespace: row.namespace,
        name: constraint.name,
        key: [0, row.name],
        whole: domain,
        form: constraint.validated ? "inline" : "normal",
        render: () =>
          check.form === "inline" ? [] : [
            addition(row, constraint, check, catalog),
            ...constraintComment(row, check, check, catalog),
          ],
      });
      checks.set(check, constraint);
      catalog.add(check);
      // Whatever the check needs must be there before the domain.
      if (constraint.validated) domain.needs.push(check);
    }
  },
};

/** With its name unless that is the one PostgreSQL gives. */
function notNullClause({ name }: Row, constraint: Constraint | undefined, catalog: Catalog): string {
  return constraint === undefined || constraint.name === `${name}_not_null`
    ? " NOT NULL"
    : ` CONSTRAINT ${catalog.quote(constraint.name)} ${constraint.definition}`;
}

function defaultClause({ defaultExpression, defaultText }: Row): string {
  if (defaultExpression !== null) return ` DEFAULT ${defaultExpression}`;
  return defaultText === null ? "" : ` DEFAULT ${literal(defaultText)}`;
}

/** A check that the rows need not have met yet, or that needs the domain itself. */
function addition(row: Row, { name, definition }: Constraint, check: CatalogObject, catalog: Catalog): Draft {
  const domain = catalog.qualified(row);
  return mainEntry(check, {
    desc: "CHECK CONSTRAINT",
    tag: `${row.name} ${name}`,
    owner: row.owner,
    section: "post-data",
    definition: `ALTER DOMAIN ${domain}\n    ADD CONSTRAINT ${catalog.quote(name)} ${definition};\n`,
    drop: `ALTER DOMAIN ${domain} DROP CONSTRAINT ${catalog.quote(name)};\n`,
  });
}

function constraintComment(
  row: Row,
  check: { oid: number; name: string },
  parent: CatalogObject,
  catalog: Catalog,
): Draft[] {
  const comment = catalog.comments.get(objectKey(CLASS.constraint, check.oid))?.[0];
  if (!comment) return [];
  const type = `CONSTRAINT ${catalog.quote(check.name)} ON DOMAIN`;
  const what = { type, name: catalog.quote(row.name), owner: row.owner };
  return [commentEntry(catalog, parent, what, comment.text)];
}
