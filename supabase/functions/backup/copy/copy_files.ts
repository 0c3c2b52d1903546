/** Storage's files into the second bucket: those that are new or have changed, below `files/`, by bucket and name. */
import { sha256Hex } from "../storage/sha256.ts";
import { type Bucket, BucketError } from "../storage/bucket.ts";
import type { S3Bucket } from "../storage/s3.ts";
import { readWhole } from "./read_whole.ts";
import type { CopiedFile, CopyVerbs, DueFile } from "./verbs.ts";

/** Below the prefix, beside the backups' folders. */
const FOLDER = "files";

const TYPE = /^[\w.+-]+\/[\w.+-]+(; ?[\w.+-]+=[\w.+-]+)*$/;

/** A URL swallows steps between slashes, and S3's names have at most 1,024 bytes, of which the prefix may take some. */
const UNUSABLE = /(^|\/)\.{1,2}(\/|$)|^.{800,}$/s;

/** Its name in the second bucket. */
export function fileKey({ bucket, name }: Pick<DueFile, "bucket" | "name">): string {
  return `${FOLDER}/${bucket}/${name}`;
}

/** True when all is copied and what has been gone for long is removed; false when the budget ended, or a run has begun. */
export async function copyFiles(
  openBucket: (name: string) => Bucket,
  second: S3Bucket,
  verbs: CopyVerbs,
  withinBudget: (bytes: number) => boolean,
): Promise<boolean> {
  const buckets = new Map<string, Bucket>();
  const bucketOf = (name: string) => {
    const bucket = buckets.get(name) ?? openBucket(name);
    buckets.set(name, bucket);
    return bucket;
  };
  while (true) {
    const due = await verbs.nextFiles();
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
          // Storage may be down for all of them; but one that it always fails for must not stand in the way of the others for ever.
          if (read instanceof BucketError && read.failure === "temporary") throw read;
          continue;
        }
        const sha256 = await sha256Hex(read);
        const contentType = type !== null && TYPE.test(type) ? type : "application/octet-stream";
        await second.putFile(fileKey(file), read, contentType, sha256);
        done.push({ ...known, sha256, error: null });
      }
    } finally {
      // What has arrived stays known, whatever ends the work.
      if (done.length > 0) await verbs.filesCopied(done);
    }
  }
  while (true) {
    const gone = await verbs.goneFiles();
    if (gone.length === 0) return true;
    for (const { bucket, name } of gone) {
      if (!withinBudget(0)) return false;
      await second.removeFile(fileKey({ bucket, name }));
    }
    await verbs.filesRemoved(gone);
  }
}

/** Its bytes; an error for one that Storage does not hand out, or not of the size that it says, and for a name that cannot be copied. */
async function readFile(source: Bucket, { name, bytes }: DueFile): Promise<Uint8Array | Error> {
  if (UNUSABLE.test(name)) return new Error("the second bucket cannot have an object of this name");
  try {
    const read = await readWhole((consume) => source.readFile!(name, consume), bytes);
    return read ?? new Error("it has another size than Storage says");
  } catch (error) {
    if (error instanceof BucketError) return error;
    throw error;
  }
}
