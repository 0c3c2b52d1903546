/** The archive of a stored backup, read part by part: only those that hold what is wanted, each checked as a whole. */
import type { ByteSource } from "../archive/byte_source.ts";
import { type OpenArchive, openSource } from "../archive/reader.ts";
import type { Entry } from "../entry.ts";
import { BackupError } from "../errors.ts";
import { type Bucket, BucketError } from "../storage/bucket.ts";
import { readWhole } from "../storage/read_whole.ts";
import { sha256Hex } from "../storage/sha256.ts";
import { type Manifest, MANIFEST_NAME, type Part, readManifest, type TableRows } from "./manifest.ts";

export interface StoredArchive extends OpenArchive {
  manifest: Manifest;
  source: ByteSource;
  /** Returns what the manifest says of the rows of a TABLE DATA entry. Throws BackupError for a manifest without it. */
  said(entry: Entry): TableRows & { begin: number };
}

/**
 * Opens it. Throws BackupError `verification_failed` for a manifest without the checksum that the log has,
 * `bad_request` for an encrypted backup, and later, where a part is read, `verification_failed` for one that is damaged
 * or missing.
 */
export async function openStored(bucket: Bucket, folder: string, checksum: string): Promise<StoredArchive> {
  const bytes = await bucket.get(`${folder}/${MANIFEST_NAME}`).catch((error) => {
    throw isMissing(error) ? damagedError(folder, `${MANIFEST_NAME} is missing`) : error;
  });
  if (await sha256Hex(bytes) !== checksum) {
    throw damagedError(folder, `${MANIFEST_NAME} does not have the checksum that is in the log`);
  }
  const manifest = readManifest(bytes);
  if (manifest.encryption !== undefined) {
    throw new BackupError(
      "bad_request",
      `Backup "${folder}" is encrypted, and the project does not have the key`,
      `On a machine with the key, run: supabase-backup restore --backup ${folder} --identity KEYFILE`,
    );
  }
  const tables = new Map(manifest.tables.map((table) => [keyOf(table.schema, table.name), table]));
  const said = (entry: Entry) => {
    const table = tables.get(keyOf(entry.namespace!, entry.tag));
    if (table?.begin !== undefined) return { ...table, begin: table.begin };
    throw new BackupError(
      "bad_request",
      `The manifest of "${folder}" does not say where the rows of ${entry.namespace}.${entry.tag} are`,
      "An earlier release made the backup. Restore it with the command line: supabase-backup restore.",
    );
  };
  const source = partsSource(bucket, folder, manifest.parts);
  return { ...await openSource(source), manifest, source, said };
}

/** Joins parts, of which the last one that was read is kept in memory. */
function partsSource(bucket: Bucket, folder: string, parts: readonly Part[]): ByteSource {
  let size = 0;
  const begins = parts.map(({ bytes }) => (size += bytes) - bytes);
  let kept: { index: number; bytes: Uint8Array } | null = null;
  return {
    size,
    async read(offset, length) {
      const index = begins.findLastIndex((begin) => begin <= offset);
      if (index < 0 || offset >= size) return new Uint8Array();
      if (kept?.index !== index) {
        kept = null;
        kept = { index, bytes: await readPart(bucket, folder, parts[index]!) };
      }
      const inside = offset - begins[index]!;
      return kept.bytes.subarray(inside, inside + length);
    },
  };
}

async function readPart(
  bucket: Bucket,
  folder: string,
  { name, bytes: expected, sha256 }: Part,
): Promise<Uint8Array> {
  const bytes = await readWhole((consume) => bucket.read(`${folder}/${name}`, consume), expected).catch(
    (error) => {
      throw isMissing(error) ? damagedError(folder, `${name} is missing`) : error;
    },
  );
  if (bytes === null) throw damagedError(folder, `${name} does not have ${expected} bytes`);
  if (await sha256Hex(bytes) !== sha256) {
    throw damagedError(folder, `${name} does not have the SHA-256 of the manifest`);
  }
  return bytes;
}

function keyOf(schema: string, name: string): string {
  return JSON.stringify([schema, name]);
}

function isMissing(error: unknown): boolean {
  return error instanceof BucketError && error.failure === "missing";
}

function damagedError(folder: string, how: string): BackupError {
  return new BackupError(
    "verification_failed",
    `Backup "${folder}" is damaged: ${how}`,
    "Use another backup, or the second copy. supabase-backup verify names everything that is wrong with it.",
  );
}
