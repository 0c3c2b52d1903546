/**
 * One slice of a drill's table: rows in, and read back in the same transaction. A server mostly returns rows in the
 * order in which they came, so the text that went in is what comes back; one hash of all of it costs a tenth of a hash
 * of each row. Rows of very different lengths fill gaps of earlier pages: such a table is compared row by row.
 */
import { ArchiveError } from "../archive/primitives.ts";
import { contentHash } from "../compare/content_hash.ts";
import { textHash } from "../compare/text_hash.ts";
import type { Entry } from "../entry.ts";
import type { Session } from "../postgres/session.ts";
import { copyStatement } from "../restore/copy_rows.ts";
import { columnsOf } from "../restore/sql_names.ts";
import { literal, quoted } from "../restore_plan/sql_text.ts";
import { copySlice, type Slice } from "./copy_slice.ts";
import type { Drill } from "./drill_run.ts";

/** The server looks for gaps among about 4,000 pages, more after it has vacuumed the table. */
const PAGES_WITH_GAPS = 8192;

/** Copies rows in, reads them back, and compares. Throws ArchiveError where they differ. */
export async function compareSlice(run: Drill, entry: Entry): Promise<Slice> {
  const { state, scratch: { sql } } = run;
  const begin = structuredClone(state.done);
  if (!state.byRow) {
    const { slice, isSame } = await copyAndCompare(run, entry, false);
    if (isSame) return slice;
    await sql.unsafe("rollback");
    state.done = begin;
    state.byRow = true;
  }
  return (await copyAndCompare(run, entry, true)).slice;
}

/** Returns with an open transaction where the text differs; by rows it throws ArchiveError then. */
async function copyAndCompare(
  { work, state, archive, scratch }: Drill,
  entry: Entry,
  byRow: boolean,
): Promise<{ slice: Slice; isSame: boolean }> {
  const table = nameOf(entry);
  const newHash = byRow ? contentHash : textHash;
  await scratch.sql.unsafe("begin");
  const pages = state.there === 0 ? 0 : await pagesOf(scratch, table);
  const sent = await newHash();
  const slice = await copySlice(
    { session: scratch, share: work.share },
    archive.source,
    state.done!,
    copyStatement(entry, { encoding: "UTF8", disableTriggers: false }),
    (text) => {
      sent.push(text);
      return text;
    },
  );
  const readBack = async (firstPage: number) => {
    const found = await newHash();
    const columns = columnsOf(entry.copy!).map(quoted).join(", ");
    await scratch.copy(
      `copy (
        select ${columns} from only ${table}
        where ctid >= '(${firstPage},0)'::pg_catalog.tid and xmin = pg_catalog.xid(pg_catalog.pg_current_xact_id())
      ) to stdout`,
      (block) => work.share.time(() => found.push(block)),
    );
    return found.content;
  };
  const a = sent.content;
  let b = await readBack(Math.max(0, pages - PAGES_WITH_GAPS));
  if (byRow && b.rows < a.rows) b = await readBack(0);
  const isSame = a.rows === b.rows && a.hash === b.hash;
  if (byRow && !isSame) {
    throw new ArchiveError(
      `${b.rows} rows with content ${b.hash} came in of ${a.rows} with content ${a.hash}`,
    );
  }
  if (isSame) await scratch.sql.unsafe("commit");
  return { slice, isSame };
}

async function pagesOf({ sql }: Session, table: string): Promise<number> {
  const [size] = await sql.unsafe<{ pages: string }[]>(`
    select pg_catalog.pg_relation_size(${
    literal(table)
  }) / pg_catalog.current_setting('block_size')::pg_catalog.int8 as pages`);
  return Number(size!.pages);
}

export function nameOf({ namespace, tag }: Entry): string {
  return `${quoted(namespace!)}.${quoted(tag)}`;
}
