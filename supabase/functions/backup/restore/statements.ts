/** An entry's definition as it is sent to the server: one simple query, with what pg_restore puts around it. */
import type { Entry } from "../entry.ts";
import { literal } from "../catalog/catalog.ts";
import { LARGE_OBJECTS, objectsOf } from "./large_object_group.ts";
import { ownerStatement } from "./owner.ts";
import { qualified, quoted } from "./names.ts";

/** Settings that entries change in passing. */
export interface Defaults {
  tablespace: string | null;
  tableam: string | null;
}

/** How definitions are sent. */
export interface SendOptions {
  /** Owners and grants as in the archive. */
  owners: boolean;
}

/** Returns the SQL of an entry that has no rows, and the defaults that it leaves behind. */
export function definitionOf(
  entry: Entry,
  defaults: Defaults,
  { owners }: SendOptions,
): { sql: string; defaults: Defaults } {
  const { tablespace, desc, namespace, tag } = entry;
  const tableam = entry.partitioned ? null : entry.tableam;
  const lines: string[] = [];
  if (tablespace !== null && tablespace !== defaults.tablespace) {
    lines.push(`SET default_tablespace = ${tablespace === "" ? "''" : quoted(tablespace)};`);
  }
  if (tableam !== null && tableam !== defaults.tableam) {
    lines.push(`SET default_table_access_method = ${quoted(tableam)};`);
  }
  lines.push(desc === LARGE_OBJECTS ? createLargeObjects(entry) : bodyOf(entry));
  if (entry.partitioned && entry.tableam) {
    lines.push(`ALTER TABLE ${qualified(namespace, tag)} SET ACCESS METHOD ${quoted(entry.tableam)};`);
  }
  if (owners) lines.push(ownerStatement(entry));
  return {
    sql: lines.filter((line) => line !== "").join("\n"),
    defaults: { tablespace: tablespace ?? defaults.tablespace, tableam: tableam ?? defaults.tableam },
  };
}

/** Returns the definition, ended, so that another statement can follow. */
function bodyOf({ definition }: Entry): string {
  const text = (definition ?? "").trimEnd();
  return text === "" || text.endsWith(";") ? text : `${text}\n;`;
}

function createLargeObjects({ definition }: Entry): string {
  return objectsOf(definition).map((oid) => `SELECT pg_catalog.lo_create(${literal(String(oid))});`).join(
    "\n",
  );
}

/**
 * Returns the entries with the grants of a group of large objects written out: archives from 1.16 on name the first of
 * them.
 */
export function withGroupGrants(entries: readonly Entry[]): Entry[] {
  const groups = new Map(
    entries.filter(({ desc }) => desc === LARGE_OBJECTS).map((entry) => [entry.dumpId, entry]),
  );
  return entries.map((entry) => {
    const group = groups.get(entry.dependencies[0]!);
    if (entry.desc !== "ACL" || group === undefined) return entry;
    const oids = objectsOf(group.definition);
    const grants = oids.map((oid) =>
      (entry.definition ?? "").replaceAll(`LARGE OBJECT ${oids[0]} `, `LARGE OBJECT ${oid} `)
    );
    return { ...entry, definition: grants.join("\n") };
  });
}
