/**
 * What this project needs of object storage. Everything outside this folder knows a bucket only by these interfaces;
 * `supabase/` and `s3/` implement them, `retry.ts` wraps them.
 */
import { BackupError } from "../errors.ts";

/**
 * A folder of objects by name. Names are `folder/name`; all methods throw BucketError, and a method that threw may be
 * called again: none leaves half of its work visible.
 */
export interface Bucket {
  /**
   * Stores an object, overwriting one of that name. Idempotent. The length is declared, so the bucket's limit holds (a
   * stream would pass it); `bytes` must not change until the promise settles, and is not copied. With `sha256`, in
   * hexadecimal, it need not be computed for a storage that wants it.
   */
  put(name: string, bytes: Uint8Array, contentType: string, sha256?: string): Promise<void>;

  /** Returns a whole object. Fails with `missing` when there is none; for large objects see `read`. */
  get(name: string): Promise<Uint8Array>;

  /**
   * Hands an object to `consume` as it arrives and returns what `consume` returns. Fails with `missing` when there is
   * none. `consume` may be called again, with the object from its first byte on, when the connection breaks: it must
   * start over each time. Its own errors come through unchanged and are not retried.
   */
  read<T>(name: string, consume: (pieces: AsyncIterable<Uint8Array>) => Promise<T>): Promise<T>;

  /**
   * Returns all objects right in a folder, by name; none when the folder does not exist. Complete, however many there
   * are. Fails when the bucket itself cannot be read, for which Storage returns an empty list.
   */
  list(folder: string): Promise<StoredObject[]>;

  /** Returns the names of all folders at the top of the bucket. Complete, and fails, as `list`. */
  folders(): Promise<string[]>;

  /** Removes objects. Idempotent: missing ones are fine. Fails when one of them still exists afterwards. */
  remove(names: string[]): Promise<void>;
}

/** A bucket that also holds files of the project's users, under any name. */
export interface FileBucket extends Bucket {
  /** `read` for an object of any name. */
  readFile<T>(name: string, consume: (pieces: AsyncIterable<Uint8Array>) => Promise<T>): Promise<T>;
}

/** A bucket of the project itself. */
export interface ProjectBucket extends FileBucket {
  /**
   * Whether an object of any name has its bytes: they are stored apart from the list, so an object that is listed may
   * lack them.
   */
  exists(name: string): Promise<boolean>;

  /** Whether anybody may read its objects without a key. */
  isPublic(): Promise<boolean>;
}

export interface StoredObject {
  /** Without its folder. */
  name: string;
  bytes: number;
}

/**
 * Why storage failed: `missing`: no such object; `full`: too large, or no room; `refused`: a retry would not help;
 * `temporary`: a retry may help.
 */
export type BucketFailure = "missing" | "full" | "refused" | "temporary";

/** `storage_full` or `storage_failed`, with the kind of failure. */
export class BucketError extends BackupError {
  readonly failure: BucketFailure;

  constructor(failure: BucketFailure, message: string, hint: string, cause?: unknown) {
    super(failure === "full" ? "storage_full" : "storage_failed", message, hint, cause);
    this.name = "BucketError";
    this.failure = failure;
  }
}

/** Storage refuses every other character, or it changes its meaning on the way (`#` and `?` cut the name). */
const NAME = /^[A-Za-z0-9_-][A-Za-z0-9._-]*(\/[A-Za-z0-9_-][A-Za-z0-9._-]*)*$/;

/** Throws BucketError `refused` for a name that Storage would not keep as it is. */
export function checkName(name: string): void {
  if (!NAME.test(name)) {
    throw new BucketError(
      "refused",
      `Invalid object name "${name}"`,
      "Use letters, digits, dots, dashes and underscores, and a slash between folders.",
    );
  }
}

/** Returns the pieces in one array. */
export async function joined(pieces: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const all: Uint8Array[] = [];
  let length = 0;
  for await (const piece of pieces) {
    all.push(piece);
    length += piece.length;
  }
  const bytes = new Uint8Array(length);
  let position = 0;
  for (const piece of all) {
    bytes.set(piece, position);
    position += piece.length;
  }
  return bytes;
}
