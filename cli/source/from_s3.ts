/** Opens second copies: `s3://bucket/prefix`, with the key in the environment. */
import { BackupError } from "../../supabase/functions/backup/errors.ts";
import { retrying } from "../../supabase/functions/backup/storage/retry.ts";
import { type S3Bucket, s3Bucket } from "../../supabase/functions/backup/storage/s3/s3_bucket.ts";
import { s3Location } from "../../supabase/functions/backup/storage/s3/location.ts";
import { CommandError } from "../terminal/errors.ts";

/** Returns whether this is an address of second copies. */
export function isS3(from: string): boolean {
  return /^s3:\/\//i.test(from);
}

/**
 * Opens `s3://bucket/prefix`. The rest is in the variables that the function has as secrets:
 * BACKUP_S3_ENDPOINT, BACKUP_S3_REGION, BACKUP_S3_ACCESS_KEY_ID, BACKUP_S3_SECRET_ACCESS_KEY. Throws
 * CommandError for an address or variables that cannot be used.
 */
export function openS3(from: string): S3Bucket {
  const [, bucket = "", prefix = ""] = /^s3:\/\/([^/]*)\/?(.*)$/i.exec(from) ?? [];
  const named: Record<string, string> = { BACKUP_S3_BUCKET: bucket, BACKUP_S3_PREFIX: prefix };
  try {
    const location = s3Location((name) => named[name] ?? Deno.env.get(name));
    return retrying(s3Bucket(location!));
  } catch (error) {
    if (!(error instanceof BackupError)) throw error;
    throw new CommandError(
      `Cannot open ${from}: ${error.message.replace(/^[^:]*: /, "")}`,
      "Write s3://bucket/prefix, and set the BACKUP_S3_* variables in the environment as docs/second-copy.md says.",
    );
  }
}
