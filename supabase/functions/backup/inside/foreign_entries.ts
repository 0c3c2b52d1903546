/**
 * What a drill inside the project leaves out: the scratch database holds everybody's rows, and code of a role that
 * others can act as could read them all there and tell them to its owner.
 */
import { TRUSTED_ROLES } from "../catalog/trusted_owner.ts";
import type { Check } from "../compare/check.ts";
import type { Entry } from "../entry.ts";
import type { Session } from "../postgres/session.ts";
import { labelOf } from "../restore/names.ts";
import { isPlatformRole } from "../restore_guide/project_entries.ts";

const NAMED = 10;

/** Returns the entries of roles that are not trusted, and all that needs them. */
export async function foreignEntries({ sql }: Session, entries: readonly Entry[]): Promise<Entry[]> {
  const rows = await sql.unsafe<{ name: string }[]>(
    `select rolname as name from pg_catalog.pg_roles where oid = any (${TRUSTED_ROLES})`,
  );
  return foreignIn(entries, new Set(rows.map(({ name }) => name)));
}

export function foreignIn(entries: readonly Entry[], trusted: ReadonlySet<string>): Entry[] {
  const isForeign = (owner: string | null) =>
    Boolean(owner) && !trusted.has(owner!) && !isPlatformRole(owner!);
  const schemas = new Set(
    entries.filter(({ desc, owner }) => desc === "SCHEMA" && isForeign(owner)).map(({ tag }) => tag),
  );
  const ids = new Set<number>();
  // Objects come after what they depend on, but for views in a circle.
  for (let before = -1; before < ids.size;) {
    before = ids.size;
    for (const { dumpId, owner, namespace, dependencies } of entries) {
      const theirs = isForeign(owner) || schemas.has(namespace ?? "");
      if (theirs || dependencies.some((id) => ids.has(id))) ids.add(dumpId);
    }
  }
  return entries.filter(({ dumpId }) => ids.has(dumpId));
}

export function foreignCheck(foreign: readonly Entry[]): Check[] {
  if (foreign.length === 0) return [];
  const tables = foreign.filter(({ desc }) => desc === "TABLE");
  const named = (tables.length > 0 ? tables : foreign).slice(0, NAMED).map(labelOf).join(", ");
  return [{
    what: "objects of roles that others can act as",
    outcome: "unchecked",
    detail: `${foreign.length} entries, whose code could read everything in the scratch database: ${named}`,
  }];
}
