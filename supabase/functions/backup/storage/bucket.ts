/**
 * What this project asks of object storage. Everything outside this folder knows a bucket only by this interface;
 * `supabase.ts` and `memory.ts` implement it, `retry.ts` wraps it.
 */
import { BackupError } from "../errors.ts";

/**
 * A folder of objects by name. Names are `folder/name`; all methods throw BucketError, and a method that threw may be
 * called again: none leaves a half of its work visible.
 */
export interface Bucket {
  /**
   * Stores an object, overwriting one of that name. Idempotent. The length is declared, so the bucket's limit holds (a
   * stream would pass it); `bytes` must not change until the promise settles, and is not copied. `sha256`, in hexadecimal, spares
   * computing it where the storage asks for it.
   */
  put(name: string, bytes: Uint8Array, contentType: string, sha256?: string): Promise<void>;

  /** A whole object. Fails with `missing` when there is none; for large objects see `read`. */
  get(name: string): Promise<Uint8Array>;

  /**
   * Hands an object to `consume` as it arrives and answers what `consume` answers. Fails with `missing` when there is none.
   * `consume` may be called again, with the object from its first byte on, when the connection breaks: it must begin anew
   * each time. Its own errors come through unchanged and are not retried.
   */
  read<T>(name: string, consume: (pieces: AsyncIterable<Uint8Array>) => Promise<T>): Promise<T>;

  /**
   * All objects right in a folder, by name; none when there is no such folder. Complete, however many there are.
   * Fails when the bucket itself cannot be read, since Storage answers an empty list then.
   */
  list(folder: string): Promise<StoredObject[]>;

  /** Names of all folders at the top of the bucket. Complete, and fails, as `list`. */
  folders(): Promise<string[]>;

  /**
   * Whether an object's bytes are there, whatever its name: where they lie in another place than the list, a list says less. Only the project's own buckets
   * can tell.
   */
  exists?(name: string): Promise<boolean>;

  /** `read` for an object of any name: files of other people's. */
  readFile?<T>(name: string, consume: (pieces: AsyncIterable<Uint8Array>) => Promise<T>): Promise<T>;

  /** Removes objects. Idempotent: what is missing is fine. Fails when one of them is still there afterwards. */
  remove(names: string[]): Promise<void>;
}

export interface StoredObject {
  /** Without its folder. */
  name: string;
  bytes: number;
}

/**
 * Why storage failed: `missing`: no such object; `full`: too large, or no room; `refused`: asking again would not help;
 * `temporary`: asking again may help.
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

/** Every other character is either refused by Storage or changes its meaning on the way (`#` and `?` cut the name). */
const NAME = /^[A-Za-z0-9_-][A-Za-z0-9._-]*(\/[A-Za-z0-9_-][A-Za-z0-9._-]*)*$/;

/** Throws BucketError `refused` for a name that Storage would not keep as it is. */
export function checkName(name: string): void {
  if (!NAME.test(name)) {
    throw new BucketError(
      "refused",
      `"${name}" is no name for an object`,
      "Names are letters, digits, dots, dashes and underscores, in folders divided by a slash.",
    );
  }
}

/** The pieces in one array. */
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
