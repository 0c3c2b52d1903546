/** Cuts the tables of a dump into slices: what one worker exports in one go. */
import { BackupError } from "../errors.ts";
import type { TableData } from "../entry.ts";
import type { Estimate, Region } from "./estimate.ts";
import { LARGE_OBJECT_BYTES } from "./large_objects.ts";
import type { Piece } from "./piece.ts";

export interface Slice {
  number: number;
  /** First of the part numbers that are the slice's own. */
  firstPart: number;
  /** COPY text that is expected, with what its statements cost. */
  estimatedBytes: number;
  pieces: PlannedPiece[];
}

/** A piece with the COPY text that is expected of it: what its progress is measured by. */
export interface PlannedPiece extends Piece {
  estimatedBytes: number;
}

/** A statement costs as much CPU as about this much COPY text, however few rows it gives. */
export const PIECE_BYTES = 64 * 1024;

/** Parts are five digits: `00000.dump` to `99999.dump`. */
const PART_NUMBERS = 100_000;

/**
 * Part numbers that each slice owns. Names must be known before sizes are: unused numbers are gaps. The last one is
 * kept for the closing part of a table that ends in the slice.
 */
export const PARTS_PER_SLICE = 16;

/**
 * Slices in archive order: neighbouring small tables share one, larger ones are cut by ctid so that each slice has
 * about `sliceBytes`. `headParts` numbers are taken already. Throws BackupError `too_large` for more slices than there
 * are part numbers.
 */
export function planSlices(
  tables: readonly TableData[],
  estimates: readonly Estimate[],
  { sliceBytes, headParts }: { sliceBytes: number; headParts: number },
): Slice[] {
  const groups: Pick<Slice, "estimatedBytes" | "pieces">[] = [];
  let open: typeof groups[number] | null = null;
  for (const [index, table] of tables.entries()) {
    const { bytes, regions } = estimates[index]!;
    const cuts = bytes <= sliceBytes
      ? []
      : table.objects
      ? cutObjects(table.objects, sliceBytes)
      : cutRegions(regions ?? [], sliceBytes);
    if (cuts.length > 0) {
      const estimatedBytes = Math.ceil(bytes / (cuts.length + 1));
      groups.push(
        ...cutPieces(table, cuts).map((piece) => ({
          estimatedBytes: estimatedBytes + PIECE_BYTES,
          pieces: [{ ...piece, estimatedBytes }],
        })),
      );
      open = null;
      continue;
    }
    const cost = bytes + PIECE_BYTES;
    if (open === null || open.estimatedBytes + cost > sliceBytes) {
      open = { estimatedBytes: 0, pieces: [] };
      groups.push(open);
    }
    open.estimatedBytes += cost;
    open.pieces.push({ ...wholeTable(table), estimatedBytes: bytes });
  }
  if (headParts + groups.length * PARTS_PER_SLICE > PART_NUMBERS) {
    throw new BackupError(
      "too_large",
      `Cannot plan ${groups.length} slices: there are not enough names for their parts`,
      "Raise slice_bytes (and part_bytes) with backup.configure().",
    );
  }
  return groups.map((group, number) => ({
    number,
    firstPart: headParts + number * PARTS_PER_SLICE,
    ...group,
  }));
}

/** Returns the piece that is a whole table. */
export function wholeTable(
  { dumpId, qualifiedName, owner, columnList, filter, guarded, objects }: TableData,
): Piece {
  const range = { from: null, to: null, first: true, last: true };
  return {
    dumpId,
    table: qualifiedName,
    owner,
    columns: columnList,
    filter,
    ...range,
    ...(guarded ? { guarded } : {}),
    ...(objects ? { largeObjects: true } : {}),
  };
}

function cutPieces(table: TableData, cuts: string[]): Piece[] {
  return [null, ...cuts].map((from, index) => ({
    ...wholeTable(table),
    from,
    // The last one takes whatever there is: rows behind the pages that were counted would be lost otherwise.
    to: cuts[index] ?? null,
    first: index === 0,
    last: index === cuts.length,
  }));
}

/** Returns the OIDs at which to cut: a large object itself is never cut. */
function cutObjects(objects: readonly { oid: number; bytes: number }[], sliceBytes: number): string[] {
  const cuts: string[] = [];
  let filled = 0;
  for (const { oid, bytes } of objects) {
    const cost = bytes + LARGE_OBJECT_BYTES;
    if (filled > 0 && filled + cost > sliceBytes) {
      cuts.push(String(oid));
      filled = 0;
    }
    filled += cost;
  }
  return cuts;
}

/**
 * Returns the places `(page,line)` at which to cut so that about `sliceBytes` lie between two; inside a page that alone
 * has more.
 */
function cutRegions(regions: readonly Region[], sliceBytes: number): string[] {
  const total = regions.reduce((sum, { pages, pageBytes }) => sum + pages * pageBytes, 0);
  // Equal slices, instead of full ones and a remainder.
  const wanted = total / Math.ceil(total / sliceBytes);
  const cuts: string[] = [];
  let begin = 0;
  let filled = 0;
  for (const { pages, pageBytes, lines } of regions) {
    for (let page = begin; page < begin + pages; page++) {
      if (filled > 0 && filled + pageBytes / 2 > wanted) {
        cuts.push(`(${page},0)`);
        filled = 0;
      }
      const inside = Math.min(lines, Math.ceil(pageBytes / sliceBytes));
      for (let cut = 1; cut < inside; cut++) {
        cuts.push(`(${page},${Math.floor(lines * cut / inside) + 1})`);
      }
      filled += pageBytes / inside;
    }
    begin += pages;
  }
  return cuts;
}
