/** Storage's files back into a project, from the second copy: those that the inventory of a backup lists. */
import { gunzipSync } from "node:zlib";
import { parseArgs } from "node:util";
import { createClient } from "@supabase/supabase-js";
import colors from "picocolors";
import { fileKey } from "../supabase/functions/backup/copy/copy_files.ts";
import {
  type Manifest,
  MANIFEST_NAME,
  readManifest,
} from "../supabase/functions/backup/manifest/manifest.ts";
import { sha256Hex } from "../supabase/functions/backup/storage/sha256.ts";
import { BucketError, joined } from "../supabase/functions/backup/storage/bucket.ts";
import type { S3Bucket } from "../supabase/functions/backup/storage/s3.ts";
import { decryptionOf, identityFile } from "./decrypt/decryption.ts";
import { bytes, count } from "./format.ts";
import { findProject, type Project } from "./project.ts";
import { isS3, openS3 } from "./restore/from_s3.ts";
import { chooseBackup } from "./restore/source.ts";
import { CommandError, progress, runCommand, UsageError } from "./terminal.ts";

const USAGE =
  `Usage: npm run files -- --from s3://BUCKET/PREFIX [--backup NAME|latest] [--bucket NAME] [--dry-run]

Puts Storage's files back into a project, from the second copy: those that the inventory of a backup lists, as they were copied last. Files that are
there already are overwritten; buckets must be there (a restore of the database brings them).

  --from s3://BUCKET/PREFIX   the second copies, with the BACKUP_S3_… variables in the environment (docs/second-copy.md)
  --backup NAME|latest        whose inventory; the newest without it
  --bucket NAME               files of this bucket only
  --identity FILE             the key of an encrypted backup
  --dry-run                   say what there is, and do nothing

Project: SUPABASE_URL and SUPABASE_SECRET_KEY, else the running stack.`;

/** A line of the inventory, as far as a restore needs it. */
interface Listed {
  bucket: string;
  name: string;
  size: number | null;
  type: string | null;
}

if (import.meta.main) {
  await runCommand(USAGE, async (args) => {
    const { values } = parseArgs({
      args,
      options: {
        ...{ from: { type: "string" }, backup: { type: "string" }, bucket: { type: "string" } },
        ...{ identity: { type: "string" }, "dry-run": { type: "boolean" } },
      },
    });
    if (values.from === undefined || !isS3(values.from)) throw new UsageError("--from is s3://BUCKET/PREFIX");
    const second = openS3(values.from);
    const name = await chooseBackup({ kind: "s3", bucket: second }, values.backup ?? "latest");
    const all = await readInventory(second, name, identityFile(values.identity));
    const wanted = all.filter(({ bucket }) => values.bucket === undefined || bucket === values.bucket);
    const total = wanted.reduce((sum, { size }) => sum + (size ?? 0), 0);
    console.log(`${name} lists ${count(wanted.length)} files, ${bytes(total)}`);
    if (values["dry-run"]) return;
    await putBack(second, await findProject(), wanted);
  });
}

/** Throws CommandError for a backup without an inventory, or with a damaged one. */
async function readInventory(
  second: S3Bucket,
  name: string,
  identity: string | undefined,
): Promise<Listed[]> {
  const manifest: Manifest = readManifest(await second.get(`${name}/${MANIFEST_NAME}`));
  const { inventory } = manifest;
  if (inventory === undefined) {
    throw new CommandError(`${name} has no inventory of files`, "Name a later backup: --backup NAME.");
  }
  const stored = await second.get(`${name}/${inventory.name}`);
  if (await sha256Hex(stored) !== inventory.sha256) {
    throw new CommandError(
      `${name}/${inventory.name} is not what the manifest says`,
      "It is damaged: name another backup.",
    );
  }
  const decrypt = await decryptionOf(manifest, identity);
  const plain = decrypt === null ? stored : await decrypt(inventory.name, stored);
  const lines = new TextDecoder().decode(gunzipSync(plain) as unknown as Uint8Array).split("\n");
  if (!inventory.complete) {
    console.error(
      `${colors.yellow("note:")} the inventory lists the first ${count(inventory.objects)} files only`,
    );
  }
  return lines.filter((line) => line !== "").map((line) => JSON.parse(line) as Listed);
}

async function putBack(second: S3Bucket, { url, secretKey }: Project, wanted: Listed[]): Promise<void> {
  const { storage } = createClient(url, secretKey, {
    auth: { persistSession: false, autoRefreshToken: false },
  });
  const failed: string[] = [];
  const bar = progress("files");
  for (const [index, { bucket, name, size, type }] of wanted.entries()) {
    bar.update(index, wanted.length, name);
    const file = await fromSecond(second, { bucket, name });
    if (file === null) {
      failed.push(`${bucket}/${name} is not in the second copy`);
      continue;
    }
    if (size !== null && size !== file.length) {
      console.error(`${colors.yellow("note:")} ${bucket}/${name} has changed since the backup`);
    }
    const path = name.split("/").map(encodeURIComponent).join("/");
    const options = { upsert: true, contentType: type ?? "application/octet-stream" };
    const { error } = await storage.from(bucket).upload(path, file, options);
    if (error) failed.push(`${bucket}/${name}: ${error.message}`);
  }
  bar.stop();
  for (const what of failed) console.error(`${colors.red("not restored:")} ${what}`);
  console.log(`${colors.green("✔")} ${count(wanted.length - failed.length)} files are in ${url}`);
  if (failed.length > 0) {
    throw new CommandError(`${failed.length} files were not restored`, "Each is named above.");
  }
}

/** Null for one that was never copied: too large, or not in Storage when it should have been. */
async function fromSecond(
  second: S3Bucket,
  file: { bucket: string; name: string },
): Promise<Uint8Array | null> {
  try {
    return await second.readFile(fileKey(file), joined);
  } catch (error) {
    if (error instanceof BucketError && error.failure === "missing") return null;
    throw error;
  }
}
