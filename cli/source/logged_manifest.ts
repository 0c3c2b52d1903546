/**
 * Compares a manifest with the checksum in backup.log: with both at hand, a manifest that was rewritten
 * shows.
 */
import type { Manifest } from "../../supabase/functions/backup/manifest/manifest.ts";
import { sha256Hex } from "../../supabase/functions/backup/storage/sha256.ts";
import type { Project } from "../project/find_project.ts";
import { readRuns, type Run } from "../project/function_client.ts";
import { CommandError } from "../terminal/errors.ts";
import type { Check } from "../../supabase/functions/backup/compare/check.ts";

const RUNS_READ = 100;

/** The SHA-256 of the manifest in backup.log, or why it is not known. */
export type Logged = { sha256: string } | { unknown: string };

/** Of a folder or a second copy. */
export const LOG_NOT_NAMED: Logged = { unknown: "no project is named whose log could be read" };

/** Asks the project's function. */
export async function loggedManifest(project: Project, name: string, runId?: number): Promise<Logged> {
  try {
    const latest = await readRuns(project, { limit: RUNS_READ });
    const older = runId === undefined ? [] : await readRuns(project, { runId });
    const run = [...latest, ...older].find((run) => run.name === name) as
      | (Run & { checksum?: string | null })
      | undefined;
    return run?.checksum ? { sha256: run.checksum } : { unknown: `backup.log has no checksum of ${name}` };
  } catch (error) {
    return { unknown: `backup.log could not be read: ${(error as Error).message}` };
  }
}

/** Throws CommandError where the log knows another manifest. */
export async function compareWithLog(bytes: Uint8Array, { name }: Manifest, logged: Logged): Promise<Check> {
  const what = "manifest";
  if ("unknown" in logged) {
    return { what, outcome: "skipped", detail: `not compared with backup.log: ${logged.unknown}` };
  }
  const sha256 = await sha256Hex(bytes);
  if (sha256 === logged.sha256) {
    return { what, outcome: "passed", detail: "the one that backup.log recorded" };
  }
  throw new CommandError(
    `Refusing to use backup "${name}": its manifest is not the one that backup.log recorded`,
    `Somebody rewrote the manifest (SHA-256 ${sha256} instead of ${logged.sha256}). Use another backup.`,
  );
}
