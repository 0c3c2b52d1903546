/**
 * Defaults of columns: inside of CREATE TABLE unless what they need needs the table (a sequence that the column owns).
 */
import type { Catalog } from "./catalog.ts";
import { CLASS } from "./class_ids.ts";
import { type Column, parseColumns } from "./columns.ts";
import { type CatalogObject, mainEntry, makeObject } from "./object.ts";

/** Of each column with a default the way to its expression. */
export type Defaults = ReadonlyMap<number, { inlineExpression(): string | null }>;

interface Table {
  oid: number;
  kind: string;
  namespace: string;
  name: string;
  owner: string;
  whole: boolean;
  bound?: string | null;
  parents?: { oid: number }[] | null;
  columns: string | null;
}

/** The column stands in CREATE TABLE. A partition's always does: it is made alone and attached afterwards. */
export function isPrinted({ bound }: { bound?: string | null }, [, , , , rare]: Column): boolean {
  return bound !== null && bound !== undefined || !rare?.inherited;
}

export function addDefaults(row: Table, table: CatalogObject, catalog: Catalog): Defaults {
  const defaults = new Map<number, { inlineExpression(): string | null }>();
  for (const column of parseColumns(row.columns)) {
    const [number, name, , , rare] = column;
    if (!rare) continue;
    // Without a default of its own the column would get the parent's.
    const hidden = !rare.default && isHidden(row, column, catalog);
    if (hidden) hiddenDefaults(row.oid, catalog).add(name);
    const expression = rare.default?.expression ?? (hidden ? "NULL" : null);
    if (expression === null) continue;
    // A generated column's expression has no command of its own; views and inherited columns have no place for one.
    const inline = rare.generated !== undefined || row.kind !== "v" && isPrinted(row, column);
    const object = makeDefault(row, column, expression, table, inline, catalog);
    catalog.add(object);
    if (inline && rare.default) table.needs.push(object);
    if (!inline && !rare.default) object.needs.push(table);
    const partition = row.bound !== null && row.bound !== undefined;
    const inheritedExpression = rare.parent?.generated === true && !partition;
    defaults.set(number, {
      inlineExpression: () => object.form === "inline" && !inheritedExpression ? expression : null,
    });
  }
  return defaults;
}

/**
 * A parent's null that hides a default has to be hidden in turn: it is set when this table exists and has the default
 * already. (So does pg_dump up to 15; the later ones forget it, and the grandchild restores with a default that it
 * never had.)
 */
function isHidden(row: Table, [, name, , , rare]: Column, catalog: Catalog): boolean {
  if (rare?.parent?.default === true) return true;
  // A partition is attached to its parent, which gives it no default: pg_dump has known that since 16.
  if (row.bound != null && catalog.facts.version >= 160000) return false;
  return (row.parents ?? []).some(({ oid }) => catalog.hiddenDefaults.get(oid)?.has(name));
}

function hiddenDefaults(oid: number, catalog: Catalog): Set<string> {
  const names = catalog.hiddenDefaults.get(oid) ?? new Set();
  catalog.hiddenDefaults.set(oid, names);
  return names;
}

function makeDefault(
  row: Table,
  [number, name, , , rare]: Column,
  expression: string,
  table: CatalogObject,
  inline: boolean,
  catalog: Catalog,
): CatalogObject {
  const foreign = row.kind === "f" ? "FOREIGN " : "";
  const alter = (only: string, change: string) =>
    `ALTER ${foreign}TABLE ${only}${catalog.qualified(row)} ALTER COLUMN ${catalog.quote(name)} ${change};\n`;
  const object: CatalogObject = makeObject({
    kind: "default",
    classId: rare?.default ? CLASS.attributeDefault : 0,
    oid: rare?.default?.oid ?? 0,
    namespace: row.namespace,
    name: row.name,
    key: [number],
    whole: table,
    form: inline ? "inline" : "normal",
    render: () =>
      object.form === "inline" || !row.whole ? [] : [
        mainEntry(object, {
          desc: "DEFAULT",
          tag: `${row.name} ${name}`,
          owner: row.owner,
          definition: alter("ONLY ", `SET DEFAULT ${expression}`),
          drop: alter("", "DROP DEFAULT"),
        }),
      ],
  });
  return object;
}
