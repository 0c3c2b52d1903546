/** Rebuilds the log from the manifests in the bucket, after a restore or when rows were lost. */
import {
  type Manifest,
  MANIFEST_NAME,
  readManifest,
} from "../../supabase/functions/backup/manifest/manifest.ts";
import { sha256Hex } from "../../supabase/functions/backup/storage/sha256.ts";
import { parseBackupName } from "../../supabase/functions/backup/rotation/names.ts";
import type { Bucket } from "../../supabase/functions/backup/storage/bucket.ts";
import { hasLostManifest } from "../../supabase/functions/backup/manifest/companions.ts";
import { openSession, type Session } from "../../supabase/functions/backup/postgres/session.ts";
import { type LoggedBackup, rebuildManifest } from "./rebuild_manifest.ts";
import { expectSchema } from "./versions.ts";

/** What was done with a folder of the bucket. */
export interface Rebuilt {
  name: string;
  outcome: string;
}

/**
 * Gives each complete backup of the bucket a row in the log of the database; may be repeated. Compares parts by name
 * and size, and does not read them: that is what `verify` does. Throws what bucket and database throw.
 */
export async function rebuildLog(
  bucket: Bucket,
  bucketName: string,
  databaseUrl: string,
): Promise<Rebuilt[]> {
  const rows: Record<string, unknown>[] = [];
  const left: Rebuilt[] = [];
  const session = await openSession(databaseUrl, { applicationName: "supabase-backup log" });
  const { sql } = session;
  try {
    await expectSchema(sql);
    for (const name of (await bucket.folders()).sort()) {
      const rebuilt = await rebuildLost(bucket, name, session);
      const found = typeof rebuilt === "string" ? rebuilt : await examine(bucket, name);
      if (typeof found === "string") left.push({ name, outcome: `left: ${found}` });
      else {
        const { manifest, checksum } = found;
        rows.push({ ...rowOf(manifest), checksum, bucket: bucketName, manifest_rebuilt: rebuilt });
      }
    }
    const done = await sql<Rebuilt[]>`select name, outcome from backup._rebuild_log(${
      sql.json(rows as never)
    })`;
    return [...done, ...left].sort((a, b) => a.name.localeCompare(b.name));
  } finally {
    await session.close();
  }
}

/** Makes the manifest of a verified backup anew where it is missing. Returns whether it did, or why it cannot. */
async function rebuildLost(bucket: Bucket, name: string, { sql }: Session): Promise<boolean | string> {
  const files = (await bucket.list(name)).map((file) => file.name);
  if (parseBackupName(name) === null || !hasLostManifest(files)) return false;
  const [logged] = await sql<LoggedBackup[]>`
    select l.id, l.name, l.trigger, l.attempt, l.finished_at, l.rows, l.stored_bytes, l.parts, l.warnings,
      coalesce((l.settings operator(pg_catalog.->>) 'level')::pg_catalog.int4, 4) as level
    from backup.log l where l.name = ${name} and l.status = 'succeeded'`;
  if (logged === undefined) {
    return "it has no manifest, and no row in the log; its parts, joined in name order, may be its whole archive";
  }
  return await rebuildManifest(bucket, logged) ?? true;
}

/** Returns the manifest of a complete backup, or why the folder is not one. */
async function examine(
  bucket: Bucket,
  name: string,
): Promise<{ manifest: Manifest; checksum: string } | string> {
  if (parseBackupName(name) === null) return "its name is not that of a backup";
  const sizes = new Map((await bucket.list(name)).map((object) => [object.name, object.bytes]));
  if (!sizes.has(MANIFEST_NAME)) return "it has no manifest";
  const bytes = await bucket.get(`${name}/${MANIFEST_NAME}`);
  let manifest: Manifest;
  try {
    manifest = readManifest(bytes);
  } catch (error) {
    return (error as Error).message;
  }
  if (manifest.name !== name) return `its manifest belongs to ${manifest.name}`;
  const wrong = manifest.parts.find((part) => sizes.get(part.name) !== part.bytes);
  if (wrong !== undefined) return `${wrong.name} is missing or has another size`;
  return { manifest, checksum: await sha256Hex(bytes) };
}

function rowOf({ name, run, createdAt, server, totals, tables, warnings }: Manifest) {
  return {
    name,
    trigger: run.trigger,
    attempt: run.attempt,
    finished_at: createdAt,
    server_version: server.version,
    tables: totals.tables,
    rows: totals.rows,
    raw_bytes: totals.rawBytes,
    stored_bytes: totals.storedBytes,
    parts: totals.parts,
    warnings,
    table_rows: tables,
  };
}
