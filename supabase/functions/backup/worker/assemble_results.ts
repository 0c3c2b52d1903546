/** Assembles the results of all slices: what each table has, and which closing part it still needs. */
import { ADLER_OF_NOTHING, adlerText, combineAdler32 } from "../archive/adler.ts";
import { closeBlock } from "../archive/block.ts";
import { BackupError } from "../errors.ts";
import type { TableRows } from "../manifest/manifest.ts";
import type { Finish } from "../run/run_client.ts";
import { PARTS_PER_SLICE } from "../slices/plan.ts";

export interface Closing {
  /** Number of the part that ends the table's data block. */
  part: number;
  /** Adler-32 of all its rows. */
  adler32: number;
}

/** How an attempt stores parts. */
interface Sizes {
  /** Returns how much of the archive a stored part of that size holds. */
  archiveBytes(stored: number): number;
  partName(number: number): string;
}

/**
 * Checks that every piece of the plan has its result and every slice its parts, and adds them up. Throws BackupError
 * `table_not_read` or `verification_failed`: nothing may be missing.
 */
export function assembleResults(
  { slices, parts, facts }: Finish,
  { archiveBytes, partName }: Sizes,
): { tables: TableRows[]; closings: Closing[] } {
  const totals = new Map(
    facts.tables.map(({ dumpId, schema, name }) => {
      const table: TableRows = { schema, name, rows: 0, rawBytes: 0 };
      return [dumpId, { table, complete: false }];
    }),
  );
  const closings: Closing[] = [];
  let checksum = ADLER_OF_NOTHING;
  // Of closing parts only those exist that an earlier finisher has stored: their length is added where they belong.
  let position = parts.filter((part) => part.slice_number === null && part.name < partName(facts.head_parts))
    .reduce((sum, { bytes }) => sum + archiveBytes(bytes), 0);
  for (const { number, first_part: firstPart, pieces, result } of slices) {
    const stored = parts.filter((part) => part.slice_number === number).reduce(
      (sum, { bytes }) => sum + archiveBytes(bytes),
      0,
    );
    if (stored !== result.stored_bytes) {
      throw new BackupError(
        "verification_failed",
        `Slice ${number} wrote ${result.stored_bytes} bytes, but its recorded parts have ${stored}`,
        "The run starts over by itself. If it happens again, report it.",
      );
    }
    for (const [index, piece] of pieces.entries()) {
      const done = result.pieces[index];
      const total = totals.get(piece.dumpId);
      if (done?.dumpId !== piece.dumpId || total === undefined || total.complete) throw notRead(piece.table);
      if (piece.first) total.table.begin = position;
      position += done.storedBytes;
      total.table.rows += done.rows;
      total.table.rawBytes += done.rawBytes;
      total.complete = piece.last;
      checksum = combineAdler32(piece.first ? ADLER_OF_NOTHING : checksum, done.adler32, done.rawBytes);
      if (piece.last && !piece.first && !piece.largeObjects) position += closeBlock(0).length;
      if (!piece.last || piece.largeObjects) continue;
      total.table.adler32 = adlerText(checksum);
      if (!piece.first) {
        closings.push({ part: firstPart + PARTS_PER_SLICE - 1, adler32: checksum });
      }
    }
  }
  for (const { table, complete } of totals.values()) {
    if (!complete) throw notRead(`${table.schema}.${table.name}`);
  }
  return { tables: Array.from(totals.values(), ({ table }) => table), closings };
}

function notRead(table: string): BackupError {
  return new BackupError(
    "table_not_read",
    `Table ${table} was planned but was exported zero times or more than once`,
    "The run starts over by itself. If it happens again, report it.",
  );
}
