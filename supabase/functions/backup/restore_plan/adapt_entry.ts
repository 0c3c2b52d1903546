/** Adapts entries to the target: tablespaces, owners and grants that it cannot have. */
import type { Entry } from "../entry.ts";
import type { TargetFacts } from "./context.ts";
import { isOfMember } from "./extensions.ts";
import type { PlanStep } from "./plan_step.ts";
import { quoted, withoutRoles } from "./sql_text.ts";

const SUPERUSERS_OWN = new Set(["EVENT TRIGGER", "FOREIGN DATA WRAPPER", "SUBSCRIPTION"]);

interface Adapted {
  entry: Entry;
  note?: string;
  /** Why the restored object differs. */
  altered?: string;
}

export const adaptEntries: PlanStep = ({ archive, target, options }, { entries, unknownRoles, missing }) => {
  const archived = new Set(archive.map(({ dumpId }) => dumpId));
  const context = {
    unknown: unknownRoles,
    noOwner: options.noOwner,
    archived,
    lacksExtensions: missing.extensions.length > 0,
  };
  const adapted = entries.map((entry) => ({
    dumpId: entry.dumpId,
    ...adaptEntry(entry, target, context),
  }));
  return {
    entries: adapted.map(({ entry }) => entry),
    notes: adapted.flatMap(({ note }) => note ?? []),
    altered: new Map(
      adapted.flatMap(({ dumpId, altered }) => altered === undefined ? [] : [[dumpId, altered]]),
    ),
  };
};

/** Returns the entry as the target can take it. `unknown` are roles that the target will not have. */
function adaptEntry(
  entry: Entry,
  target: TargetFacts,
  { unknown, noOwner, archived, lacksExtensions }: {
    unknown: ReadonlySet<string>;
    noOwner: boolean;
    archived: ReadonlySet<number>;
    lacksExtensions: boolean;
  },
): Adapted {
  const { tablespace, desc, definition } = entry;
  if (tablespace !== null && tablespace !== "" && !target.tablespaces.has(tablespace)) {
    const note =
      `${desc} ${entry.tag}: the target has no tablespace "${tablespace}"; the default one is used`;
    return { entry: { ...entry, tablespace: "" }, note };
  }
  // The platform lets the owner of a project have event triggers, which PostgreSQL itself does not.
  const mayOwn = target.kind === "supabase" && desc === "EVENT TRIGGER" && entry.owner === target.user;
  if (SUPERUSERS_OWN.has(desc) && entry.owner && !target.superusers.has(entry.owner) && !mayOwn) {
    const note =
      `${desc} ${entry.tag}: only a superuser may own it, and "${entry.owner}" is not one here; it belongs to "${target.user}"`;
    return { entry: { ...entry, owner: null }, note, altered: "another role owns it here" };
  }
  // A drill has created it for an extension.
  if (target.scratch && desc === "SCHEMA" && target.schemas.has(entry.tag)) {
    return { entry: { ...entry, definition: `CREATE SCHEMA IF NOT EXISTS ${quoted(entry.tag)};\n` } };
  }
  if (definition === null || (desc !== "ACL" && desc !== "DEFAULT ACL")) return { entry };
  if (noOwner) return { entry, altered: "restored without grants (--no-owner)" };
  if (target.scratch) return { entry: { ...entry, definition: grantedByMember(entry, archived) } };
  // Becoming the role that granted takes a superuser; the owner's own grant has the same effect.
  const own = target.superuser
    ? definition
    : definition.replace(/^(SET|RESET) SESSION AUTHORIZATION.*;\n/gm, "");
  const changed = unknown.size > 0 ? withoutRoles(own, unknown) : own;
  const sent = lacksExtensions && isOfMember(entry, archived) ? whereObjectExists(changed) : changed;
  return {
    entry: { ...entry, definition: sent },
    ...(changed === definition ? {} : { altered: "grants by or to roles that the target lacks" }),
  };
}

/** Nothing in an archive tells whether an object is the member of a missing extension, or of one that is there. */
function whereObjectExists(grants: string): string {
  return `DO $backup_grants$
BEGIN
${grants}EXCEPTION WHEN undefined_function OR undefined_object OR undefined_table OR invalid_schema_name THEN
  NULL;
END;
$backup_grants$;
`;
}

/**
 * The restoring role of a scratch server is a member of all others. Where a role has a grant option, the
 * server may choose it as the grantor of later commands, so these run as the owner. The restoring role owns
 * the members of extensions.
 */
function grantedByMember(
  { desc, definition, owner, dependencies }: Entry,
  archived: ReadonlySet<number>,
): string {
  const own = desc === "ACL" && owner && !/^pg_/.test(owner) && / WITH GRANT OPTION;$/m.test(definition!) &&
    dependencies.some((id) => archived.has(id));
  const [begin, end] = own ? [`SET ROLE ${quoted(owner)};\n`, "RESET ROLE;\n"] : ["", "RESET ROLE;\n"];
  const inner = definition!.replace(/^SET SESSION AUTHORIZATION/gm, "SET ROLE")
    .replace(/^RESET SESSION AUTHORIZATION;\n/gm, () => begin || end);
  return own ? begin + inner + end : inner;
}
