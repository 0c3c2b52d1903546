/** Removes DROP statements for objects that cannot be dropped by themselves, which would end the restore. */
import type { Entry } from "../entry.ts";
import type { PlanStep } from "./plan_step.ts";

export const dropWithParent: PlanStep = ({ options }, { entries }) =>
  options.clean ? { entries: droppedWithParent(entries) } : {};

/** Returns partitions' indexes and keys without a DROP: dropping the partitioned table's drops them. */
function droppedWithParent(entries: readonly Entry[]): Entry[] {
  const byId = new Map(entries.map((entry) => [entry.dumpId, entry]));
  const attached = new Set<Entry>();
  for (const { desc, tag, dependencies } of entries) {
    if (desc !== "INDEX ATTACH") continue;
    for (const index of dependencies.map((id) => byId.get(id)).filter((entry) => entry !== undefined)) {
      const isIt = index.desc === "INDEX"
        ? index.tag === tag
        : index.desc === "CONSTRAINT" && index.tag.endsWith(` ${tag}`);
      if (isIt) attached.add(index);
    }
  }
  return entries.map((entry) => attached.has(entry) ? { ...entry, drop: null } : entry);
}
