/** `npm run --silent dump`: any PostgreSQL to an archive, by the stages of the function and without a project. */
import { parseArgs } from "node:util";
import colors from "picocolors";
import { writeHead } from "../supabase/functions/backup/archive/header.ts";
import { SegmentDeflater } from "../supabase/functions/backup/archive/segment.ts";
import { openSession } from "../supabase/functions/backup/postgres/session.ts";
import { beginSnapshot } from "../supabase/functions/backup/postgres/snapshot.ts";
import { exportPiece } from "../supabase/functions/backup/slices/piece.ts";
import { wholeTable } from "../supabase/functions/backup/slices/plan.ts";
import { readDump } from "../supabase/functions/backup/toc/dump.ts";
import type { Warning } from "../supabase/functions/backup/toc/entry.ts";
import { bytes, count, duration } from "./format.ts";
import { progress, runCommand, UsageError } from "./terminal.ts";

const USAGE = `Usage: npm run --silent dump -- --db-url URL [--out FILE] [--level N] [--lock-wait-timeout MS]

Writes an archive of a database (PostgreSQL 14 or later) for pg_restore, as \`pg_dump -Fc\` does.

  --db-url URL             postgresql://user:password@host:5432/database?sslmode=require
                           (DATABASE_URL in the environment keeps the password out of the process list)
  --out FILE               where to; standard output without it
  --level N                deflate level, 1 (fast) to 9 (small); 4 unless told
  --lock-wait-timeout MS   how long to wait for a table that somebody has locked; 60000 unless told`;

/** Smaller than pg_dump's default and more than twice as fast (bench/). */
export const DEFAULT_LEVEL = 4;
const DEFAULT_LOCK_WAIT_MS = 60_000;

/** Chunks are collected to this size before they are written. */
const WRITE_BYTES = 1024 * 1024;

export interface DumpOptions {
  /** Deflate level, 1 to 9. */
  level?: number;
  lockTimeoutMs?: number;
  /** Called often with the COPY text done and expected, in bytes, and the table. */
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

if (import.meta.main) {
  await runCommand(USAGE, async (args) => {
    const { url, out, options } = readOptions(args);
    const begin = performance.now();
    const bar = progress("dump");
    const dump = (write: Write) =>
      dumpDatabase(url, write, {
        ...options,
        onProgress: (done, expected, table) => bar.update(done, expected, table),
      });
    const summary = await (out === undefined ? toStandardOutput(dump) : toFile(out, dump)).finally(() =>
      bar.stop()
    );
    for (const { object, message } of summary.warnings) {
      console.error(`${colors.yellow("warning:")} ${object}: ${message}`);
    }
    const { tables, rows, rawBytes, bytes: written } = summary;
    console.error(
      `${colors.green("✔")} ${count(rows)} rows of ${count(tables)} tables, ${bytes(rawBytes)} as ${
        bytes(written)
      } in ` +
        duration(performance.now() - begin),
    );
  });
}

/** Takes bytes that are valid until the promise resolves. */
export type Write = (bytes: Uint8Array) => Promise<void>;

/** Hands the archive of a database to `write`, piece by piece. Throws BackupError, and what the database or `write` throws. */
export async function dumpDatabase(
  url: string,
  write: Write,
  options: DumpOptions = {},
): Promise<DumpSummary> {
  const { level = DEFAULT_LEVEL, lockTimeoutMs = DEFAULT_LOCK_WAIT_MS, onProgress } = options;
  const session = await openSession(url, { applicationName: "supabase-backup dump" });
  try {
    const createdAt = new Date();
    await beginSnapshot(session);
    const dump = await readDump(session, { lockTimeoutMs });
    const expected = dump.data.reduce((sum, { heapBytes, toastBytes }) => sum + heapBytes + toastBytes, 0);
    const summary: DumpSummary = {
      tables: dump.data.length,
      rows: 0,
      rawBytes: 0,
      bytes: 0,
      warnings: dump.warnings,
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
      summary.rows += rows;
      summary.rawBytes += rawBytes;
    }
    return summary;
  } finally {
    await session.close();
  }
}

function readOptions(args: string[]): { url: string; out: string | undefined; options: DumpOptions } {
  const { values } = parseArgs({
    args,
    options: {
      "db-url": { type: "string" },
      out: { type: "string" },
      level: { type: "string", default: String(DEFAULT_LEVEL) },
      "lock-wait-timeout": { type: "string", default: String(DEFAULT_LOCK_WAIT_MS) },
    },
  });
  const url = values["db-url"] ?? Deno.env.get("DATABASE_URL");
  if (!url) throw new UsageError("--db-url names the database");
  const level = Number(values.level);
  if (!Number.isInteger(level) || level < 1 || level > 9) throw new UsageError("--level is from 1 to 9");
  const lockTimeoutMs = Number(values["lock-wait-timeout"]);
  if (!Number.isInteger(lockTimeoutMs) || lockTimeoutMs < 1) {
    throw new UsageError("--lock-wait-timeout is a number of milliseconds, 1 or more");
  }
  return { url, out: values.out, options: { level, lockTimeoutMs } };
}

async function toStandardOutput<T>(dump: (write: Write) => Promise<T>): Promise<T> {
  if (Deno.stdout.isTerminal()) {
    throw new UsageError(
      "an archive is no text for a terminal: name a file with --out, or redirect standard output",
    );
  }
  return await collected(Deno.stdout, dump);
}

/** Under another name until it is whole: a file of the asked name is always a complete archive. */
async function toFile<T>(path: string, dump: (write: Write) => Promise<T>): Promise<T> {
  const partial = `${path}.partial`;
  // Only its owner may read it: it holds everything.
  const file = await Deno.open(partial, { write: true, create: true, truncate: true, mode: 0o600 });
  try {
    const summary = await collected(file, dump);
    await file.sync();
    await Deno.rename(partial, path);
    return summary;
  } catch (error) {
    await Deno.remove(partial).catch(() => {});
    throw error;
  } finally {
    file.close();
  }
}

/** Joins small writes on the way to a file: an archive is made of many. */
async function collected<T>(
  file: Pick<Deno.FsFile, "write">,
  dump: (write: Write) => Promise<T>,
): Promise<T> {
  const buffer = new Uint8Array(WRITE_BYTES);
  let filled = 0;
  const flush = async () => {
    await writeAll(file, buffer.subarray(0, filled));
    filled = 0;
  };
  const result = await dump(async (bytes) => {
    if (filled + bytes.length > WRITE_BYTES) await flush();
    if (bytes.length > WRITE_BYTES) return await writeAll(file, bytes);
    buffer.set(bytes, filled);
    filled += bytes.length;
  });
  await flush();
  return result;
}

async function writeAll(file: Pick<Deno.FsFile, "write">, bytes: Uint8Array): Promise<void> {
  for (let written = 0; written < bytes.length;) written += await file.write(bytes.subarray(written));
}
