/**
 * Where a backup comes from: a project, second copies, a downloaded folder, or a single file. What is
 * restored is checked first, whichever it is.
 */
import {
  type Manifest,
  MANIFEST_NAME,
  readManifest,
} from "../../supabase/functions/backup/manifest/manifest.ts";
import { parseBackupName } from "../../supabase/functions/backup/rotation/names.ts";
import type { Bucket } from "../../supabase/functions/backup/storage/bucket.ts";
import { decryptArchive, refuseEncrypted } from "./decrypt_archive.ts";
import { decryptionOf } from "./decryption.ts";
import { downloadBackup } from "./download.ts";
import { listBackups, openBucket, type StoredBackup } from "../project/stored_backups.ts";
import { findBucket } from "../project/find_bucket.ts";
import { findProject, type Project } from "../project/find_project.ts";
import { commandLine } from "../terminal/called_as.ts";
import { bytes } from "../terminal/format.ts";
import { onInterrupt } from "../terminal/interrupt.ts";
import { note } from "../terminal/output.ts";
import { CommandError } from "../terminal/errors.ts";
import { type ArchiveFile, openArchive } from "./archive_file.ts";
import type { Check } from "../../supabase/functions/backup/compare/check.ts";
import { checkedFile } from "./check_file.ts";
import { folderBucket } from "./folder_bucket.ts";
import { isS3, openS3 } from "./from_s3.ts";
import { compareWithLog, LOG_NOT_NAMED, type Logged, loggedManifest } from "./logged_manifest.ts";

/** A place that has one backup or several. */
export type Origin =
  | { kind: "project"; project: Project; bucket: Bucket }
  | { kind: "s3"; bucket: Bucket }
  | { kind: "folder"; bucket: Bucket; dir: string; name: string }
  | { kind: "file"; path: string };

export interface Source {
  /** Null for a single file, which has no manifest: whether it is complete shows only while it is read. */
  manifest: Manifest | null;
  archive: ArchiveFile;
  /** Whether the manifest is the one of the log; null for a single file. */
  logged: Check | null;
  /** URL of the project that made it, where that is known. */
  projectUrl: string | null;
  /** Removes what was written for it. */
  discard(): Promise<void>;
}

/**
 * Returns what `from` names: a project's URL, `s3://bucket/prefix`, a folder or a file; else the project of
 * the environment, or the stack.
 */
export async function findOrigin(from: string | undefined): Promise<Origin> {
  if (from === undefined) return await projectOrigin(await findProject());
  if (/^https?:\/\//.test(from)) {
    const secretKey = Deno.env.get("SUPABASE_SECRET_KEY") ?? Deno.env.get("SUPABASE_SERVICE_ROLE_KEY");
    if (!secretKey) {
      throw new CommandError(`Cannot open ${from}: no secret key is set`, "Set SUPABASE_SECRET_KEY.");
    }
    return await projectOrigin({ url: from.replace(/\/+$/, ""), secretKey });
  }
  if (isS3(from)) return { kind: "s3", bucket: openS3(from) };
  const found = await Deno.stat(from).catch(() => null);
  if (found === null) {
    throw new CommandError(
      `Cannot open "${from}": no such file or folder`,
      "--from takes a project's URL, s3://bucket/prefix, a folder or a file.",
    );
  }
  if (found.isFile) return { kind: "file", path: from };
  const bucket = folderBucket(from);
  return {
    kind: "folder",
    bucket,
    dir: from,
    name: readManifest(await bucket.get(`x/${MANIFEST_NAME}`)).name,
  };
}

async function projectOrigin(project: Project): Promise<Origin> {
  return { kind: "project", project, bucket: openBucket(project, await findBucket(project)) };
}

/** Returns the backups of a project, or of the bucket of second copies, newest first. */
export async function backupsOf(origin: Origin): Promise<StoredBackup[]> {
  if (origin.kind !== "project" && origin.kind !== "s3") return [];
  return (await listBackups(origin.bucket)).filter(({ manifest, damage }) =>
    manifest !== null || damage !== null
  );
}

/** Clocks may differ by this much without a refusal. */
const CLOCKS_DIFFER_MS = 3600 * 1000;

/**
 * Returns the backup that a name, `latest` or `oldest` stands for. Throws CommandError where there is none, where it is
 * damaged, and where the newest name is in the future: another one may be newer, and nobody should restore an
 * older backup without knowing.
 */
