/**
 * Copies Storage's files to the second bucket: those that are new or have changed, below `files/`, by bucket and name.
 */
import { sha256Hex } from "../storage/sha256.ts";
import { BucketError, type FileBucket } from "../storage/bucket.ts";
import type { S3Bucket } from "../storage/s3/s3_bucket.ts";
import { readWhole } from "../storage/read_whole.ts";
import type { CopiedFile, CopyClient, DueFile } from "./copy_client.ts";

/** Below the prefix, beside the backups' folders. */
const FOLDER = "files";

const TYPE = /^[\w.+-]+\/[\w.+-]+(; ?[\w.+-]+=[\w.+-]+)*$/;

/** A URL swallows steps between slashes, and S3's names have at most 1,024 bytes, of which the prefix may take some. */
const UNUSABLE = /(^|\/)\.{1,2}(\/|$)|^.{800,}$/s;

/** Returns the file's name in the second bucket. */
export function fileKey({ bucket, name }: Pick<DueFile, "bucket" | "name">): string {
  return `${FOLDER}/${bucket}/${name}`;
}

/**
 * Returns true when all files are copied and those that were deleted long ago are removed; false when the budget ended,
 * or a run has begun.
 */
export async function copyFiles(
  openBucket: (name: string) => FileBucket,
  second: S3Bucket,
  client: CopyClient,
  withinBudget: (bytes: number) => boolean,
): Promise<boolean> {
  const buckets = new Map<string, FileBucket>();
  const bucketOf = (name: string) => {
    const bucket = buckets.get(name) ?? openBucket(name);
    buckets.set(name, bucket);
    return bucket;
  };
  while (true) {
    const due = await client.nextFiles();
    if (due === null) return false;
    if (due.length === 0) break;
    const done: CopiedFile[] = [];
    try {
      for (const file of due) {
        if (!withinBudget(file.bytes)) return false;
        const { type, ...known } = file;
        const read = await readFile(bucketOf(file.bucket), file);
        if (!(read instanceof Uint8Array)) {
          done.push({ ...known, sha256: null, error: read.message });
          // Storage may be down for all files; but one that always fails must not hold up the others for ever.
          if (read instanceof BucketError && read.failure === "temporary") throw read;
          continue;
        }
        const sha256 = await sha256Hex(read);
        const contentType = type !== null && TYPE.test(type) ? type : "application/octet-stream";
        await second.putFile(fileKey(file), read, contentType, sha256);
        done.push({ ...known, sha256, error: null });
      }
    } finally {
      // Files that have arrived are recorded, whatever ends the work.
      if (done.length > 0) await client.filesCopied(done);
    }
  }
  while (true) {
    const gone = await client.goneFiles();
    if (gone.length === 0) return true;
    for (const { bucket, name } of gone) {
      if (!withinBudget(0)) return false;
      await second.removeFile(fileKey({ bucket, name }));
    }
    await client.filesRemoved(gone);
  }
}

/**
 * Returns a file's bytes; an error when Storage does not return it, when its size is wrong, and for a name that cannot
 * be copied.
 */
async function readFile(source: FileBucket, { name, bytes }: DueFile): Promise<Uint8Array | Error> {
  if (UNUSABLE.test(name)) return new Error("the second bucket cannot have an object of this name");
  try {
    const read = await readWhole((consume) => source.readFile(name, consume), bytes);
    return read ?? new Error("it has another size than Storage says");
  } catch (error) {
    if (error instanceof BucketError) return error;
    throw error;
  }
}
