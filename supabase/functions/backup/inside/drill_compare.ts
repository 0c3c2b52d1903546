/**
 * The end of a drill: definitions, sequences and indexes of the scratch database against the archive, and what was not
 * looked at.
 */
import type { Check } from "../compare/check.ts";
import { validIndexes } from "../compare/compare_restored.ts";
import { compareDefinitions } from "../compare/definitions.ts";
import { compareSequences } from "../compare/sequences.ts";
import { BackupError } from "../errors.ts";
import { beginSnapshot } from "../postgres/snapshot.ts";
import { searchPathOf } from "../restore/search_path.ts";
import { readDump } from "../toc/dump.ts";
import { define, reportedIn } from "./drill_definitions.ts";
import type { Drill } from "./drill_run.ts";

const LOCK_TIMEOUT_MS = 10_000;

export async function compareScratch(run: Drill): Promise<Check[]> {
  const { archive, plan, target, scratch, state, work, lists } = run;
  const checks: Check[] = [];
  // An invocation that died while it tried further rows has moved them.
  for (const entry of lists.rest.filter(({ desc }) => desc === "SEQUENCE SET")) await define(run, entry);
  try {
    await beginSnapshot(scratch);
    const dump = await readDump(scratch, { lockTimeoutMs: LOCK_TIMEOUT_MS });
    work.share.spendEntries(dump.entries.length);
    checks.push(...compareDefinitions(archive, plan, target, dump, true, reportedIn(state.checks)));
    await scratch.sql.unsafe("commit");
  } catch (error) {
    await scratch.sql.unsafe("rollback");
    // Tables of an extension belong to the project's own role.
    if (!(error instanceof BackupError) || error.code !== "permission_denied") throw error;
    checks.push(unchecked("definitions", error.message));
  }
  await scratch.sql.unsafe("set search_path = pg_catalog, pg_temp");
  checks.push(await validIndexes(scratch.sql));
  try {
    checks.push(...await compareSequences(scratch, plan, target, searchPathOf(archive.entries)));
  } catch (error) {
    await scratch.sql.unsafe("rollback");
    checks.push(
      unchecked("sequences and further rows", error instanceof Error ? error.message : String(error)),
    );
  }
  return [...checks, ...notTried(archive.entries, state.emptied)];
}

function notTried(entries: Drill["archive"]["entries"], emptied: readonly string[]): Check[] {
  const objects = entries.filter(({ desc }) => desc === "BLOBS").length;
  return [
    unchecked("owners and grants", "in a drill inside the project one role owns everything"),
    ...(objects === 0
      ? []
      : [unchecked("large objects", "a drill inside the project does not restore them")]),
    ...(entries.some(({ desc, tag }) => desc === "EXTENSION" && tag === "pg_cron")
      ? [unchecked("jobs of pg_cron", "pg_cron works in one database of a server")]
      : []),
    ...(emptied.length === 0 ? [] : [unchecked(
      "foreign keys, and keys of large tables",
      `these tables were emptied to stay within drill_bytes, so they were not tried with all rows: ${
        emptied.join(", ")
      }`,
    )]),
  ];
}

function unchecked(what: string, detail: string): Check {
  return { what, outcome: "unchecked", detail };
}
