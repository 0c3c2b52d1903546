/**
 * Copies a backup to the second bucket: its parts, the files beside them, and the manifest last, so that a copy with a
 * manifest is whole.
 */
import { BackupError } from "../errors.ts";
import { type Manifest, MANIFEST_NAME, readManifest } from "../manifest/manifest.ts";
import { sha256Hex } from "../storage/sha256.ts";
import type { StoredPart } from "../run/run_client.ts";
import type { Bucket } from "../storage/bucket.ts";
import type { S3Bucket } from "../storage/s3/s3_bucket.ts";
import { readWhole } from "../storage/read_whole.ts";
import type { CopyTask } from "./copy_client.ts";

/** An object to be copied. Files beside the parts are in no manifest: their checksum is that of what was read. */
interface Wanted {
  name: string;
  bytes: number;
  sha256: string | null;
}

export interface CopyOptions {
  /** Asked before each object; false ends the copying for now. */
  withinBudget(bytes: number): boolean;
  /** Called for each object that has arrived and was looked up there. */
  onCopied(object: StoredPart): Promise<void>;
}

/**
 * Copies what has not arrived yet; returns true when everything has. Throws BackupError `verification_failed` for a
 * backup that is damaged here.
 */
export async function copyObjects(
  source: Bucket,
  second: S3Bucket,
  { name: folder, checksum, copied }: CopyTask,
  { withinBudget, onCopied }: CopyOptions,
): Promise<boolean> {
  const arrived = new Set(copied.map(({ name }) => name));
  const there = new Map((await second.list(folder)).map(({ name, bytes }) => [name, bytes]));
  for (const wanted of await objectsOf(source, folder, checksum)) {
    if (arrived.has(wanted.name)) continue;
    if (!withinBudget(wanted.bytes)) return false;
    await onCopied(await copyObject(source, second, folder, wanted, there.get(wanted.name) === wanted.bytes));
  }
  return true;
}

/** In the order of copying. */
async function objectsOf(source: Bucket, folder: string, checksum: string): Promise<Wanted[]> {
  const bytes = await source.get(`${folder}/${MANIFEST_NAME}`);
  if (await sha256Hex(bytes) !== checksum) {
    throw damaged(folder, `${MANIFEST_NAME} does not have the checksum that is in the log`);
  }
  const { parts, inventory }: Manifest = readManifest(bytes);
  const described: Wanted[] = inventory === undefined ? parts : [...parts, inventory];
  const known = new Set([MANIFEST_NAME, ...described.map(({ name }) => name)]);
  const beside = (await source.list(folder)).filter(({ name }) => !known.has(name));
  return [
    ...described.map(({ name, bytes, sha256 }) => ({ name, bytes, sha256 })),
    ...beside.map(({ name, bytes }) => ({ name, bytes, sha256: null })),
    { name: MANIFEST_NAME, bytes: bytes.length, sha256: checksum },
  ];
}

async function copyObject(
  source: Bucket,
  second: S3Bucket,
  folder: string,
  wanted: Wanted,
  likelyThere: boolean,
): Promise<StoredPart> {
  const name = `${folder}/${wanted.name}`;
  // It may have arrived and not been recorded, or the database was restored to a time before it was.
  if (likelyThere && wanted.sha256 !== null && (await second.head(name))?.sha256 === wanted.sha256) {
    return { ...wanted, sha256: wanted.sha256 };
  }
  const bytes = await readWhole((consume) => source.read(name, consume), wanted.bytes);
  if (bytes === null) throw damaged(folder, `${wanted.name} does not have ${wanted.bytes} bytes`);
  const sha256 = await sha256Hex(bytes);
  if (wanted.sha256 !== null && sha256 !== wanted.sha256) {
    throw damaged(folder, `${wanted.name} has the SHA-256 ${sha256} instead of ${wanted.sha256}`);
  }
  await second.put(name, bytes, typeOf(wanted.name), sha256);
  const found = await second.head(name);
  if (found?.bytes !== bytes.length || found.sha256 !== sha256) {
    throw new BackupError(
      "verification_failed",
      `Cannot verify "${name}" in the second bucket: its size or checksum differs from what was stored`,
      "Another program writes there, or the service lost bytes. It is stored again.",
    );
  }
  return { name: wanted.name, bytes: bytes.length, sha256 };
}

function typeOf(name: string): string {
  if (name.endsWith(".json")) return "application/json";
  if (name.endsWith(".md")) return "text/markdown";
  return name.endsWith(".list") ? "text/plain" : "application/octet-stream";
}

function damaged(what: string, how: string): BackupError {
  return new BackupError(
    "verification_failed",
    `Cannot copy ${what}: it is damaged in the project's bucket: ${how}`,
    "supabase-backup verify says what is wrong with it. Start another backup, and look at Storage's log.",
  );
}
