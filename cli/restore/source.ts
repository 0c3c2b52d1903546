/** Where a backup comes from: a project, second copies, a downloaded folder, or a single file. What is restored is checked first, whichever it is. */
import {
  type Manifest,
  MANIFEST_NAME,
  readManifest,
} from "../../supabase/functions/backup/manifest/manifest.ts";
import { parseBackupName } from "../../supabase/functions/backup/rotation/names.ts";
import type { Bucket } from "../../supabase/functions/backup/storage/bucket.ts";
import { decryptArchive, refuseEncrypted } from "../decrypt/archive.ts";
import { decryptionOf } from "../decrypt/decryption.ts";
import { downloadBackup } from "../download.ts";
import { listBackups, openBucket, type StoredBackup } from "../list.ts";
import { findProject, type Project } from "../project.ts";
import { CommandError } from "../terminal.ts";
import { type ArchiveFile, openArchive } from "./archive_file.ts";
import { checkedFile } from "./file_check.ts";
import { folderBucket } from "./folder_bucket.ts";
import { isS3, openS3 } from "./from_s3.ts";

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
  /** URL of the project that made it, where that is known. */
  projectUrl: string | null;
  /** Removes what was written for it. */
  discard(): Promise<void>;
}

/** `from`: a project's URL, `s3://bucket/prefix`, a folder or a file; without it the project of the environment, or the running stack. */
export async function findOrigin(from: string | undefined): Promise<Origin> {
  if (from === undefined) return projectOrigin(await findProject());
  if (/^https?:\/\//.test(from)) {
    const secretKey = Deno.env.get("SUPABASE_SECRET_KEY") ?? Deno.env.get("SUPABASE_SERVICE_ROLE_KEY");
    if (!secretKey) throw new CommandError(`There is no key for ${from}`, "Set SUPABASE_SECRET_KEY.");
    return projectOrigin({ url: from.replace(/\/+$/, ""), secretKey });
  }
  if (isS3(from)) return { kind: "s3", bucket: openS3(from) };
  const found = await Deno.stat(from).catch(() => null);
  if (found === null) {
    throw new CommandError(
      `There is no ${from}`,
      "--from is a project's URL, s3://bucket/prefix, a folder or a file.",
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

function projectOrigin(project: Project): Origin {
  return { kind: "project", project, bucket: openBucket(project) };
}

/** What a project, or the bucket of second copies, has stored under the names of backups, newest first. */
export async function backupsOf(origin: Origin): Promise<StoredBackup[]> {
  if (origin.kind !== "project" && origin.kind !== "s3") return [];
  return (await listBackups(origin.bucket)).filter(({ manifest, damage }) =>
    manifest !== null || damage !== null
  );
}

/** A clock of this machine that is a little behind is no reason to refuse. */
const CLOCKS_DIFFER_MS = 3600 * 1000;

/**
 * The one that is meant by a name or `latest`. Throws CommandError when there is none, when it is damaged, and when the newest by its name is of the
 * future, so that others may be newer: nobody who asks for the newest should get an older one without knowing.
 */
export async function chooseBackup(origin: Origin, wanted: string): Promise<string> {
  if (origin.kind === "folder") {
    if (wanted === "latest" || wanted === origin.name) return origin.name;
    throw new CommandError(
      `${origin.dir} holds ${origin.name}, not ${wanted}`,
      "Name its own folder with --from.",
    );
  }
  const backups = await backupsOf(origin);
  const found = wanted === "latest" ? backups[0] : backups.find(({ name }) => name === wanted);
  const good = backups.filter(({ damage }) => damage === null).map(({ name }) => name).join(", ");
  const others = good === "" ? "Start one with `npm run backup`." : `There are ${good}.`;
  if (found === undefined) {
    throw new CommandError(
      wanted === "latest" ? "There is no backup yet" : `There is no backup "${wanted}"`,
      others,
    );
  }
  if (
    wanted === "latest" && parseBackupName(found.name)!.startedAt.getTime() > Date.now() + CLOCKS_DIFFER_MS
  ) {
    throw new CommandError(
      `The newest backup by name, ${found.name}, is dated in the future: the clock was wrong when it was made, and others may be newer`,
      `Name the one you mean: --backup NAME. ${others}`,
    );
  }
  if (found.damage === null) return found.name;
  throw new CommandError(
    `${wanted === "latest" ? "The newest backup" : "This backup"} is damaged: ${found.name}/${found.damage}`,
    `Name another one: --backup NAME. ${others}`,
  );
}

/**
 * Fetches (or joins), checks and decrypts it in `workDir`; what an interrupted download left there is used. `identityFile` opens an
 * encrypted backup. Throws CommandError where it does not, before anything is fetched.
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
      archive: await checkedFile(origin.path, onProgress),
      projectUrl: null,
      discard: async () => {},
    };
  }
  await Deno.mkdir(workDir, { recursive: true, mode: 0o700 });
  const decrypt = await decryptionOf(
    readManifest(await origin.bucket.get(`${name}/${MANIFEST_NAME}`)),
    identityFile,
  );
  const path = `${workDir}/${name}.dump`;
  const fetched = decrypt === null ? path : `${path}.age`;
  // A whole one from before is checked again, part by part.
  await Deno.rename(fetched, `${fetched}.partial`).catch(() => {});
  const manifest = await downloadBackup(origin.bucket, name, fetched, { onProgress });
  if (decrypt !== null) await decryptArchive(manifest, decrypt, fetched, path);
  const archive = await openArchive(path);
  if (archive.entries.length !== manifest.archive.entries) {
    throw new CommandError(
      `The archive has ${archive.entries.length} entries, and its manifest says ${manifest.archive.entries}`,
      "The manifest was changed after it was written: take another backup.",
    );
  }
  return {
    manifest,
    archive,
    projectUrl: origin.kind === "project" ? origin.project.url : null,
    discard: () => Deno.remove(path).catch(() => {}),
  };
}

/** Where archives are kept between a download and the end of its restore. */
export function defaultWorkDir(): string {
  const cache = Deno.env.get("XDG_CACHE_HOME") ??
    (Deno.env.get("HOME") ? `${Deno.env.get("HOME")}/.cache` : "/tmp");
  return `${cache}/supabase-backup`;
}
