/** A piece: the rows of one table, or of a range of it, as a run of bytes of the archive. */
import { closeBlock, COPY_END, openBlock } from "../archive/block.ts";
import type { Emit, SegmentDeflater } from "../archive/segment.ts";
import type { Session } from "../postgres/session.ts";
import { exportLargeObjects } from "./large_objects.ts";

/** Stored as JSON with its slice: whoever claims the slice needs nothing else to export it. */
export interface Piece {
  dumpId: number;
  /** Quoted and qualified. */
  table: string;
  /** `(a, b)`, quoted; `""` for a table without columns. */
  columns: string;
  /** `WHERE …` of extension configuration tables; else `""`. */
  filter: string;
  /** Place of the first row, `(page,line)`, or first large object's OID; null from the beginning. */
  from: string | null;
  /** Place before which it ends; null for all there is. */
  to: string | null;
  /** Begins, and ends, the table's data. */
  first: boolean;
  last: boolean;
  /** Large objects instead of a table's rows. */
  largeObjects?: true;
}

export interface PieceResult {
  dumpId: number;
  /** Or large objects. */
  rows: number;
  /** COPY text, with the end mark of a last piece. */
  rawBytes: number;
  /** Adler-32 of the COPY text; of large objects, which have one each, it says nothing. */
  adler32: number;
  storedBytes: number;
}

/**
 * Emits the bytes of a piece. A table in one piece is a whole data block; of a table in several, the closing part is
 * left to the finisher, who alone knows every piece's checksum. Throws what the database or `emit` throws.
 */
export async function exportPiece(
  session: Session,
  piece: Piece,
  deflater: SegmentDeflater,
  emit: Emit,
): Promise<PieceResult> {
  if (piece.largeObjects) return await exportLargeObjects(session, piece, deflater, emit);
  let storedBytes = 0;
  const counted: Emit = (bytes) => {
    storedBytes += bytes.length;
    return emit(bytes);
  };
  if (piece.first) await counted(openBlock(piece.dumpId));
  const rows = await session.copy(copyStatement(piece), (block) => deflater.push(block, counted));
  if (piece.last) await deflater.push(COPY_END, counted);
  const { adler32, rawBytes } = await deflater.finish(counted);
  if (piece.first && piece.last) await counted(closeBlock(adler32));
  return { dumpId: piece.dumpId, rows, rawBytes, adler32, storedBytes };
}

/** pg_dump's own statement for a whole table; a query where only some rows are wanted. */
export function copyStatement({ table, columns, filter, from, to }: Piece): string {
  if (filter === "" && from === null && to === null) {
    return `COPY ${table} ${columns} TO stdout`;
  }
  const list = columns.replace(/^\(|\)$/g, "");
  if (filter !== "") {
    return `COPY (SELECT ${list} FROM ${table} ${filter}) TO stdout`;
  }
  const bounds = [
    ...(from === null ? [] : [`ctid >= '${from}'::pg_catalog.tid`]),
    ...(to === null ? [] : [`ctid < '${to}'::pg_catalog.tid`]),
  ];
  return `COPY (SELECT ${list} FROM ONLY ${table} WHERE ${bounds.join(" AND ")}) TO stdout`;
}
