/** A stored backup as one file: its parts, checked against the manifest and joined in name order. */
import {
  type Manifest,
  MANIFEST_NAME,
  readManifest,
} from "../supabase/functions/backup/manifest/manifest.ts";
import { sha256OfPieces } from "../supabase/functions/backup/manifest/sha256.ts";
import type { Bucket } from "../supabase/functions/backup/storage/bucket.ts";
import { CommandError } from "./terminal.ts";

export interface DownloadOptions {
  /** Called often with bytes done and expected. */
  onProgress?: (done: number, expected: number) => void;
}

/**
 * Writes the archive of backup `name` to `path`, under another name until it is whole and right. Throws CommandError for a part
 * that is not what the manifest says, BackupError when Storage cannot be read.
 */
export async function downloadBackup(
  bucket: Bucket,
  name: string,
  path: string,
  { onProgress }: DownloadOptions = {},
): Promise<Manifest> {
  const manifest = readManifest(await bucket.get(`${name}/${MANIFEST_NAME}`));
  const partial = `${path}.partial`;
  // Only its owner may read it: it holds everything.
  using file = await Deno.open(partial, { write: true, create: true, truncate: true, mode: 0o600 });
  let done = 0;
  for (const part of manifest.parts) {
    const found = await bucket.read(`${name}/${part.name}`, async (pieces) => {
      // Asked again after a broken connection, a part begins anew.
      await file.seek(done, Deno.SeekMode.Start);
      return await sha256OfPieces(
        written(pieces, file, (bytes) => onProgress?.(done + bytes, manifest.totals.storedBytes)),
      );
    });
    if (found.bytes !== part.bytes || found.sha256 !== part.sha256) {
      throw new CommandError(
        `${name}/${part.name} is not what the manifest says: ${found.bytes} bytes with SHA-256 ${found.sha256}`,
        "The backup is damaged: take another one (npm run list).",
      );
    }
    done += part.bytes;
  }
  await file.truncate(done);
  await file.sync();
  await Deno.rename(partial, path);
  return manifest;
}

async function* written(
  pieces: AsyncIterable<Uint8Array>,
  file: Deno.FsFile,
  onWritten: (bytes: number) => void,
): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  for await (const piece of pieces) {
    for (let sent = 0; sent < piece.length;) sent += await file.write(piece.subarray(sent));
    bytes += piece.length;
    onWritten(bytes);
    yield piece;
  }
}