export async function chooseBackup(origin: Origin, wanted: string): Promise<string> {
  if (origin.kind === "folder") {
    if (wanted === "latest" || wanted === "oldest" || wanted === origin.name) return origin.name;
    throw new CommandError(
      `"${origin.dir}" contains backup ${origin.name}, not ${wanted}`,
      "Name the folder of that backup: --from FOLDER.",
    );
  }
  const backups = await backupsOf(origin);
  const found = wanted === "latest"
    ? backups[0]
    : wanted === "oldest"
    ? backups.findLast(({ damage }) => damage === null)
    : backups.find(({ name }) => name === wanted);
  const good = backups.filter(({ damage }) => damage === null).map(({ name }) => name).join(", ");
  const others = good === "" ? `Start one with \`${commandLine("backup")}\`.` : `There are ${good}.`;
  if (found === undefined) {
    throw new CommandError(
      wanted === "latest" || wanted === "oldest"
        ? "There is no backup yet"
        : `There is no backup "${wanted}"`,
      others,
    );
  }
  if (
    wanted === "latest" && parseBackupName(found.name)!.startedAt.getTime() > Date.now() + CLOCKS_DIFFER_MS
  ) {
    throw new CommandError(
      `The newest backup by name, ${found.name}, is dated in the future, so another one may be newer`,
      `The clock was wrong when it was made. Name the backup you mean: --backup NAME. ${others}`,
    );
  }
  if (found.damage === null) return found.name;
  throw new CommandError(
    `${wanted === "latest" ? "The newest backup" : "This backup"} is damaged: ${found.name}/${found.damage}`,
    `Name another backup: --backup NAME. ${others}`,
  );
}

/**
 * Throws CommandError where `identityFile` does not open the backup. One whose manifest cannot be read is for
 * fetchSource() to refuse.
 */
export async function checkIdentity(
  origin: Origin,
  name: string,
  identityFile: string | undefined,
): Promise<void> {
  if (origin.kind === "file") return;
  const stored = await origin.bucket.get(`${name}/${MANIFEST_NAME}`);
  let manifest: Manifest;
  try {
    manifest = readManifest(stored);
  } catch {
    return;
  }
  await decryptionOf(manifest, identityFile);
}

/**
 * Fetches (or joins), checks and decrypts it in `workDir`; what an interrupted download left there is used.
 * `identityFile` opens an encrypted backup. Throws CommandError where it does not, before anything is
 * fetched.
 */
export async function fetchSource(
  origin: Origin,
  name: string,
  workDir: string,
  onProgress: (done: number, expected: number) => void,
  identityFile?: string | undefined,
): Promise<Source> {
  if (origin.kind === "file") {
    await refuseEncrypted(origin.path);
    return {
      manifest: null,
      logged: null,
      archive: await checkedFile(origin.path, onProgress),
      projectUrl: null,
      discard: async () => {},
    };
  }
  await Deno.mkdir(workDir, { recursive: true, mode: 0o700 });
  const stored = await origin.bucket.get(`${name}/${MANIFEST_NAME}`);
  const manifest = readManifest(stored);
  const logged = await compareWithLog(stored, manifest, await logOf(origin, manifest));
  const decrypt = await decryptionOf(manifest, identityFile);
  const path = `${workDir}/${name}.dump`;
  const fetched = decrypt === null ? path : `${path}.age`;
  // A whole one from before is checked again, part by part.
  await Deno.rename(fetched, `${fetched}.partial`).catch(() => {});
  const remove = async () => {
    const clear = decrypt === null ? [path] : [path, `${path}.partial`];
    for (const file of clear) await Deno.remove(file).catch(() => {});
  };
  let archive: ArchiveFile;
  {
    using _interrupt = onInterrupt(async () => {
      await remove();
      return `Nothing was changed. What was downloaded stays in "${workDir}", and is used by the next restore or drill.`;
    });
    try {
      await downloadBackup(origin.bucket, name, fetched, { onProgress, manifest });
      if (decrypt !== null) await decryptArchive(manifest, decrypt, fetched, path);
      archive = await openArchive(path);
      if (archive.entries.length !== manifest.archive.entries) {
        throw new CommandError(
          `The archive has ${archive.entries.length} entries, and its manifest says ${manifest.archive.entries}`,
          "The manifest was changed after it was written: take another backup.",
        );
      }
    } catch (error) {
      await remove();
      if (await Deno.stat(`${fetched}.partial`).then(() => true, () => false)) {
        note(`what was downloaded stays in "${workDir}", and is used by the next restore or drill`);
      }
      if (!isDiskFull(error)) throw error;
      const needed = bytes(manifest.totals.storedBytes * (decrypt === null ? 1 : 2));
      throw new CommandError(
        `Cannot write "${path}": no space is left on the disk`,
        `The backup needs ${needed} there. Free some space, or name another folder: --work-dir FOLDER.`,
        error,
      );
    }
  }
  return {
    manifest,
    logged,
    archive,
    projectUrl: origin.kind === "project" ? origin.project.url : null,
    discard: () => Deno.remove(path).catch(() => {}),
  };
}

function isDiskFull(error: unknown): boolean {
  return (error as { code?: unknown } | null)?.code === "ENOSPC" || /os error 28\b/.test(String(error));
}

/** Returns what the log says of a manifest, where there is a project whose log can be read. */
export async function logOf(origin: Origin, { name, run }: Manifest): Promise<Logged> {
  if (origin.kind === "project") return await loggedManifest(origin.project, name, run.id);
  return LOG_NOT_NAMED;
}

/** Returns where archives are kept between a download and the end of its restore. */
export function defaultWorkDir(): string {
  const cache = Deno.env.get("XDG_CACHE_HOME") ??
    (Deno.env.get("HOME") ? `${Deno.env.get("HOME")}/.cache` : "/tmp");
  return `${cache}/supabase-backup`;
}
