/**
 * An archive read from front to back: every entry, every block, every row counted, and compared with the
 * manifest.
 */
import { adler32, ADLER_OF_NOTHING, adlerText } from "../../supabase/functions/backup/archive/adler.ts";
import { COPY_END } from "../../supabase/functions/backup/archive/block.ts";
import { OWN_VERSION } from "../../supabase/functions/backup/archive/header.ts";
import { countLines } from "../../supabase/functions/backup/archive/pieces.ts";
import { ArchiveError } from "../../supabase/functions/backup/archive/primitives.ts";
import { type Archive, bytesFrom, readArchive } from "../../supabase/functions/backup/archive/reader.ts";
import { LARGE_OBJECTS, type Manifest } from "../../supabase/functions/backup/manifest/manifest.ts";
import type { Entry } from "../../supabase/functions/backup/entry.ts";
import type { Fault } from "./faults.ts";

/** Adds what is wrong to `faults`, and returns the number of rows. Throws what `parts` throws. */
export async function checkStructure(
  parts: AsyncIterable<Uint8Array>,
  manifest: Manifest,
  faults: Fault[],
): Promise<number> {
  const position = { part: 0, broken: null as unknown };
  const read = bytesFrom(remembered(parts, position));
  let archive: Archive;
  try {
    archive = await readArchive(read, OWN_VERSION);
  } catch (error) {
    if (position.broken !== null) throw position.broken;
    const { message } = error as Error;
    // Anything that is not UTF-8 is a TypeError of the decoder's.
    faults.push(
      /not a pg_dump archive|Archive version|not one of ours/.test(message)
        ? { code: "archive_not_one", message }
        : { code: "archive_head_damaged", message: `The table of contents cannot be read: ${message}` },
    );
    return 0;
  }
  const { entries } = archive;
  if (entries.length !== manifest.archive.entries) {
    faults.push({
      code: "archive_entries",
      message: `The archive has ${entries.length} entries, but the manifest says ${manifest.archive.entries}`,
    });
  }
  const byId = new Map<number, Entry>();
  for (const entry of entries) {
    if (byId.has(entry.dumpId)) {
      faults.push({
        code: "archive_id_twice",
        message: `Two entries have the dump id ${entry.dumpId}: ${nameOf(byId.get(entry.dumpId)!)} and ${
          nameOf(entry)
        }`,
      });
    }
    byId.set(entry.dumpId, entry);
  }
  return await checkBlocks(archive, byId, manifest, faults, position);
}

async function checkBlocks(
  { blocks, entries }: Archive,
  byId: ReadonlyMap<number, Entry>,
  manifest: Manifest,
  faults: Fault[],
  position: { broken: unknown },
): Promise<number> {
  const seen = new Set<number>();
  const left = new Map(manifest.tables.map((table) => [JSON.stringify([table.schema, table.name]), table]));
  let total = 0;
  // A manifest has no checksum of them: they are many texts.
  const objects = { rows: 0, bytes: 0, adler32: 0 };
  let current: Entry | undefined;
  let lastBlob = -1;
  try {
    for await (const { dumpId, largeObject, rows } of blocks) {
      current = byId.get(dumpId);
      if (largeObject !== null) {
        total++;
        // Objects of one block come as one block each.
        if (lastBlob !== dumpId && seen.has(dumpId)) {
          faults.push({ code: "block_twice", message: `${nameOf(current)} has two data blocks` });
        }
        lastBlob = dumpId;
      } else if (seen.has(dumpId)) {
        faults.push({
          code: "block_twice",
          message: `${nameOf(current)} has two data blocks: pg_restore would take one`,
        });
      }
      seen.add(dumpId);
      if (current === undefined || !current.hasData) {
        faults.push({
          code: "block_unknown",
          message: `A data block belongs to no entry: dump id ${dumpId}`,
        });
      }
      if (largeObject !== null) {
        for await (const piece of rows) objects.bytes += piece.length;
        objects.rows++;
        continue;
      }
      const counted = await countRows(rows);
      total += counted.rows;
      if (!counted.ended) {
        faults.push({
          code: "rows_without_end",
          message: `The rows of ${nameOf(current)} have no end mark: some may be missing`,
        });
      }
      if (current) compareTable(current.namespace, current.tag, counted, left, faults);
    }
  } catch (error) {
    if (position.broken !== null) throw position.broken;
    if (!(error instanceof ArchiveError)) throw error;
    const { message } = error;
    faults.push(
      /ends at byte/.test(message)
        ? {
          code: "archive_cut_off",
          message: `${message}${current ? `, in or after the rows of ${nameOf(current)}` : ""}`,
        }
        : { code: "block_damaged", message: `${message}${current ? ` (${nameOf(current)})` : ""}` },
    );
    return total;
  }
  if (entries.some(({ desc }) => desc === "BLOBS")) {
    compareTable(LARGE_OBJECTS.schema, LARGE_OBJECTS.name, objects, left, faults);
  }
  for (const entry of entries) {
    if (entry.hasData && !seen.has(entry.dumpId) && entry.desc !== "BLOBS") {
      faults.push({ code: "block_missing", message: `${nameOf(entry)} has no data block` });
    }
  }
  for (const { schema, name } of left.values()) {
    faults.push({
      code: "table_not_in_archive",
      message: `The manifest lists the table ${schema}.${name}, but the archive has no rows of it`,
    });
  }
  return total;
}

