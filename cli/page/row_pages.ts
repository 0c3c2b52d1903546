/** Pages of a table's rows: the next page goes on where the last one ended, without reading what is before it again. */
import type { OpenArchive } from "../../supabase/functions/backup/archive/reader.ts";
import { rowsOf } from "../../supabase/functions/backup/inspect/table_rows.ts";
import type { StoredTable } from "../../supabase/functions/backup/inspect/tables.ts";

export interface Page {
  columns: string[];
  rows: (string | null)[][];
  /** Whether there are rows behind them. */
  more: boolean;
}

type Row = (string | null)[];

interface Reading {
  offset: number;
  rows: AsyncGenerator<Row>;
  /** Read to see whether there is more. */
  next: IteratorResult<Row>;
}

/** Readings that wait for somebody to turn the page. */
const MOST_READINGS = 8;

export class RowPages {
  readonly #readings = new Map<string, Reading>();

  /** Returns `limit` rows from `offset` on. Throws ArchiveError where they are damaged. */
  async page(
    backup: string,
    archive: OpenArchive,
    table: StoredTable,
    offset: number,
    limit: number,
  ): Promise<Page> {
    const reading = await this.#take(`${backup} ${table.dumpId}`, archive, table, offset);
    const rows: Row[] = [];
    while (rows.length < limit && !reading.next.done) {
      rows.push(reading.next.value);
      reading.next = await reading.rows.next();
    }
    reading.offset += rows.length;
    const more = !reading.next.done;
    if (more) await this.#keep(`${backup} ${table.dumpId}`, reading);
    return { columns: table.columns, rows, more };
  }

  /** Takes the reading that stands at `offset`, or begins one. */
  async #take(name: string, archive: OpenArchive, table: StoredTable, offset: number): Promise<Reading> {
    const key = `${name} ${offset}`;
    const waiting = this.#readings.get(key);
    this.#readings.delete(key);
    if (waiting !== undefined) return waiting;
    const rows = rowsOf(archive, table);
    let next = await rows.next();
    for (let skipped = 0; skipped < offset && !next.done; skipped++) next = await rows.next();
    return { offset, rows, next };
  }

  async #keep(name: string, reading: Reading): Promise<void> {
    this.#readings.set(`${name} ${reading.offset}`, reading);
    if (this.#readings.size <= MOST_READINGS) return;
    const [[oldest, { rows }]] = this.#readings as unknown as [[string, Reading]];
    this.#readings.delete(oldest);
    await rows.return(undefined);
  }
}
