/**
 * Objects that depend on what --clean drops and are not restored themselves: keys of other tables, views,
 * policies, functions. The server refuses to drop an object that others depend on, so these are dropped first
 * and recreated as the target has them now.
 */
import { BackupError } from "../errors.ts";
import type { Entry } from "../entry.ts";
import { isWhole } from "./context.ts";
import type { PlanStep } from "./plan_step.ts";
import { FOLLOWERS, missingDependents, ofRelation, RELATIONS } from "./select_entries.ts";

const SHOWN = 5;

export const noteDependents: PlanStep = ({ archive, options, existing }) => {
  if (isWhole(options) || options.withDependents || options.dataOnly) return {};
  const gone = missingDependents(archive, options, existing.has);
  return gone.length === 0 ? {} : {
    notes: [
      `${
        listed(gone.map(shown))
      } depend on it and are missing from the target; add --with-dependents to restore them`,
    ],
  };
};

/** Adds them after all other entries, so that they are dropped first and created last. */
export const addDependents: PlanStep = ({ options, targetEntries }, plan) => {
  if (!options.clean) return {};
  if ("unread" in targetEntries) {
    // The restore may succeed without them.
    const note = `Cannot look for objects that depend on what is dropped: ${targetEntries.unread}`;
    return { notes: [note] };
  }
  let last = plan.lastId;
  const dependents = dependentsOf(plan.restored, targetEntries, () => ++last);
  return { dependents, entries: [...plan.entries, ...dependents], lastId: last };
};

/**
 * Returns them; `there` are the target's own entries. Throws BackupError for a table that would be dropped
 * with its rows.
 */
function dependentsOf(chosen: readonly Entry[], there: readonly Entry[], nextId: () => number): Entry[] {
  const returning = new Map(chosen.map((entry) => [keyOf(entry), entry.dumpId]));
  /** Ids of the target's entries that go, and of what comes in their place. */
  const gone = new Map<number, number[]>();
  for (const entry of there) {
    const comes = returning.get(keyOf(entry));
    if (comes === undefined) continue;
    gone.set(entry.dumpId, [comes]);
    if (!RELATIONS.has(entry.desc)) continue;
    // A table's own objects go with it.
    for (const id of ofRelation(there, entry)) if (!gone.has(id)) gone.set(id, [comes]);
  }
  const ids = new Map<number, number>();
  const dependents: Entry[] = [];
  const take = (entry: Entry, on: readonly number[]) => {
    const own = nextId();
    ids.set(entry.dumpId, own);
    gone.set(entry.dumpId, [own]);
    dependents.push({ ...entry, dumpId: own, dependencies: on.flatMap((id) => gone.get(id)!) });
  };
  for (const entry of there) {
    if (gone.has(entry.dumpId) || FOLLOWERS.has(entry.desc) || entry.hasData) continue;
    const on = entry.dependencies.filter((id) => gone.has(id));
    if (on.length > 0) take(entry, on);
  }
  for (const entry of there) {
    const on = entry.dependencies.filter((id) => ids.has(id));
    if (FOLLOWERS.has(entry.desc) && on.length > 0) take(entry, on);
  }
  // A partition that was made since would go with its table, rows and all; a sequence of a column goes with it.
  const kept = there.filter((entry) =>
    !returning.has(keyOf(entry)) &&
    (entry.desc === "TABLE" ? gone.has(entry.dumpId) : entry.desc === "SEQUENCE" && ids.has(entry.dumpId))
  ).map(shown);
  if (kept.length === 0) return dependents;
  throw new BackupError(
    "bad_request",
    `Cannot drop what the backup has: dependent objects hold data of their own: ${kept.join(", ")}`,
    "Restore them as well if the backup has them (--table, repeated), drop them yourself, or restore a copy beside the " +
      "live table (--into-schema). Nothing was changed.",
  );
}

/** Returns the entry in words. */
export function shown({ desc, namespace, tag }: Entry): string {
  return `${desc.toLowerCase()} ${namespace === null ? "" : `${namespace}.`}${tag}`;
}

/** Returns the first few, and how many more there are. */
export function listed(all: readonly string[]): string {
  const more = all.length > SHOWN ? ` and ${all.length - SHOWN} more` : "";
  return all.slice(0, SHOWN).join(", ") + more;
}

function keyOf({ desc, namespace, tag }: Entry): string {
  return JSON.stringify([desc, namespace, tag]);
}
