/** A stored backup as one file: its parts, checked against the manifest and joined in name order. */
import {
  type Manifest,
  MANIFEST_NAME,
  type Part,
  readManifest,
} from "../../supabase/functions/backup/manifest/manifest.ts";
import { sha256OfPieces } from "../../supabase/functions/backup/storage/sha256.ts";
import type { Bucket } from "../../supabase/functions/backup/storage/bucket.ts";
import { commandLine } from "../terminal/called_as.ts";
import { CommandError } from "../terminal/errors.ts";

export interface DownloadOptions {
  /** Called often with bytes done and expected. */
  onProgress?: (done: number, expected: number) => void;
  /** Parts that are fetched at the same time. */
  parallel?: number;
  /** The manifest where it was read and checked already: a second reading might be of another one. */
  manifest?: Manifest;
}

/**
 * Hashing takes one thread of ours whatever the number; more connections than this only share the same line.
 */
const PARALLEL = 4;

/** A part, and where it lies in the archive. */
interface Placed extends Part {
  offset: number;
}

/**
 * Writes the archive of backup `name` to `path`, as `path.partial` until it is whole and right. What an
 * interrupted download left there is kept where it has the right checksum. Throws CommandError for a part
 * that differs from the manifest, BackupError when Storage cannot be read.
 */
export async function downloadBackup(
  bucket: Bucket,
  name: string,
  path: string,
  { onProgress, parallel = PARALLEL, manifest: read }: DownloadOptions = {},
): Promise<Manifest> {
  const manifest = read ?? readManifest(await bucket.get(`${name}/${MANIFEST_NAME}`));
  if (manifest.name !== name) {
    throw new CommandError(
      `${name}/${MANIFEST_NAME} belongs to ${manifest.name}`,
      `Somebody moved folders in the bucket. Use another backup (\`${commandLine("list")}\`).`,
    );
  }
  const partial = `${path}.partial`;
  // Only its owner may read it: it holds everything.
  (await Deno.open(partial, { write: true, create: true, mode: 0o600 })).close();
  const done = new Map<string, number>();
  const report = (part: Part, bytes: number) => {
    done.set(part.name, bytes);
    onProgress?.([...done.values()].reduce((sum, value) => sum + value, 0), manifest.totals.storedBytes);
  };
  const left = placed(manifest.parts);
  const workers = Array.from({ length: Math.min(parallel, left.length) }, async () => {
    for (let part = left.shift(); part !== undefined; part = left.shift()) {
      await fetchPart(bucket, name, part, partial, report);
    }
  });
  const failed = (await Promise.allSettled(workers)).find((result) => result.status === "rejected");
  if (failed) throw failed.reason;
  using file = await Deno.open(partial, { write: true });
  await file.truncate(manifest.totals.storedBytes);
  await Deno.rename(partial, path);
  return manifest;
}

function placed(parts: readonly Part[]): Placed[] {
  let offset = 0;
  return parts.map((part) => {
    const here = { ...part, offset };
    offset += part.bytes;
    return here;
  });
}

async function fetchPart(
  bucket: Bucket,
  name: string,
  part: Placed,
  path: string,
  report: (part: Part, bytes: number) => void,
): Promise<void> {
  if ((await sha256OfPieces(rangeOf(path, part))).sha256 === part.sha256) return report(part, part.bytes);
  using file = await Deno.open(path, { write: true });
  // Asked again after a broken connection, a part begins anew.
  const found = await bucket.read(`${name}/${part.name}`, async (pieces) => {
    await file.seek(part.offset, Deno.SeekMode.Start);
    return await sha256OfPieces(written(pieces, file, part, (bytes) => report(part, bytes)));
  });
  if (found.bytes === part.bytes && found.sha256 === part.sha256) return;
  throw new CommandError(
    `${name}/${part.name} differs from the manifest: ${found.bytes} bytes with SHA-256 ${found.sha256} ` +
      `instead of ${part.bytes} with ${part.sha256}`,
    `The backup is damaged. Run \`${commandLine("verify")}\` to see where, and use another one (\`${
      commandLine("list")
    }\`).`,
  );
}

/** The bytes that are there already where a part belongs. */
async function* rangeOf(path: string, { offset, bytes }: Placed): AsyncGenerator<Uint8Array> {
  using file = await Deno.open(path);
  if ((await file.stat()).size < offset + bytes) return;
  await file.seek(offset, Deno.SeekMode.Start);
  const buffer = new Uint8Array(1024 * 1024);
  for (let left = bytes; left > 0;) {
    const read = await file.read(buffer.subarray(0, Math.min(left, buffer.length)));
    if (read === null) return;
    left -= read;
    yield buffer.subarray(0, read);
  }
}

/**
 * Passes pieces on once they are in the file. A part that is longer than it should be must not reach into the
 * next one.
 */
async function* written(
  pieces: AsyncIterable<Uint8Array>,
  file: Deno.FsFile,
  part: Part,
  onWritten: (bytes: number) => void,
): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  for await (const piece of pieces) {
    const wanted = piece.subarray(0, Math.max(part.bytes - bytes, 0));
    for (let sent = 0; sent < wanted.length;) sent += await file.write(wanted.subarray(sent));
    bytes += piece.length;
    onWritten(Math.min(bytes, part.bytes));
    yield piece;
  }
}
