/**
 * Estimates how much COPY text a table has, and where in the table it lies. Sizes on disk mislead: TOAST is compressed,
 * bloat is empty, and old rows may not be as wide as new ones. So large tables are sampled, region by region.
 */
import { isStatementError, type Session } from "../postgres/session.ts";
import { LARGE_OBJECT_BYTES } from "./large_objects.ts";
import type { TableData } from "../entry.ts";

/** Neighbouring pages that count as alike. */
export interface Region {
  pages: number;
  /** COPY text of one of its pages. */
  pageBytes: number;
  /** Highest line number seen on a page; 1 at least. */
  lines: number;
}

export interface Estimate {
  /** COPY text of the whole table. */
  bytes: number;
  /** In page order, together all pages; null for a table that is not sampled. */
  regions: Region[] | null;
}

/** Tables from this share of a slice on are sampled; for smaller ones a wrong guess does no harm. */
const SAMPLED_SHARE = 1 / 8;
/** Rows that are read of a sampled page: narrow ones cost the server little, wide ones must be few. */
const LINES_SAMPLED = 40;
const REGIONS_PER_SLICE = 4;
const MOST_REGIONS = 64;
/** A table that takes longer to sample is estimated by its size on disk. */
const SAMPLE_TIMEOUT_MS = 30_000;

/** Returns the estimates of all tables, in their order. Needs `select` on them, as COPY does. */
export async function estimateTables(
  session: Session,
  tables: readonly TableData[],
  sliceBytes: number,
): Promise<Estimate[]> {
  const estimates: Estimate[] = [];
  const { sql } = session;
  await sql.unsafe(`savepoint estimates; set local statement_timeout = ${SAMPLE_TIMEOUT_MS}`).simple();
  for (const table of tables) {
    const onDisk = table.heapBytes + table.toastBytes + (table.objects?.length ?? 0) * LARGE_OBJECT_BYTES;
    const sampled = table.sliceable && table.filter === "" &&
      table.columnList !== "" &&
      table.pages > 0 && onDisk > sliceBytes * SAMPLED_SHARE;
    if (!sampled) {
      estimates.push({ bytes: onDisk, regions: null });
      continue;
    }
    if (table.guarded) {
      estimates.push(unsampled(table));
      continue;
    }
    try {
      estimates.push(await sampleTable(session, table, sliceBytes));
    } catch (error) {
      if (!isStatementError(error)) throw error;
      // COPY will report rows that cannot be read, and name the table; here a guess at their size is enough.
      await sql.unsafe(
        `rollback to savepoint estimates; set local statement_timeout = ${SAMPLE_TIMEOUT_MS}`,
      ).simple();
      estimates.push(unsampled(table));
    }
  }
  await sql.unsafe("rollback to savepoint estimates; release savepoint estimates").simple();
  return estimates;
}

async function sampleTable(session: Session, table: TableData, sliceBytes: number): Promise<Estimate> {
  const onDisk = table.heapBytes + table.toastBytes;
  const count = Math.min(MOST_REGIONS, table.pages, REGIONS_PER_SLICE * Math.ceil(onDisk / sliceBytes));
  const begins = Array.from({ length: count + 1 }, (_, index) => Math.floor(table.pages * index / count));
  const spots = begins.slice(0, -1).map((begin, index) =>
    spotQuery(table, index, Math.floor((begin + begins[index + 1]!) / 2))
  );
  const rows = await session.sql.unsafe<
    { region: number; rows: number; bytes: number; lines: number }[]
  >(spots.join("\nunion all\n"));
  const found = rows.toSorted((a, b) => a.region - b.region).map(({ rows, bytes, lines }) => ({
    // The rows of a page that were not read count like those that were.
    pageBytes: rows === 0 ? 0 : bytes / rows * Math.max(rows, lines),
    lines: Math.max(1, lines),
  }));
  // The sampled page may be the only empty page of a full region, so the average counts by half.
  const average = found.reduce((sum, { pageBytes }) => sum + pageBytes, 0) /
    count;
  const regions = found.map(({ pageBytes, lines }, index) => ({
    pages: begins[index + 1]! - begins[index]!,
    pageBytes: Math.max(1, pageBytes, average / 2),
    lines,
  }));
  return {
    bytes: Math.ceil(regions.reduce((sum, { pages, pageBytes }) => sum + pages * pageBytes, 0)),
    regions,
  };
}

/**
 * Returns the query of one page: the text of its first rows, the number of all its lines (a pointer into TOAST is
 * short, so there may be hundreds). Its bounds are constants, because only then the server reads that page alone. It
 * has no cast, because the owner of a table can create one from the row type, which would run with the rights of the
 * backup. It reads only the columns that COPY reads, so that no generated column is computed.
 */
function spotQuery({ qualifiedName, columnList }: TableData, region: number, page: number): string {
  const onPage = `ctid >= '(${page},0)'::pg_catalog.tid and ctid < '(${page + 1},0)'::pg_catalog.tid`;
  return `(select ${region} as region, pg_catalog.count(*)::int as rows, coalesce(pg_catalog.sum(bytes), 0)::pg_catalog.float8 as bytes,
    coalesce((
      select pg_catalog.max((pg_catalog.point_in(pg_catalog.tidout(ctid)))[1]) from only ${qualifiedName} where ${onPage}
    ), 0)::int as lines
from (
    select pg_catalog.octet_length(pg_catalog.textin(pg_catalog.record_out(row${columnList}))) as bytes
    from only ${qualifiedName} where ${onPage} limit ${LINES_SAMPLED}
) as spot)`;
}

/** Returns the estimate of a table as if its bytes were spread evenly. */
function unsampled({ pages, heapBytes, toastBytes }: TableData): Estimate {
  const bytes = heapBytes + toastBytes;
  return { bytes, regions: [{ pages, pageBytes: bytes / pages, lines: 1 }] };
}
