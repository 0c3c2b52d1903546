/** Exports a slice: its pieces one after the other, as parts of the archive. */
import { SegmentDeflater } from "../archive/segment.ts";
import { BackupError } from "../errors.ts";
import type { Session } from "../postgres/session.ts";
import { PartWriter, type StorePart } from "./part_writer.ts";
import { PARTS_PER_SLICE } from "./plan.ts";
import { exportPiece, type ReadOptions } from "./export_piece.ts";
import type { Piece, PieceResult } from "./piece.ts";

/** One number is the closing part's. */
const MOST_PARTS = PARTS_PER_SLICE - 1;

export interface SliceResult {
  rows: number;
  rawBytes: number;
  storedBytes: number;
  pieces: PieceResult[];
  /** Time that compression and checksums took. */
  busyMs: number;
}

export interface ExportedSlice {
  result: SliceResult;
  /** Resolves when its last part is stored as well; throws what storing threw. */
  stored: Promise<void>;
}

/** What is done of a slice that is being exported. */
export interface SliceProgress {
  table: string;
  rows: number;
  rawBytes: number;
  /** Time that compression and checksums took. */
  busyMs: number;
}

export interface ExportOptions extends ReadOptions {
  /** Deflate level, 1 to 9. */
  level: number;
  partBytes: number;
  /** Room behind each part's bytes that `store` needs. */
  spare?: number;
  store: StorePart;
  /** Called often; keep it cheap. Throw to stop. */
  onProgress?: (progress: SliceProgress) => void;
}

/**
 * Exports a slice. Returns when all rows are read; the last part may still be on its way. Throws BackupError
 * `row_too_large` for a slice that needs more parts than it owns, and what the session or `store` throws; no part is on
 * its way then.
 */
export async function exportSlice(
  session: Session,
  slice: { firstPart: number; pieces: Piece[] },
  { level, partBytes, spare, store, signal, guard, onProgress }: ExportOptions,
): Promise<ExportedSlice> {
  const deflater = new SegmentDeflater(level);
  const writer = new PartWriter(slice.firstPart, partBytes, store, spare);
  const done: SliceResult = { rows: 0, rawBytes: 0, storedBytes: 0, pieces: [], busyMs: 0 };
  try {
    for (const piece of slice.pieces) {
      const result = await exportPiece(
        session,
        piece,
        deflater,
        async (bytes) => {
          if (writer.parts > MOST_PARTS) {
            throw tooLarge(piece.table, partBytes);
          }
          onProgress?.({
            table: piece.table,
            rows: done.rows,
            rawBytes: done.rawBytes + deflater.rawBytes,
            busyMs: deflater.busyMs,
          });
          await writer.write(bytes);
        },
        { signal, guard },
      );
      done.pieces.push(result);
      done.rows += result.rows;
      done.rawBytes += result.rawBytes;
      done.storedBytes += result.storedBytes;
    }
    await writer.end();
  } catch (error) {
    // No part may still be on its way when another worker gets the slice.
    await writer.settle();
    throw error;
  }
  done.busyMs = deflater.busyMs;
  return { result: done, stored: writer.stored };
}

function tooLarge(table: string, partBytes: number): BackupError {
  return new BackupError(
    "row_too_large",
    `Cannot export table ${table}: its rows need more than ${MOST_PARTS} parts of ${partBytes} bytes in one slice`,
    "Raise part_bytes with backup.configure(), up to the file size limit of the project's Storage.",
  );
}
