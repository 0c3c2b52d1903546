/**
 * Rows that do not belong to their partition any more, because order or hash of their key has changed: in through the
 * root.
 */
import type { Entry } from "../entry.ts";
import { qualified } from "./names.ts";
import { QUALIFIED } from "./sql_names.ts";

/** Returns the entry of a partition's rows with a COPY into the topmost table, or null where it is no partition. */
export function throughRoot(entry: Entry, entries: readonly Entry[]): Entry | null {
  const parents = new Map(
    entries.filter(({ desc }) => desc === "TABLE ATTACH").map((
      { dependencies },
    ) => [dependencies[0], dependencies[1]]),
  );
  let root: number | undefined;
  for (let id = parents.get(entry.dependencies[0]); id !== undefined; id = parents.get(id)) root = id;
  const table = entries.find(({ dumpId }) => dumpId === root);
  if (table === undefined) return null;
  const name = qualified(table.namespace, table.tag);
  return { ...entry, copy: entry.copy!.replace(new RegExp(`^COPY ${QUALIFIED}`), () => `COPY ${name}`) };
}
