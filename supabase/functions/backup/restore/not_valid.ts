/** CHECK and FOREIGN KEY over rows that do not keep them: `NOT VALID`, as they may have been in the source. */
import { literal } from "../catalog/catalog.ts";
import type { Entry } from "../entry.ts";
import type { Change } from "./account.ts";
import type { Connection } from "./connection.ts";
import type { Substituted } from "./engine.ts";
import { type ServerError, words } from "./server_error.ts";
import { IDENTIFIER, QUALIFIED } from "./sql_names.ts";

const ADDED = new RegExp(
  `^ALTER (TABLE|DOMAIN) (?:ONLY )?(${QUALIFIED})\\s+ADD CONSTRAINT (${IDENTIFIER}) (?:CHECK|FOREIGN KEY) [\\s\\S]*;\\s*$`,
);

/** Adds the constraint of an entry without looking at the rows that are there. */
export async function addNotValid(
  connection: Connection,
  { definition }: Entry,
  error: ServerError,
): Promise<Substituted | null> {
  const [, kind, object, name] = ADDED.exec(definition ?? "") ?? [];
  if (kind === undefined || / NOT VALID;\s*$/.test(definition!)) return null;
  const attempt = await connection.attempt(asNotValid(definition!));
  if ("error" in attempt) {
    const changed = kind === "TABLE"
      ? await onPartitions(connection, { definition: definition!, table: object!, name: name! }, error)
      : null;
    return changed === null ? { leftOut: { why: words(error), mend: [definition!.trim()] } } : { changed };
  }
  return {
    changed: {
      how: "the constraint is NOT VALID: new rows keep it, and rows that are there may not",
      why: words(error),
      ...(kind === "TABLE" ? await offenders(connection, object!, name!) : {}),
      mend: [`alter ${kind.toLowerCase()} ${object} validate constraint ${name};`],
    },
  };
}

/** Before PostgreSQL 18 no foreign key of a partitioned table may be NOT VALID, and those of its partitions may. */
async function onPartitions(
  connection: Connection,
  { definition, table, name }: { definition: string; table: string; name: string },
  error: ServerError,
): Promise<Omit<Change, "entry"> | null> {
  const found = await connection.attemptQuery<{ leaf: string }>(`
    select t.relid::pg_catalog.text as leaf
    from pg_catalog.pg_partition_tree(pg_catalog.to_regclass(${literal(table)})) t
    join pg_catalog.pg_class c on c.oid = t.relid
    where t.isleaf and t.level > 0 and c.relkind = 'r'`);
  const leaves = "error" in found ? [] : found.result.map(({ leaf }) => leaf);
  if (leaves.length === 0) return null;
  const adding = leaves.map((leaf) => asNotValid(definition.replace(TABLE, () => `ALTER TABLE ${leaf}`)));
  if ("error" in await connection.attempt(adding.join("\n"))) return null;
  const { find } = await offenders(connection, leaves[0]!, name);
  return {
    how:
      "it is a constraint of each partition that is there, NOT VALID: new rows keep it, and others may not",
    why: words(error),
    ...(find ? { find: find.replace(` from ${leaves[0]} c `, () => ` from ${table} c `) } : {}),
    mend: [...leaves.map((leaf) => `alter table ${leaf} drop constraint ${name};`), definition.trim()],
  };
}

const TABLE = new RegExp(`^ALTER TABLE (?:ONLY )?${QUALIFIED}`);

function asNotValid(definition: string): string {
  return definition.trimEnd().replace(/;$/, " NOT VALID;");
}

/** Returns the query that finds the rows that do not keep a constraint. */
export async function offenders(
  connection: Connection,
  table: string,
  name: string,
): Promise<{ find?: string }> {
  const found = await connection.attemptQuery<{ find: string | null }>(`
    select case c.contype
      when 'c' then pg_catalog.format('select * from %s where not (%s);',
        c.conrelid::pg_catalog.regclass, pg_catalog.pg_get_expr(c.conbin, c.conrelid))
      when 'f' then (
        select pg_catalog.format('select c.* from %s c where %s and not exists (select from %s p where %s);',
          c.conrelid::pg_catalog.regclass,
          pg_catalog.string_agg(pg_catalog.format('c.%I is not null', child.attname), ' and ' order by k.n),
          c.confrelid::pg_catalog.regclass,
          pg_catalog.string_agg(pg_catalog.format('p.%I = c.%I', parent.attname, child.attname), ' and ' order by k.n))
        from rows from (pg_catalog.unnest(c.conkey), pg_catalog.unnest(c.confkey)) with ordinality k (child, parent, n)
        join pg_catalog.pg_attribute child on child.attrelid = c.conrelid and child.attnum = k.child
        join pg_catalog.pg_attribute parent on parent.attrelid = c.confrelid and parent.attnum = k.parent
      ) end as find
    from pg_catalog.pg_constraint c
    where c.conrelid = ${literal(table)}::pg_catalog.regclass
      and pg_catalog.quote_ident(c.conname) = pg_catalog.quote_ident(${literal(unquoted(name))})`);
  const find = "error" in found ? null : found.result[0]?.find;
  return find ? { find } : {};
}

function unquoted(name: string): string {
  return name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name;
}
