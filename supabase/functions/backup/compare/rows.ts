/** Compares the number of rows and a hash of their content for each table of the archive and the target. */
import { adler32, ADLER_OF_NOTHING, adlerText } from "../archive/adler.ts";
import { sha256OfPieces } from "../storage/sha256.ts";
import { LARGE_OBJECTS, type Manifest } from "../manifest/manifest.ts";
import type { Session } from "../postgres/session.ts";
import { copyStatement } from "../slices/piece.ts";
import { wholeTable } from "../slices/plan.ts";
import { type Dump, type Entry, EXTENSION_DATA, type TableData } from "../entry.ts";
import type { OpenArchive } from "../archive/reader.ts";
import type { Check } from "./check.ts";
import { type Content, contentHash, contentOf } from "./content_hash.ts";
import { columnsOf } from "../restore/sql_names.ts";
import { linesOf } from "../restore_plan/copy_text.ts";
import type { Plan } from "../restore_plan/plan_step.ts";
import { quoted } from "../restore_plan/sql_text.ts";

export async function compareRows(
  archive: OpenArchive,
  manifest: Manifest | null,
  plan: Plan,
  session: Session,
  dump: Dump,
  onTable: (name: string) => void,
): Promise<Check[]> {
  const checks: Check[] = [];
  for (const entry of plan.restored) {
    if (entry.desc === "TABLE DATA") checks.push(await compareTable(entry, false));
    if (entry.desc === "BLOBS") checks.push(await compareLargeObjects(archive, manifest, entry, session));
  }
  const ofExtensions = plan.extensionRows.filter(({ hasData }) => hasData);
  for (const entry of [...plan.rows, ...ofExtensions]) checks.push(await compareTable(entry, true));
  return checks;

  /** In a table of the platform the target may have further rows. */
  async function compareTable(entry: Entry, mayHaveMore: boolean): Promise<Check> {
    const name = `${entry.namespace}.${entry.tag}`;
    const what = `rows: ${name}`;
    onTable(name);
    const { columns, lost } = sharedColumns(entry);
    const sum = { adler32: ADLER_OF_NOTHING };
    const rows = summed(archive.rows(entry.dumpId), sum);
    const held = await contentOf(lost.length === 0 ? rows : projected(rows, entry, columns));
    const said = manifest?.tables.find(({ schema, name }) =>
      schema === entry.namespace && name === entry.tag
    );
    if (said && said.rows !== held.rows) {
      return {
        what,
        outcome: "failed",
        detail: `the archive has ${held.rows}, its manifest says ${said.rows}`,
      };
    }
    // Columns are only taken out up to the last row.
    if (lost.length === 0 && said?.adler32 !== undefined && said.adler32 !== adlerText(sum.adler32)) {
      const detail = `the archive's rows have the checksum ${
        adlerText(sum.adler32)
      }, its manifest says ${said.adler32}`;
      return { what, outcome: "failed", detail };
    }
    const why = plan.altered.get(entry.dumpId);
    if (why !== undefined) return { what, outcome: "skipped", detail: `${held.rows} rows: ${why}` };
    if (entry.desc === EXTENSION_DATA && tableThere(entry) === undefined) {
      return held.rows === 0 ? { what, outcome: "passed", detail: "no rows" } : {
        what,
        outcome: "unchecked",
        detail: `${held.rows} rows of an extension: it has no such table here`,
      };
    }
    let found: Content;
    try {
      found = await contentThere(entry, columns);
    } catch (error) {
      // The transaction is aborted, so everything after it would fail too.
      throw new Error(`${name} could not be read in the target: ${(error as Error).message}`, {
        cause: error,
      });
    }
    const same = found.rows === held.rows && found.hash === held.hash;
    const without = lost.length === 0 ? "" : ` without ${lost.join(", ")}, which the target lacks`;
    if (same) return { what, outcome: "passed", detail: `${held.rows} rows, content ${held.hash}${without}` };
    const detail =
      `${found.rows} rows, content ${found.hash}, instead of ${held.rows} rows, content ${held.hash}`;
    return mayHaveMore && found.rows > held.rows
      ? { what, outcome: "unchecked", detail: `${detail}: the target had rows of its own` }
      : { what, outcome: "failed", detail };
  }

  /**
   * In the archive's order: the table's columns may be ordered otherwise, and a table of the platform may
   * lack some.
   */
  function sharedColumns(entry: Entry): { columns: string[]; lost: string[] } {
    const all = columnsOf(entry.copy!);
    const there = tableThere(entry);
    if (there === undefined) return { columns: all, lost: [] };
    const has = new Set(columnsOf(`COPY t ${there.columnList} FROM stdin;\n`));
    return {
      columns: all.filter((column) => has.has(column)),
      lost: all.filter((column) => !has.has(column)),
    };
  }

  async function contentThere(entry: Entry, columns: readonly string[]): Promise<Content> {
    const there = tableThere(entry);
    if (there === undefined) return { rows: 0, hash: "no such table" };
    const list = columns.length === 0 ? "" : `(${columns.map(quoted).join(", ")})`;
    const hash = await contentHash();
    await session.copy(copyStatement({ ...wholeTable(there), columns: list }), (block) => hash.push(block));
    return hash.content;
  }

  function tableThere(entry: Entry): TableData | undefined {
    return dump.data.find(({ schema, name }) => schema === entry.namespace && name === entry.tag);
  }
}