function compareTable(
  schema: string | null,
  name: string,
  counted: { rows: number; bytes: number; adler32: number },
  left: Map<string, Manifest["tables"][number]>,
  faults: Fault[],
): void {
  const key = JSON.stringify([schema, name]);
  const table = `${schema}.${name}`;
  const said = left.get(key);
  left.delete(key);
  if (said === undefined) {
    faults.push({
      code: "table_not_in_manifest",
      message: `The archive has rows of ${table}, which the manifest does not list`,
    });
  } else if (said.rows !== counted.rows) {
    faults.push({
      code: "rows_differ",
      message: `${table} has ${counted.rows} rows, but the manifest says ${said.rows}`,
    });
  } else if (said.rawBytes !== counted.bytes) {
    faults.push({
      code: "bytes_differ",
      message: `${table} has ${counted.bytes} bytes of rows, but the manifest says ${said.rawBytes}`,
    });
  } else if (said.adler32 !== undefined && said.adler32 !== adlerText(counted.adler32)) {
    faults.push({
      code: "content_differs",
      message: `${table} has as many rows and bytes as the manifest says, but different content`,
    });
  }
}

async function countRows(
  rows: AsyncIterable<Uint8Array>,
): Promise<{ rows: number; bytes: number; adler32: number; ended: boolean }> {
  let lines = 0;
  let bytes = 0;
  let checksum = ADLER_OF_NOTHING;
  let tail = new Uint8Array();
  for await (const piece of rows) {
    lines += countLines(piece);
    bytes += piece.length;
    checksum = adler32(piece, checksum);
    const both = new Uint8Array(tail.length + Math.min(piece.length, COPY_END.length));
    both.set(tail);
    both.set(piece.subarray(-COPY_END.length), tail.length);
    tail = both.slice(-COPY_END.length);
  }
  const ended = tail.length === COPY_END.length && tail.every((byte, index) => byte === COPY_END[index]);
  // The end mark and the empty lines behind it.
  return { rows: ended ? lines - 3 : lines, bytes, adler32: checksum, ended };
}

/** Notes when the source itself fails, which is not the archive's fault. */
async function* remembered(
  parts: AsyncIterable<Uint8Array>,
  position: { broken: unknown },
): AsyncGenerator<Uint8Array> {
  try {
    yield* parts;
  } catch (error) {
    position.broken = error;
    throw error;
  }
}

function nameOf(entry: Entry | undefined): string {
  if (entry === undefined) return "an unknown entry";
  return `${entry.desc} ${entry.namespace === null ? "" : `${entry.namespace}.`}${entry.tag}`;
}
