/** A state of a database that can be compared with another: a backup, or the database as it is now. */
import type { OpenArchive } from "../archive/reader.ts";
import type { Entry } from "../entry.ts";
import type { Manifest } from "../manifest/manifest.ts";
import { openSession } from "../postgres/session.ts";
import { beginSnapshot } from "../postgres/snapshot.ts";
import { copyStatement } from "../slices/piece.ts";
import { wholeTable } from "../slices/plan.ts";
import { readDump } from "../toc/dump.ts";
import { type StoredTable, tablesOf } from "./tables.ts";

export interface State extends AsyncDisposable {
  entries: readonly Entry[];
  tables: TableState[];
}

export interface TableState extends StoredTable {
  /** Null where only reading them would tell. */
  rows: number | null;
  /** Of COPY text; where `rows` is null an estimate. */
  bytes: number;
  /** Adler-32 of the COPY text, where it is known without reading it. */
  adler32: string | null;
  read(): AsyncIterable<Uint8Array>;
}

/** Returns the state that a backup holds. `manifest` is null for a single archive. */
export async function archiveState(archive: OpenArchive, manifest: Manifest | null): Promise<State> {
  const known = new Map(manifest?.tables.map((table) => [`${table.schema}\0${table.name}`, table]));
  const places = manifest === null ? await archive.places() : null;
  const tables = tablesOf(archive.entries).map((table) => {
    const said = known.get(`${table.schema}\0${table.name}`);
    return {
      ...table,
      rows: said?.rows ?? null,
      bytes: said?.rawBytes ?? places?.get(table.dumpId)?.bytes ?? 0,
      adler32: said?.adler32 ?? null,
      read: () => archive.rows(table.dumpId),
    };
  });
  return { entries: archive.entries, tables, [Symbol.asyncDispose]: () => Promise.resolve() };
}

const LOCK_TIMEOUT_MS = 10_000;

/**
 * Reads a database as a backup would, in one snapshot that lasts until the state is disposed of. Throws BackupError
 * where it cannot be reached or read.
 */
export async function databaseState(url: string): Promise<State> {
  const session = await openSession(url, { applicationName: "supabase-backup diff" });
  try {
    await beginSnapshot(session);
    const dump = await readDump(session, { lockTimeoutMs: LOCK_TIMEOUT_MS });
    const data = new Map(dump.data.map((table) => [table.dumpId, table]));
    const tables = tablesOf(dump.entries).map((table) => {
      const there = data.get(table.dumpId)!;
      const statement = copyStatement(wholeTable(there));
      return {
        ...table,
        rows: null,
        adler32: null,
        bytes: there.heapBytes + there.toastBytes,
        read: () => pulled((consume) => session.copy(statement, consume)),
      };
    });
    return { entries: dump.entries, tables, [Symbol.asyncDispose]: () => session.close() };
  } catch (error) {
    await session.close();
    throw error;
  }
}

/** Turns blocks that are handed over into blocks that are asked for. Ends the reading when nobody asks any more. */
async function* pulled(
  push: (consume: (block: Uint8Array) => Promise<void>) => Promise<unknown>,
): AsyncGenerator<Uint8Array> {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const writer = writable.getWriter();
  const pushed = push((block) => writer.write(block.slice()))
    .then(() => writer.close(), (error) => writer.abort(error).catch(() => {}));
  try {
    yield* readable;
  } finally {
    await pushed.catch(() => {});
  }
}
