/** Compares a backup's parts with what Storage holds. */
import { BackupError } from "../errors.ts";
import { type Bucket, BucketError } from "../storage/bucket.ts";
import { MANIFEST_NAME, type Part } from "./manifest.ts";
import { COMPANIONS } from "./companions.ts";
import { sha256OfPieces } from "../storage/sha256.ts";

export interface VerifyOptions {
  /** Parts that an earlier invocation has read back; their presence and size are still checked. */
  alreadyVerified: ReadonlySet<string>;
  /** Called after each part whose checksum matched; when it throws, the verification ends with its error. */
  onVerified(name: string): Promise<void> | void;
  /**
   * Returns whether so many bytes may still be read; each call verifies at least one part. Without it there is no
   * limit.
   */
  withinBudget?(bytes: number): boolean;
}

/**
 * Lists the folder and compares names and sizes, then reads each part and compares its SHA-256. Returns true when all
 * parts are verified, false when the budget ended before: call it again. Throws BackupError `verification_failed` with
 * the parts that are missing, too many, of another size or damaged, and what the bucket throws.
 */
export async function verifyParts(
  bucket: Bucket,
  folder: string,
  parts: readonly Part[],
  { alreadyVerified, onVerified, withinBudget = () => true }: VerifyOptions,
): Promise<boolean> {
  await compareListing(bucket, folder, parts);
  const left = parts.filter(({ name }) => !alreadyVerified.has(name));
  for (let next = 0; next < left.length;) {
    // Two at a time: one is on its way while the other is hashed.
    const [part, other] = left.slice(next, next + 2) as [Part, Part?];
    if (next > 0 && !withinBudget(part.bytes)) return false;
    const both = other !== undefined && withinBudget(part.bytes + other.bytes) ? [part, other] : [part];
    const outcomes = await Promise.allSettled(both.map((one) => comparePart(bucket, folder, one)));
    for (const [index, outcome] of outcomes.entries()) {
      if (outcome.status === "rejected") throw outcome.reason;
      await onVerified(both[index]!.name);
    }
    next += both.length;
  }
  return true;
}

async function compareListing(bucket: Bucket, folder: string, parts: readonly Part[]): Promise<void> {
  const stored = new Map((await bucket.list(folder)).map(({ name, bytes }) => [name, bytes]));
  for (const beside of [MANIFEST_NAME, ...COMPANIONS]) stored.delete(beside);
  const wrong: string[] = [];
  for (const { name, bytes } of parts) {
    const found = stored.get(name);
    if (found === undefined) wrong.push(`${name} is missing`);
    else if (found !== bytes) wrong.push(`${name} has ${found} bytes instead of ${bytes}`);
    stored.delete(name);
  }
  for (const name of stored.keys()) wrong.push(`${name} is not part of the backup`);
  if (wrong.length > 0) throw failed(folder, wrong);
}

async function comparePart(bucket: Bucket, folder: string, { name, bytes, sha256 }: Part): Promise<void> {
  try {
    const found = await bucket.read(`${folder}/${name}`, sha256OfPieces);
    if (found.bytes !== bytes) {
      throw failed(folder, [`${name} came with ${found.bytes} bytes instead of ${bytes}`]);
    }
    if (found.sha256 !== sha256) {
      throw failed(folder, [`${name} has the SHA-256 ${found.sha256} instead of ${sha256}`]);
    }
  } catch (error) {
    if (error instanceof BucketError && error.failure === "missing") {
      throw failed(folder, [`${name} was removed`]);
    }
    throw error;
  }
}

/** How many faults a message names: a log line is short. */
const NAMED = 5;

function failed(folder: string, wrong: string[]): BackupError {
  const more = wrong.length > NAMED ? `; and ${wrong.length - NAMED} more` : "";
  return new BackupError(
    "verification_failed",
    `Cannot verify ${folder}: its content in Storage differs from what was written: ${
      wrong.slice(0, NAMED).join("; ")
    }${more}`,
    "Another program writes to the bucket, or Storage lost bytes. Start another backup, and check Storage's log.",
  );
}
