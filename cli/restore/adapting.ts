/** What the target asks to be changed in an entry: tablespaces, owners and grants that it cannot have. */
import type { Entry } from "../../supabase/functions/backup/toc/entry.ts";
import type { Plan } from "./plan.ts";
import { withoutRoles } from "./roles.ts";
import type { Target } from "./target.ts";

const SUPERUSERS_OWN = new Set(["EVENT TRIGGER", "FOREIGN DATA WRAPPER", "SUBSCRIPTION"]);

/** The entry as the target can take it; what differs then is noted in the plan. `unknown` are roles that the target will not have. */
export function adapted(
  entry: Entry,
  plan: Plan,
  target: Target,
  { unknown, noOwner }: { unknown: ReadonlySet<string>; noOwner: boolean },
): Entry {
  const { tablespace, desc } = entry;
  let { definition } = entry;
  if (tablespace !== null && tablespace !== "" && !target.tablespaces.has(tablespace)) {
    plan.notes.push(
      `${desc} ${entry.tag}: the target has no tablespace ${tablespace}: it takes the default one`,
    );
    return { ...entry, tablespace: "" };
  }
  if (SUPERUSERS_OWN.has(desc) && entry.owner && !target.superusers.has(entry.owner)) {
    plan.notes.push(
      `${desc} ${entry.tag}: only a superuser may own it, which ${entry.owner} is not here: it is ${target.user}'s`,
    );
    plan.altered.set(entry.dumpId, "another role owns it here");
    return { ...entry, owner: null };
  }
  if (definition === null || (desc !== "ACL" && desc !== "DEFAULT ACL")) return entry;
  if (noOwner) {
    plan.altered.set(entry.dumpId, "without grants, as asked for");
    return entry;
  }
  // Becoming the role that granted takes a superuser; the owner's own grant has the same effect.
  if (!target.superuser) definition = definition.replace(/^(SET|RESET) SESSION AUTHORIZATION.*;\n/gm, "");
  if (unknown.size > 0) definition = withoutRoles(definition, unknown);
  if (definition !== entry.definition) {
    plan.altered.set(entry.dumpId, "grants by or to roles that the target has not");
  }
  return { ...entry, definition };
}
