/** Reads rows of an archive that a plan needs: jobs of pg_cron, and the names of Vault's secrets. */
import type { Job, VaultSecret } from "./context.ts";
import type { OpenArchive } from "../archive/reader.ts";
import type { Entry } from "../entry.ts";
import type { Manifest } from "../manifest/manifest.ts";
import { classifyForProject, type EntryDisposition } from "../restore_guide/project_entries.ts";
import { columnsOf } from "../restore/sql_names.ts";
import { linesOf, valuesOf } from "./copy_text.ts";
import { isOfCron } from "./cron_jobs.ts";

/** Counts the rows of the platform's tables, by dump id; the manifest knows them without reading. */
export async function countManagedRows(
  archive: OpenArchive,
  manifest: Manifest | null,
): Promise<Map<number, number>> {
  const counts = new Map<number, number>();
  for (const { entry } of classifyForProject(archive.entries).filter(hasCountedRows)) {
    const said = manifest?.tables.find(({ schema, name }) =>
      schema === entry.namespace && name === entry.tag
    );
    let rows = said?.rows;
    if (rows === undefined) {
      rows = 0;
      for await (const _ of linesOf(archive.rows(entry.dumpId))) rows++;
    }
    counts.set(entry.dumpId, rows);
  }
  return counts;
}

function hasCountedRows(
  { entry: { desc, hasData }, disposition, why, ofPlatform }: EntryDisposition,
): boolean {
  return desc === "TABLE DATA" && hasData && ofPlatform &&
    (disposition !== "left out" || why !== "");
}

/** The watchdog job of the run that made the backup. */
const WATCH_DOG = "backup-watch";

/** Reads the jobs that an archive holds. */
export async function jobsIn(archive: OpenArchive): Promise<Job[]> {
  const rows = await rowsOfEntry(archive, (entry) => isOfCron(entry) && entry.hasData && entry.tag === "job");
  return rows.filter(({ jobname }) => jobname !== WATCH_DOG).map((row) => ({
    name: row.jobname ?? null,
    schedule: row.schedule!,
    command: row.command!,
    user: row.username!,
    active: row.active === "t",
  }));
}

/** Reads the names of the secrets that an archive holds. */
export async function vaultSecretsIn(archive: OpenArchive): Promise<VaultSecret[]> {
  const rows = await rowsOfEntry(
    archive,
    ({ desc, namespace, tag }) => desc === "TABLE DATA" && namespace === "vault" && tag === "secrets",
  );
  return rows.map(({ name = null, description = null }) => ({ name, description }));
}

async function rowsOfEntry(
  archive: OpenArchive,
  isIt: (entry: Entry) => boolean,
): Promise<Record<string, string | null>[]> {
  const entry = archive.entries.find(isIt);
  if (entry === undefined) return [];
  return await Array.fromAsync(valuesOf(columnsOf(entry.copy!), archive.rows(entry.dumpId)));
}
