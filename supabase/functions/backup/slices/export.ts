/** Exports a slice: its pieces one after the other, as parts of the archive. */
import { SegmentDeflater } from "../archive/segment.ts";
import { BackupError } from "../errors.ts";
import type { Session } from "../postgres/session.ts";
import { PartWriter, type StorePart } from "./part_writer.ts";
import { PARTS_PER_SLICE } from "./plan.ts";
import { exportPiece, type Piece, type PieceResult } from "./piece.ts";

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
}

export interface ExportOptions {
  /** Deflate level, 1 to 9. */
  level: number;
  partBytes: number;
  /** Room behind each part's bytes that `store` asks for. */
  spare?: number;
  store: StorePart;
  /** Called often; keep it cheap. Throw to stop. */
  onProgress?: (progress: SliceProgress) => void;
}

/**
 * Answers when all rows are read; the last part may still be on its way. Throws BackupError `row_too_large` for a slice that needs more parts than it owns, and what
 * the session or `store` throws; then no part is on its way.
 */
export async function exportSlice(
  session: Session,
  slice: { firstPart: number; pieces: Piece[] },
  { level, partBytes, spare, store, onProgress }: ExportOptions,
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
          onProgress?.({ table: piece.table, rows: done.rows, rawBytes: done.rawBytes + deflater.rawBytes });
          await writer.write(bytes);
        },
      );
      done.pieces.push(result);
      done.rows += result.rows;
      done.rawBytes += result.rawBytes;
      done.storedBytes += result.storedBytes;
    }
    await writer.end();
  } catch (error) {
    // No part may still be on its way when the slice goes to someone else.
    await writer.settle();
    throw error;
  }
  done.busyMs = deflater.busyMs;
  return { result: done, stored: writer.stored };
}

function tooLarge(table: string, partBytes: number): BackupError {
  return new BackupError(
    "row_too_large",
    `${table} has rows that do not fit a slice: more than ${MOST_PARTS} parts of ${partBytes} bytes`,
    "Raise part_bytes with backup.configure(), up to the file limit of the project's Storage.",
  );
}
