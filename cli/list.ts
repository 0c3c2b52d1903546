/** `npm run list`: the backups that the bucket holds, read from their manifests. */
import { parseArgs } from "node:util";
import colors from "picocolors";
import { BackupError } from "../supabase/functions/backup/errors.ts";
import {
  type Manifest,
  MANIFEST_NAME,
  readManifest,
} from "../supabase/functions/backup/manifest/manifest.ts";
import { parseBackupName } from "../supabase/functions/backup/rotation/names.ts";
import { type Bucket, BucketError } from "../supabase/functions/backup/storage/bucket.ts";
import { retrying } from "../supabase/functions/backup/storage/retry.ts";
import { supabaseBucket } from "../supabase/functions/backup/storage/supabase.ts";
import { bytes, count, instant } from "./format.ts";
import { findProject, type Project } from "./project.ts";
import { isS3, openS3 } from "./restore/from_s3.ts";
import { runCommand, table, UsageError } from "./terminal.ts";

const USAGE = `Usage: npm run list [-- --from s3://BUCKET/PREFIX] [--json]

Lists the backups stored in the bucket \`backups\`, newest first; with --from the second copies.

Project: SUPABASE_URL and SUPABASE_SECRET_KEY, else the running stack.`;

/** Where backups go unless settings.bucket says otherwise. */
export const BUCKET = "backups";

/** A folder of the bucket: a backup when it has a manifest, otherwise a leftover or a run at work. */
export interface StoredBackup {
  name: string;
  files: number;
  storedBytes: number;
  manifest: Manifest | null;
  /** Why there is a manifest that cannot be read; null where it can, or where there is none. */
  damage: string | null;
}

if (import.meta.main) {
  await runCommand(USAGE, async (args) => {
    const { values } = parseArgs({ args, options: { json: { type: "boolean" }, from: { type: "string" } } });
    if (values.from !== undefined && !isS3(values.from)) throw new UsageError("--from is s3://BUCKET/PREFIX");
    const bucket = values.from === undefined ? openBucket(await findProject()) : openS3(values.from);
    const backups = await listBackups(bucket);
    console.log(values.json ? JSON.stringify(backups, null, 2) : backupsTable(backups));
  });
}

/** The bucket of the backups; asks again where that may help. */
export function openBucket({ url, secretKey }: Project): Bucket {
  return retrying(supabaseBucket({ url, key: secretKey, bucket: BUCKET }));
}

/** Newest first; one with a damaged manifest says so. Throws BackupError when the bucket cannot be read. */
export async function listBackups(bucket: Bucket): Promise<StoredBackup[]> {
  const names = (await bucket.folders()).filter((name) => parseBackupName(name) !== null);
  const backups = await Promise.all(names.map((name) => readBackup(bucket, name)));
  return backups.sort((a, b) => b.name.localeCompare(a.name));
}

async function readBackup(bucket: Bucket, name: string): Promise<StoredBackup> {
  const files = await bucket.list(name);
  const found: StoredBackup = {
    name,
    files: files.length,
    storedBytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
    manifest: null,
    damage: null,
  };
  if (!files.some((file) => file.name === MANIFEST_NAME)) return found;
  try {
    return { ...found, manifest: readManifest(await bucket.get(`${name}/${MANIFEST_NAME}`)) };
  } catch (error) {
    // Rotation takes the manifest away first.
    if (error instanceof BucketError && error.failure === "missing") return found;
    if (!(error instanceof BackupError) || error.code !== "manifest_invalid") throw error;
    return { ...found, damage: error.message };
  }
}

export function backupsTable(backups: StoredBackup[]): string {
  if (backups.length === 0) return "No backup yet. Start one with `npm run backup`.";
  const drawn = table(
    ["backup", "trigger", "created", "server", "tables", "rows", "rows' text", "stored", "files"],
    backups.map(({ name, files, storedBytes, manifest, damage }) => [
      name,
      manifest?.run.trigger ?? (damage === null ? "no manifest: not a backup" : colors.red("damaged")),
      manifest ? instant(manifest.createdAt) : "",
      manifest?.server.version.split(" ")[0] ?? "",
      manifest ? count(manifest.totals.tables) : "",
      manifest ? count(manifest.totals.rows) : "",
      manifest ? bytes(manifest.totals.rawBytes) : "",
      bytes(storedBytes),
      count(files),
    ]),
    ["left", "left", "left", "left", "right", "right", "right", "right", "right"],
  );
  const damages = backups.filter(({ damage }) => damage !== null)
    .map(({ name, damage }) => `${colors.red("damaged:")} ${name}/${damage}`);
  return [drawn, ...encryptedTo(backups), ...damages].join("\n");
}

/** A line for each set of keys: which of them opens which backups. */
function encryptedTo(backups: StoredBackup[]): string[] {
  const encrypted = backups.filter(({ manifest }) => manifest?.encryption !== undefined);
  const keys = Map.groupBy(encrypted, ({ manifest }) => manifest!.encryption!.recipients.join(" and "));
  return [...keys].map(([recipients, of]) =>
    `encrypted to ${recipients}: ${of.map(({ name }) => name).join(", ")}`
  );
}
