/** What `pg_restore --clean` drops that cannot be dropped by itself: with its statement the restore would end there. */
import type { Entry } from "../../supabase/functions/backup/toc/entry.ts";

/** Partitions' indexes and keys without their own DROP: the partitioned table's takes them along. */
export function droppedWithParent(entries: readonly Entry[]): Entry[] {
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