/** Yields the pieces and computes their checksum, including the end mark. */
async function* summed(
  rows: AsyncIterable<Uint8Array>,
  sum: { adler32: number },
): AsyncGenerator<Uint8Array> {
  for await (const piece of rows) {
    sum.adler32 = adler32(piece, sum.adler32);
    yield piece;
  }
}

/** Yields lines with the fields of some columns only. */
async function* projected(
  rows: AsyncIterable<Uint8Array>,
  entry: Entry,
  columns: readonly string[],
): AsyncGenerator<Uint8Array> {
  const kept = new Set(columns);
  const keep = columnsOf(entry.copy!).map((column) => kept.has(column));
  const [decoder, encoder] = [new TextDecoder(), new TextEncoder()];
  for await (const line of linesOf(rows)) {
    const fields = decoder.decode(line).split("\t").filter((_, index) => keep[index]);
    yield encoder.encode(`${fields.join("\t")}\n`);
  }
}

/** Compares each by its SHA-256; the target may have others. */
async function compareLargeObjects(
  archive: OpenArchive,
  manifest: Manifest | null,
  entry: Entry,
  { sql }: Session,
): Promise<Check> {
  const wrong: string[] = [];
  let right = 0;
  for await (const { oid, bytes } of archive.largeObjects(entry.dumpId)) {
    const held = await sha256OfPieces(bytes);
    const [row] = await sql.unsafe<{ sha256: string }[]>(`
      select pg_catalog.encode(pg_catalog.sha256(pg_catalog.lo_get(oid)), 'hex') as sha256 from pg_catalog.pg_largeobject_metadata where oid = ${oid}`);
    if (row === undefined) wrong.push(`${oid} is missing`);
    else if (row.sha256 !== held.sha256) wrong.push(`${oid} has another content`);
    else right++;
  }
  const said = manifest?.tables.find(({ schema, name }) =>
    schema === LARGE_OBJECTS.schema && name === LARGE_OBJECTS.name
  );
  if (said && said.rows !== right + wrong.length) {
    wrong.push(`the archive has ${right + wrong.length}, its manifest says ${said.rows}`);
  }
  return wrong.length === 0
    ? { what: "large objects", outcome: "passed", detail: `${right} with the same content` }
    : { what: "large objects", outcome: "failed", detail: wrong.slice(0, 5).join("; ") };
}
