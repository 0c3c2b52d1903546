/** Reads the rows of a piece and emits them as they stand in the archive. */
import { closeBlock, COPY_END, openBlock } from "../archive/block.ts";
import type { Emit, SegmentDeflater } from "../archive/segment.ts";
import type { CopyConsumer, Session } from "../postgres/session.ts";
import type { Guard } from "./guard.ts";
import { exportLargeObjects } from "./large_objects.ts";
import { isTooLarge, RowTooLargeError } from "./large_row.ts";
import { copyStatement, type Piece, type PieceResult } from "./piece.ts";

/**
 * Emits the bytes of a piece. A table in one piece is a whole data block; of a table in several, the closing part is
 * left to the finisher, which alone knows every piece's checksum. Throws what the database or `emit` throws.
 */
export async function exportPiece(
  session: Session,
  piece: Piece,
  deflater: SegmentDeflater,
  emit: Emit,
  { signal, guard }: ReadOptions = {},
): Promise<PieceResult> {
  if (piece.largeObjects) return await exportLargeObjects(session, piece, deflater, emit, signal);
  let storedBytes = 0;
  const counted: Emit = (bytes) => {
    storedBytes += bytes.length;
    return emit(bytes);
  };
  if (piece.first) await counted(openBlock(piece.dumpId));
  const rows = await copyRows(session, piece, (block) => deflater.push(block, counted), { signal, guard });
  if (piece.last) await deflater.push(COPY_END, counted);
  const { adler32, rawBytes } = await deflater.finish(counted);
  if (piece.first && piece.last) await counted(closeBlock(adler32));
  return { dumpId: piece.dumpId, rows, rawBytes, adler32, storedBytes };
}

export interface ReadOptions {
  /** Ends the COPY that is under way; its reason is thrown. */
  signal?: AbortSignal | undefined;
  /** For queries of tables whose owner is not trusted. */
  guard?: Guard | undefined;
}

/** Runs COPY. An error of the server does not name the table, so its name is added. */
async function copyRows(
  session: Session,
  piece: Piece,
  consume: CopyConsumer,
  { signal, guard }: ReadOptions,
): Promise<number> {
  const statement = copyStatement(piece);
  const read = () => session.copy(statement, consume, signal);
  const isCut = piece.from !== null || piece.to !== null;
  if (piece.guarded && isCut && guard === undefined) {
    throw new Error(`A part of ${piece.table} is read without a guard`);
  }
  try {
    return piece.guarded && (isCut || piece.filter !== "") && guard
      ? await guard(piece.table, read)
      : await read();
  } catch (error) {
    if (isTooLarge(error)) throw new RowTooLargeError(piece, null, error);
    const { query } = (error ?? {}) as { query?: string };
    if (error instanceof Error && query === statement) {
      error.message = `Cannot read table ${piece.table} (owner ${piece.owner}): ${error.message}`;
    }
    throw error;
  }
}
