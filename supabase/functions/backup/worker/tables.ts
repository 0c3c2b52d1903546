/** Puts the results of all slices together: what each table has, and what is still to be written behind it. */
import { ADLER_OF_NOTHING, adlerText, combineAdler32 } from "../archive/adler.ts";
import { BackupError } from "../errors.ts";
import type { TableRows } from "../manifest/manifest.ts";
import type { Finish } from "../run/verbs.ts";
import { PARTS_PER_SLICE } from "../slices/plan.ts";

export interface Closing {
  /** Number of the part that ends the table's data block. */
  part: number;
  /** Adler-32 of all its rows. */
  adler32: number;
}

/**
 * Checks that every piece of the plan has its result and every slice its parts, and adds them up. Throws BackupError
 * `table_not_read` or `verification_failed`: nothing may be missing. `archiveBytes` says how much of the archive a stored part of that
 * size holds.
 */
export function addUp(
  { slices, parts, facts }: Finish,
  archiveBytes: (stored: number) => number,
): { tables: TableRows[]; closings: Closing[] } {
  const totals = new Map(
    facts.tables.map(({ dumpId, schema, name }) => {
      const table: TableRows = { schema, name, rows: 0, rawBytes: 0 };
      return [dumpId, { table, complete: false }];
    }),
  );
  const closings: Closing[] = [];
  let checksum = ADLER_OF_NOTHING;
  for (const { number, first_part: firstPart, pieces, result } of slices) {
    const stored = parts.filter((part) => part.slice_number === number).reduce(
      (sum, { bytes }) => sum + archiveBytes(bytes),
      0,
    );
    if (stored !== result.stored_bytes) {
      throw new BackupError(
        "verification_failed",
        `Slice ${number} wrote ${result.stored_bytes} bytes, its recorded parts have ${stored}`,
        "The run starts over by itself; should it happen again, report it.",
      );
    }
    for (const [index, piece] of pieces.entries()) {
      const done = result.pieces[index];
      const total = totals.get(piece.dumpId);
      if (done?.dumpId !== piece.dumpId || total === undefined || total.complete) throw notRead(piece.table);
      total.table.rows += done.rows;
      total.table.rawBytes += done.rawBytes;
      total.complete = piece.last;
      checksum = combineAdler32(piece.first ? ADLER_OF_NOTHING : checksum, done.adler32, done.rawBytes);
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
    `${table} was planned and is not, or not once, among what the slices exported`,
    "The run starts over by itself; should it happen again, report it.",
  );
}
