/** Opens a stored backup for reading single objects and tables: only the parts that hold them are fetched. */
import { type OpenArchive, openSource } from "../archive/reader.ts";
import type { Manifest } from "../manifest/manifest.ts";
import type { Bucket } from "../storage/bucket.ts";
import { blockLocator } from "./locate_block.ts";
import { type DecryptPart, partSource } from "./part_source.ts";

/**
 * Reads the head of the archive. Most manifests say where tables begin; elsewhere they are searched. Throws
 * ArchiveError for one that is damaged, BackupError `verification_failed` for a part that differs from the manifest,
 * and what the bucket and `decrypt` throw.
 */
export async function openStored(
  bucket: Bucket,
  manifest: Manifest,
  decrypt: DecryptPart | null,
): Promise<OpenArchive> {
  const source = partSource(bucket, manifest, decrypt);
  const begins = new Map(
    manifest.tables.map(({ schema, name, begin }) => [JSON.stringify([schema, name]), begin]),
  );
  const search = blockLocator(source);
  return await openSource(source, async (dumpId, head) => {
    const entry = head.entries.find((one) => one.dumpId === dumpId);
    return begins.get(JSON.stringify([entry?.namespace, entry?.tag])) ?? await search(dumpId, head);
  });
}
