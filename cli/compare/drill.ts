/** Restores a backup into a scratch database and compares it with the backup. */
import type { Account } from "../../supabase/functions/backup/restore/account.ts";
import { EXTENSION_DATA, EXTENSION_SEQUENCE } from "../../supabase/functions/backup/entry.ts";
import { bytes } from "../terminal/format.ts";
import type { Check } from "../../supabase/functions/backup/compare/check.ts";
import { compareRestored } from "../../supabase/functions/backup/compare/compare_restored.ts";
import { runUserChecks } from "./user_checks.ts";
import { makePlan, type RestoreOptions, WHOLE } from "../plan/plan_restore.ts";
import { runRestore } from "../restore/run_restore.ts";
import { type Scratch, scratchDatabase, scratchServer } from "../restore/scratch.ts";
import { checkIdentity, fetchSource, type Origin, type Source } from "../source/source.ts";
import { superuserNote } from "../target/preflight.ts";
import type { Target } from "../target/target.ts";
import { note } from "../terminal/output.ts";
import { onInterrupt } from "../terminal/interrupt.ts";
import type { Progress } from "../terminal/progress.ts";

/** Code of the backup, such as a check that sleeps, must not hold a drill up for ever. */
const STATEMENT_TIMEOUT_MS = 60 * 60_000;

/** A drill reports what it leaves out as skipped. */
const DRILL: RestoreOptions = {
  ...WHOLE,
  settle: false,
  withoutMissing: true,
  statementTimeoutMs: STATEMENT_TIMEOUT_MS,
};

export interface DrillOptions {
  /** A server; one of our own without it. */
  to?: string;
  /** Folder of the user's own checks. */
  checks: string;
  workDir: string;
  jobs?: number;
  /** Opens an encrypted backup. */
  identityFile?: string | undefined;
  bar?: Progress;
}

/**
 * Restores and compares. A backup that cannot be restored is a failed check, since finding one is what a
 * drill is for. Throws for a failure that says nothing about the backup: a key that does not fit, a server
 * that does not start.
 */
export async function drill(
  origin: Origin,
  name: string,
  { to, checks: folder, workDir, jobs = 1, bar, identityFile }: DrillOptions,
): Promise<{ where: string; checks: Check[] }> {
  await checkIdentity(origin, name, identityFile);
  const onBytes = (done: number, expected: number) =>
    bar?.update(done, expected, `downloading, ${bytes(done)}`);
  let source: Source;
  try {
    source = await fetchSource(origin, name, workDir, onBytes, identityFile);
  } catch (error) {
    return { where: "nowhere: it ended early", checks: [failedRestore(error)] };
  }
  using _interrupt = onInterrupt(() => source.discard());
  try {
    const scratch: Scratch = await (to === undefined
      ? scratchServer(source.archive.entries, source.archive.header.serverVersion)
      : scratchDatabase(to, `drill_${name.replaceAll("-", "_")}`));
    using _end = onInterrupt(() =>
      scratch.end()
    );
    if (scratch.target.superuser) note(superuserNote(scratch.target));
    try {
      const checks = await checksOf(source, scratch.target, { ...DRILL, jobs }, bar);
      return { where: scratch.where, checks: [...checks, ...await runUserChecks(scratch.target, folder)] };
    } catch (error) {
      return { where: scratch.where, checks: [failedRestore(error)] };
    } finally {
      await scratch.end();
    }
  } finally {
    await source.discard();
  }
}

async function checksOf(
  { archive, manifest, logged }: Source,
  target: Target,
  options: RestoreOptions,
  bar: Progress | undefined,
): Promise<Check[]> {
  const plan = await makePlan(archive, target, options, manifest);
  let done = 0;
  const account = await runRestore(
    archive,
    target,
    plan,
    options,
    (entry) => bar?.update(++done, plan.entries.length, entry),
  );
  const checks = await compareRestored(archive, manifest, plan, target, {
    reported: new Set([...account.changed, ...account.leftOut].map(({ entry }) => entry)),
    onCheck: (what) => bar?.update(1, 1, `comparing ${what}`),
  });
  return [...(logged === null ? [] : [logged]), ...exceptions(account), ...checks];
}

/**
 * What does not come back as it was fails a drill: on the worst day it is missing. Rows of an extension's own table
 * come back where that is there, which is not known of a server without it.
 */
function exceptions({ changed, leftOut, aside }: Account): Check[] {
  const ofExtension = new RegExp(`^(${EXTENSION_DATA}|${EXTENSION_SEQUENCE}|queue) `);
  return [
    ...changed.map(({ entry, how, why }) => ({ what: `restore: ${entry}`, detail: `${how}: ${why}` })),
    ...leftOut.map(({ entry, why }) => ({ what: `restore: ${entry}`, detail: `left out: ${why}` })),
    ...aside.map(({ table, rows, why }) => ({
      what: `restore: rows of ${table}`,
      detail: `${rows} refused: ${why}`,
    })),
  ].map((check) => ({
    ...check,
    outcome: ofExtension.test(check.what.replace("restore: ", "")) ? "unchecked" : "failed",
  }));
}

function failedRestore(error: unknown): Check {
  const { message, hint } = error as Error & { hint?: string };
  return {
    what: "restore",
    outcome: "failed",
    detail: [message, hint].filter((text) => text).join(" "),
  };
}
