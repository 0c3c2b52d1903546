/** A manifest made anew from the parts of a backup and its row in the log, where somebody removed it. */
import { adler32, ADLER_OF_NOTHING, adlerText } from "../../supabase/functions/backup/archive/adler.ts";
import { archiveFormat } from "../../supabase/functions/backup/archive/header.ts";
import { countLines } from "../../supabase/functions/backup/archive/pieces.ts";
import { bytesFrom, readArchive } from "../../supabase/functions/backup/archive/reader.ts";
import {
  LARGE_OBJECTS,
  type Manifest,
  MANIFEST_NAME,
  type Part,
  PART_NAME,
  type TableRows,
  writeManifest,
} from "../../supabase/functions/backup/manifest/manifest.ts";
import type { Bucket } from "../../supabase/functions/backup/storage/bucket.ts";
import { sha256Hex } from "../../supabase/functions/backup/storage/sha256.ts";

/** What the log says of a run that succeeded. */
export interface LoggedBackup {
  id: number;
  name: string;
  trigger: "scheduled" | "manual";
  attempt: number;
  finished_at: string;
  rows: number;
  stored_bytes: number;
  parts: number;
  level: number;
  warnings: Manifest["warnings"];
}

/** The end mark and two empty lines end the text of a table's rows. */
const END_LINES = 3;

/**
 * Reads all parts, as an archive, and stores a manifest of them. Returns null, or why it cannot: they are encrypted, or
 * are not what the log recorded. Throws what the bucket throws.
 */
export async function rebuildManifest(bucket: Bucket, logged: LoggedBackup): Promise<string | null> {
  const { name } = logged;
  const files = (await bucket.list(name)).filter((file) => PART_NAME.test(file.name))
    .sort((a, b) => a.name < b.name ? -1 : 1);
  const sizes = files.reduce((sum, { bytes }) => sum + bytes, 0);
  if (files.length !== Number(logged.parts) || sizes !== Number(logged.stored_bytes)) {
    return `it has no manifest, and ${files.length} parts of ${sizes} bytes, where the log has ${logged.parts} of ${logged.stored_bytes}`;
  }
  if (files.some((file) => file.name.endsWith(".age"))) {
    return "it has no manifest, and its parts are encrypted; decrypted and joined in name order they are its archive";
  }
  const parts: Part[] = [];
  const pieces = async function* () {
    for (const { name: part } of files) {
      const bytes = await bucket.get(`${name}/${part}`);
      parts.push({ name: part, bytes: bytes.length, sha256: await sha256Hex(bytes) });
      yield bytes;
    }
  };
  const { header, entries, blocks } = await readArchive(bytesFrom(pieces()));
  const byId = new Map(entries.map((entry) => [entry.dumpId, entry]));
  const tables: TableRows[] = [];
  const objects: TableRows = { ...LARGE_OBJECTS, rows: 0, rawBytes: 0 };
  for await (const { dumpId, largeObject, rows } of blocks) {
    if (largeObject !== null) {
      objects.rows++;
      for await (const piece of rows) objects.rawBytes += piece.length;
      continue;
    }
    const { namespace, tag } = byId.get(dumpId)!;
    tables.push({ schema: namespace!, name: tag, ...await counted(rows) });
  }
  if (entries.some(({ desc }) => desc === "BLOBS")) tables.push(objects);
  const rows = tables.reduce((sum, table) => sum + table.rows, 0);
  if (rows !== Number(logged.rows)) return `its archive has ${rows} rows, and the log ${logged.rows}`;
  const serverVersion = header.serverVersion ?? "";
  await bucket.put(
    `${name}/${MANIFEST_NAME}`,
    writeManifest({
      formatVersion: 1,
      name,
      createdAt: new Date(logged.finished_at).toISOString(),
      snapshotAt: header.createdAt.toISOString(),
      run: { id: Number(logged.id), trigger: logged.trigger, attempt: logged.attempt },
      server: { version: serverVersion, database: header.database ?? "" },
      archive: { format: archiveFormat(serverVersion), level: logged.level, entries: entries.length },
      totals: {
        tables: tables.length,
        rows,
        parts: parts.length,
        storedBytes: sizes,
        rawBytes: tables.reduce((sum, table) => sum + table.rawBytes, 0),
      },
      tables,
      parts,
      warnings: [
        ...logged.warnings,
        {
          code: "rebuilt",
          object: MANIFEST_NAME,
          message: "The manifest was made anew from the parts and the log",
        },
      ],
    }),
    "application/json",
  );
  return null;
}

async function counted(text: AsyncIterable<Uint8Array>): Promise<Omit<TableRows, "schema" | "name">> {
  let [lines, rawBytes, checksum] = [0, 0, ADLER_OF_NOTHING];
  for await (const piece of text) {
    lines += countLines(piece);
    rawBytes += piece.length;
    checksum = adler32(piece, checksum);
  }
  return { rows: lines - END_LINES, rawBytes, adler32: adlerText(checksum) };
}
