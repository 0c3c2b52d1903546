/** Dumps a whole database in one process, by the stages of the function and without a project. */
import { writeHead } from "../../supabase/functions/backup/archive/header.ts";
import { SegmentDeflater } from "../../supabase/functions/backup/archive/segment.ts";
import { extensionRowsWarning } from "../../supabase/functions/backup/catalog/extension_rows.ts";
import { exposedWarnings, openSession } from "../../supabase/functions/backup/postgres/session.ts";
import { beginSnapshot } from "../../supabase/functions/backup/postgres/snapshot.ts";
import { exportPiece } from "../../supabase/functions/backup/slices/export_piece.ts";
import { wholeTable } from "../../supabase/functions/backup/slices/plan.ts";
import { readDump } from "../../supabase/functions/backup/toc/dump.ts";
import type { Warning } from "../../supabase/functions/backup/entry.ts";

/** Makes smaller archives than pg_dump's default, more than twice as fast (bench/). */
export const DEFAULT_LEVEL = 4;
export const DEFAULT_LOCK_WAIT_MS = 60_000;

export interface DumpOptions {
  /** Certificate (PEM) of the authority that signs the server's. */
  rootCertificate?: string | undefined;
  /** Deflate level, 1 to 9. */
  level?: number;
  lockTimeoutMs?: number;
  /** `schema.table` of tables whose rows stay out. */
  leaveOut?: readonly string[];
  /** Called often with the bytes of COPY text that are done and expected, and the table. */
  onProgress?: (done: number, expected: number, table: string) => void;
}

export interface DumpSummary {
  tables: number;
  rows: number;
  /** COPY text. */
  rawBytes: number;
  /** The archive. */
  bytes: number;
  warnings: Warning[];
}

/** Writes bytes, which are valid until the promise resolves. */
export type Write = (bytes: Uint8Array) => Promise<void>;

/**
 * Passes the archive of a database to `write`, piece by piece. Throws BackupError, and what the database or `write`
 * throws.
 */
export async function dumpDatabase(
  url: string,
  write: Write,
  options: DumpOptions = {},
): Promise<DumpSummary> {
  const { level = DEFAULT_LEVEL, lockTimeoutMs = DEFAULT_LOCK_WAIT_MS, leaveOut = [], onProgress } = options;
  const session = await openSession(url, {
    applicationName: "supabase-backup dump",
    // A database crosses a network in clear text only where that is written out.
    sslMode: "require",
    rootCertificate: options.rootCertificate,
  });
  try {
    const createdAt = new Date();
    await beginSnapshot(session);
    const dump = await readDump(session, { lockTimeoutMs, leaveOut });
    const expected = dump.data.reduce((sum, { heapBytes, toastBytes }) => sum + heapBytes + toastBytes, 0);
    const summary: DumpSummary = {
      tables: dump.data.length,
      rows: 0,
      rawBytes: 0,
      bytes: 0,
      warnings: [...exposedWarnings(session), ...dump.warnings],
    };
    const counted: Write = (piece) => {
      summary.bytes += piece.length;
      return write(piece);
    };
    await counted(writeHead(dump, { createdAt, level }));
    const deflater = new SegmentDeflater(level);
    for (const table of dump.data) {
      const { rows, rawBytes } = await exportPiece(session, wholeTable(table), deflater, (chunk) => {
        onProgress?.(summary.rawBytes + deflater.rawBytes, expected, table.qualifiedName);
        return counted(chunk);
      });
      summary.warnings.push(...extensionRowsWarning(table, rows));
      summary.rows += rows;
      summary.rawBytes += rawBytes;
    }
    return summary;
  } finally {
    await session.close();
  }
}
