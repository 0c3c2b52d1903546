/** In which order a restore takes the entries (pg_backup_archiver.c, _tocEntryRestorePass and _tocEntryRequired). */
import { type Entry, isBeyondPgDump, type Section } from "../entry.ts";

export interface Passes {
  /** Everything else, in the order of the archive. */
  main: Entry[];
  /** Grants come when nothing is created any more. */
  grants: Entry[];
  /** They would fire while the rest is restored. */
  eventTriggers: Entry[];
  /** `REFRESH MATERIALIZED VIEW`, in the order of the archive. */
  refreshes: Entry[];
}

/** The session's settings, and the database itself, which a restore does not create. */
const NOT_RUN = new Set(["ENCODING", "STDSTRINGS", "SEARCHPATH", "DATABASE", "DATABASE PROPERTIES"]);

export function passesOf(entries: readonly Entry[], { owners }: { owners: boolean }): Passes {
  const passes: Passes = { main: [], grants: [], eventTriggers: [], refreshes: [] };
  for (const entry of entries) {
    const { desc, tag } = entry;
    const ofDatabase = ["ACL", "COMMENT", "SECURITY LABEL"].includes(desc) && tag.startsWith("DATABASE ");
    if (NOT_RUN.has(desc) || ofDatabase || isBeyondPgDump(entry)) continue;
    if (desc === "ACL" || desc === "DEFAULT ACL") {
      if (owners) passes.grants.push(entry);
    } else if (
      desc === "EVENT TRIGGER" ||
      (/^(COMMENT|SECURITY LABEL)$/.test(desc) && tag.startsWith("EVENT TRIGGER "))
    ) {
      passes.eventTriggers.push(entry);
    } else if (desc === "MATERIALIZED VIEW DATA") passes.refreshes.push(entry);
    else passes.main.push(entry);
  }
  return passes;
}

/** Returns runs of entries of one section, in order; an entry without a section belongs to the one before it. */
export function runsOf(entries: readonly Entry[]): { section: Section; entries: Entry[] }[] {
  const runs: { section: Section; entries: Entry[] }[] = [];
  for (const entry of entries) {
    const last = runs.at(-1);
    if (last && (entry.section === "none" || entry.section === last.section)) last.entries.push(entry);
    else runs.push({ section: entry.section === "none" ? "pre-data" : entry.section, entries: [entry] });
  }
  return runs;
}

/** Returns whether the entry's data block is rows, large objects, or nothing. */
export function contentOf({ desc, hasData }: Entry): "rows" | "large objects" | null {
  if (!hasData) return null;
  return desc === "BLOBS" ? "large objects" : "rows";
}

/** Cuts the entries behind the last one that is before the rows: from there on connections may share the work. */
export function untilRows(entries: readonly Entry[]): { first: Entry[]; later: Entry[] } {
  const runs = runsOf(entries);
  const last = runs.findLastIndex(({ section }) => section === "pre-data");
  return {
    first: runs.slice(0, last + 1).flatMap((run) => run.entries),
    later: runs.slice(last + 1).flatMap((run) => run.entries),
  };
}

export function dumpIdsOf(entries: readonly Entry[], kind: string): Set<number> {
  return new Set(entries.filter(({ desc }) => desc === kind).map(({ dumpId }) => dumpId));
}
