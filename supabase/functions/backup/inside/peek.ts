/** The first rows of a table in a backup, read from the parts that hold them. */
import { firstRow, rowBatches } from "../archive/row_batches.ts";
import { columnsOf } from "../restore/sql_names.ts";
import { valuesOf } from "../restore_plan/copy_text.ts";
import type { Work } from "./work.ts";
import type { PeekTask } from "./inside_client.ts";
import { plainTable } from "./plain_table.ts";

/** Letters of a value that are shown; what is longer says so. */
const SHOWN = 10_000;

/** Texts of all rows together: an answer is a value of a table. */
const MOST_LETTERS = 4_000_000;

export async function peek({ open, client, share }: Work, task: PeekTask): Promise<void> {
  const archive = await open(task);
  const { data } = plainTable(archive.entries, task.schema, task.name);
  const found: Record<string, string | null>[] = [];
  let letters = 0;
  for (const entry of data) {
    if (found.length === task.row_limit) break;
    const place = await firstRow(archive.source, entry.dumpId, archive.said(entry).begin);
    const texts = async function* () {
      for await (const { text } of rowBatches(archive.source, place)) {
        share.spendText(text.length);
        yield text;
      }
    };
    for await (const row of valuesOf(columnsOf(entry.copy!), texts())) {
      for (const [column, value] of Object.entries(row)) {
        if (value !== null && value.length > SHOWN) {
          row[column] = `${value.slice(0, SHOWN)}… (${value.length} characters)`;
        }
        letters += row[column]?.length ?? 0;
      }
      found.push(row);
      if (found.length === task.row_limit || letters > MOST_LETTERS) break;
    }
  }
  await client.peeked(task.id, found, null);
}
