/**
 * How much COPY text a table gives, and where in the table it lies. Sizes on disk mislead: TOAST is compressed, bloat is
 * empty, and old rows need not be as wide as new ones. So large tables are sampled, region by region.
 */
import type { Session } from "../postgres/session.ts";
import { LARGE_OBJECT_BYTES } from "./large_objects.ts";
import type { TableData } from "../toc/entry.ts";

/** A run of pages that are taken to be alike. */
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

/** Tables from this share of a slice on are sampled: below, a wrong guess cannot hurt. */
const SAMPLED_SHARE = 1 / 8;
/** Text of a sampled page and its many lines costs the server little; wide rows must be few. */
const LINES_SAMPLED = 40;
const REGIONS_PER_SLICE = 4;
const MOST_REGIONS = 64;

/** Estimates of all tables, in their order. Needs `select` on them, as COPY does. */
export async function estimateTables(
  session: Session,
  tables: readonly TableData[],
  sliceBytes: number,
): Promise<Estimate[]> {
  const estimates: Estimate[] = [];
  for (const table of tables) {
    const onDisk = table.heapBytes + table.toastBytes + (table.objects?.length ?? 0) * LARGE_OBJECT_BYTES;
    const sampled = table.sliceable && table.filter === "" &&
      table.columnList !== "" &&
      table.pages > 0 && onDisk > sliceBytes * SAMPLED_SHARE;
    estimates.push(
      sampled ? await sampleTable(session, table, sliceBytes) : { bytes: onDisk, regions: null },
    );
  }
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
    // A page with more lines than were looked at has more of the same.
    pageBytes: rows === 0 ? 0 : bytes / rows * Math.max(rows, lines),
    lines: Math.max(1, lines),
  }));
  // The sampled page may be the one empty page of a full region; its neighbours speak for it, by half.
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
 * One page: the text of its first rows, the lines of all of them (a pointer into TOAST is short, so there may be hundreds). The
 * bounds are constants: only then the server reads that page alone.
 */
function spotQuery({ qualifiedName }: TableData, region: number, page: number): string {
  const onPage = `ctid >= '(${page},0)'::tid and ctid < '(${page + 1},0)'::tid`;
  return `(select ${region} as region, count(*)::int as rows, coalesce(sum(bytes), 0)::float8 as bytes,
    (select coalesce(max((ctid::text::point)[1]), 0)::int from only ${qualifiedName} where ${onPage}) as lines
from (
    select octet_length(sampled::text) as bytes from only ${qualifiedName} as sampled where ${onPage} limit ${LINES_SAMPLED}
) as spot)`;
}
