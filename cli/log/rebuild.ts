/** The log, rebuilt from the manifests in the bucket: after a restore, or when rows of it were lost. */
import postgres from "postgres";
import {
  type Manifest,
  MANIFEST_NAME,
  readManifest,
} from "../../supabase/functions/backup/manifest/manifest.ts";
import { sha256Hex } from "../../supabase/functions/backup/storage/sha256.ts";
import { parseBackupName } from "../../supabase/functions/backup/rotation/names.ts";
import type { Bucket } from "../../supabase/functions/backup/storage/bucket.ts";

/** What became of a folder of the bucket. */
export interface Rebuilt {
  name: string;
  outcome: string;
}

/**
 * Gives each whole backup of the bucket a row in the log of the database; may be repeated. Parts are compared by name and size, not read: that is
 * what `npm run verify` does. Throws what bucket and database throw.
 */
export async function rebuildLog(
  bucket: Bucket,
  bucketName: string,
  databaseUrl: string,
): Promise<Rebuilt[]> {
  const rows: Record<string, unknown>[] = [];
  const left: Rebuilt[] = [];
  for (const name of (await bucket.folders()).sort()) {
    const found = await examine(bucket, name);
    if (typeof found === "string") left.push({ name, outcome: `left: ${found}` });
    else rows.push({ ...rowOf(found.manifest), checksum: found.checksum, bucket: bucketName });
  }
  const sql = postgres(databaseUrl, { max: 1, connect_timeout: 15, onnotice: () => {} });
  try {
    const done = await sql<Rebuilt[]>`select name, outcome from backup._rebuild(${sql.json(rows as never)})`;
    return [...done, ...left].sort((a, b) => a.name.localeCompare(b.name));
  } finally {
    await sql.end({ timeout: 5 });
  }
}

/** The manifest of a whole backup, or why the folder is none. */
async function examine(
  bucket: Bucket,
  name: string,
): Promise<{ manifest: Manifest; checksum: string } | string> {
  if (parseBackupName(name) === null) return "not a backup's name";
  const sizes = new Map((await bucket.list(name)).map((object) => [object.name, object.bytes]));
  if (!sizes.has(MANIFEST_NAME)) return "it has no manifest";
  const bytes = await bucket.get(`${name}/${MANIFEST_NAME}`);
  let manifest: Manifest;
  try {
    manifest = readManifest(bytes);
  } catch (error) {
    return (error as Error).message;
  }
  if (manifest.name !== name) return `its manifest is that of ${manifest.name}`;
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
