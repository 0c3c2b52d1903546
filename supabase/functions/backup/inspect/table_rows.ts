/** Reads rows of one table of an archive, and finds the row with a key. */
import type { OpenArchive } from "../archive/reader.ts";
import { linesOf } from "../restore_plan/copy_text.ts";
import { bytesOfValues, picker, sameBytes, valuesOfLine } from "./fields.ts";
import type { StoredTable } from "./tables.ts";

/** Yields the rows as values in the order of the table's columns. Throws ArchiveError where they are damaged. */
export async function* rowsOf(
  archive: OpenArchive,
  { dumpId, columns }: StoredTable,
): AsyncGenerator<(string | null)[]> {
  for await (const line of linesOf(archive.rows(dumpId))) yield valuesOfLine(line, columns.length);
}

/**
 * Returns the row whose `columns` have the given values, as PostgreSQL prints them, or null. Reads the table up to that
 * row. Throws ArchiveError where it is damaged.
 */
export async function findRow(
  archive: OpenArchive,
  table: StoredTable,
  columns: readonly string[],
  values: readonly string[],
): Promise<(string | null)[] | null> {
  const pick = picker(columns.map((column) => table.columns.indexOf(column)));
  const wanted = bytesOfValues(values);
  for await (const line of linesOf(archive.rows(table.dumpId))) {
    if (sameBytes(pick(line), wanted)) return valuesOfLine(line, table.columns.length);
  }
  return null;
}
