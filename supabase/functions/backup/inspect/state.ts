/** A state of a database that can be compared with another: a backup, or the database as it is now. */
import type { OpenArchive } from "../archive/reader.ts";
import type { Entry } from "../entry.ts";
import type { Manifest } from "../manifest/manifest.ts";
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
