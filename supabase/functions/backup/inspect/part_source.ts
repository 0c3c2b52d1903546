/** The parts of a stored backup as one run of bytes, of which only what is read is fetched. */
import type { ByteSource } from "../archive/byte_source.ts";
import { payloadOf } from "../encryption/age_file.ts";
import { BackupError } from "../errors.ts";
import type { Manifest, Part } from "../manifest/manifest.ts";
import type { Bucket } from "../storage/bucket.ts";
import { sha256Hex } from "../storage/sha256.ts";

/** Returns the decrypted bytes of a part. */
export type DecryptPart = (name: string, bytes: Uint8Array) => Promise<Uint8Array>;

export interface PartSource extends ByteSource {
  /** Where each part begins, in archive order. */
  readonly begins: readonly { number: number; begin: number }[];
}

/** Many questions are answered by a part's first bytes; a part is fetched whole only when these do not suffice. */
const PREFIXES = [64 * 1024, 4 * 1024 * 1024];

/** Kept for the next read: two parts of the largest size, and the beginnings of many. */
const CACHE_BYTES = 96 * 1024 * 1024;

interface Cached {
  bytes: number;
  content: Promise<Uint8Array>;
}

/**
 * Opens the parts of a backup. A part that is read to its end is compared with the manifest: `read` throws BackupError
 * `verification_failed` where it differs, and what the bucket and `decrypt` throw.
 */
export function partSource(
  bucket: Bucket,
  manifest: Manifest,
  decrypt: DecryptPart | null,
): PartSource {
  const recipients = manifest.encryption?.recipients.length ?? 0;
  const sizes = manifest.parts.map(({ bytes }) => decrypt === null ? bytes : payloadOf(bytes, recipients));
  let size = 0;
  const begins = manifest.parts.map(({ name }, index) => {
    const begin = size;
    size += sizes[index]!;
    return { number: Number(name.slice(0, 5)), begin };
  });
  const cache = new Map<number, Cached>();

  /** Returns the first bytes of a part, `wanted` or more. */
  function fetched(index: number, wanted: number): Promise<Uint8Array> {
    const known = cache.get(index);
    cache.delete(index);
    if (known !== undefined && known.bytes >= wanted) {
      cache.set(index, known);
      return known.content;
    }
    const part = manifest.parts[index]!;
    const isReadOn = wasReadThrough(index - 1);
    // Whoever reads on does not come back to it soon.
    if (isReadOn) cache.delete(index - 1);
    const prefix = decrypt === null && !isReadOn
      ? PREFIXES.find((bytes) => bytes >= wanted && bytes < part.bytes)
      : undefined;
    const content = prefix === undefined ? wholePart(part, sizes[index]!) : beginning(part, prefix);
    cache.set(index, { bytes: prefix ?? sizes[index]!, content });
    // One that failed is fetched again.
    content.catch(() => cache.delete(index));
    let kept = [...cache.values()].reduce((sum, { bytes }) => sum + bytes, 0);
    for (const [oldest, { bytes }] of cache) {
      if (kept <= CACHE_BYTES || oldest === index) break;
      cache.delete(oldest);
      kept -= bytes;
    }
    return content;
  }

  /** Whether a part is at hand to its end, which is not so where only its beginning was of use. */
  function wasReadThrough(index: number): boolean {
    const known = cache.get(index);
    return known !== undefined && known.bytes === sizes[index] && known.bytes > PREFIXES[0]!;
  }

  async function wholePart(part: Part, expected: number): Promise<Uint8Array> {
    const path = `${manifest.name}/${part.name}`;
    const stored = await bucket.get(path);
    if (stored.length !== part.bytes || await sha256Hex(stored) !== part.sha256) throw damagedPartError(path);
    if (decrypt === null) return stored;
    const plain = await decrypt(part.name, stored);
    if (plain.length !== expected) throw damagedPartError(path);
    return plain;
  }

  function beginning(part: Part, length: number): Promise<Uint8Array> {
    const path = `${manifest.name}/${part.name}`;
    return bucket.read(path, async (pieces) => {
      const bytes = new Uint8Array(length);
      let filled = 0;
      for await (const piece of pieces) {
        bytes.set(piece.subarray(0, length - filled), filled);
        filled = Math.min(length, filled + piece.length);
        if (filled === length) return bytes;
      }
      throw damagedPartError(path);
    });
  }

  return {
    size,
    begins,
    async read(offset, length) {
      const index = begins.findLastIndex(({ begin }) => begin <= offset);
      const inside = offset - (begins[index]?.begin ?? 0);
      if (inside >= (sizes[index] ?? 0)) return new Uint8Array();
      // As much as comes cheaply: who needs more asks again.
      return (await fetched(index, inside + 1)).subarray(inside, inside + length);
    },
  };
}

function damagedPartError(path: string): BackupError {
  return new BackupError(
    "verification_failed",
    `Cannot read "${path}": it differs from the manifest`,
    "The backup is damaged. Verify it to see where, and use another one.",
  );
}
