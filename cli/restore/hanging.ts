/**
 * What hangs on the objects that --clean drops, and is not among what comes back: keys of other tables, views, policies, functions.
 * The server refuses to drop what something hangs on; so these are dropped first, and made again as the target has them now.
 */
import { BackupError } from "../../supabase/functions/backup/errors.ts";
import { openSession } from "../../supabase/functions/backup/postgres/session.ts";
import { beginSnapshot } from "../../supabase/functions/backup/postgres/snapshot.ts";
import { readDump } from "../../supabase/functions/backup/toc/dump.ts";
import type { Entry } from "../../supabase/functions/backup/toc/entry.ts";
import { CommandError } from "../terminal.ts";
import { FOLLOWERS, ofRelation, RELATIONS } from "./selection.ts";
import type { Target } from "./target.ts";

const LOCK_TIMEOUT_MS = 60_000;

const SHOWN = 5;

/**
 * Entries for the end of an archive that restores `chosen`, after its other entries: so they are dropped first, and made last.
 * Throws CommandError for a table that hangs on what is dropped.
 */
export async function hangingEntries(
  target: Target,
  chosen: readonly Entry[],
  nextId: () => number,
): Promise<{ entries: Entry[]; notes: string[] }> {
  try {
    return { entries: hangingOn(chosen, await readTarget(target), nextId), notes: [] };
  } catch (error) {
    if (!(error instanceof BackupError)) throw error;
    // What may not be read may still be restored over.
    return {
      entries: [],
      notes: [`what hangs on objects that are dropped was not looked at: ${error.message}`],
    };
  }
}

async function readTarget({ url }: Target): Promise<Entry[]> {
  const session = await openSession(url, { applicationName: "supabase-backup restore" });
  try {
    await beginSnapshot(session);
    return (await readDump(session, { lockTimeoutMs: LOCK_TIMEOUT_MS })).entries;
  } finally {
    await session.close();
  }
}

/** See hangingEntries; `there` are the target's own entries. */
export function hangingOn(chosen: readonly Entry[], there: readonly Entry[], nextId: () => number): Entry[] {
  const returning = new Map(chosen.map((entry) => [keyOf(entry), entry.dumpId]));
  /** Ids of the target's entries that go, and of what comes in their place. */
  const gone = new Map<number, number[]>();
  for (const entry of there) {
    const comes = returning.get(keyOf(entry));
    if (comes === undefined) continue;
    gone.set(entry.dumpId, [comes]);
    if (!RELATIONS.has(entry.desc)) continue;
    // With a table goes what is its own.
    for (const id of ofRelation(there, entry)) if (!gone.has(id)) gone.set(id, [comes]);
  }
  const ids = new Map<number, number>();
  const hanging: Entry[] = [];
  const take = (entry: Entry, on: readonly number[]) => {
    const own = nextId();
    ids.set(entry.dumpId, own);
    gone.set(entry.dumpId, [own]);
    hanging.push({ ...entry, dumpId: own, dependencies: on.flatMap((id) => gone.get(id)!) });
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
  if (kept.length === 0) return hanging;
  throw new CommandError(
    `--clean would have to drop what hangs on the backup's objects and holds values of its own: ${
      kept.join(", ")
    }`,
    "Take it along if the backup has it (--table, repeated), drop it yourself if it may go, or fetch a copy beside the " +
      "living table (--into-schema). Nothing was changed.",
  );
}

/** In words. */
export function shown({ desc, namespace, tag }: Entry): string {
  return `${desc.toLowerCase()} ${namespace === null ? "" : `${namespace}.`}${tag}`;
}

/** The first of many, and how many more there are. */
export function listed(all: readonly string[]): string {
  const more = all.length > SHOWN ? ` and ${all.length - SHOWN} more` : "";
  return all.slice(0, SHOWN).join(", ") + more;
}

function keyOf({ desc, namespace, tag }: Entry): string {
  return JSON.stringify([desc, namespace, tag]);
}
