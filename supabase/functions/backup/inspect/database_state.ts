/** The database as it is now, as a state that can be compared with a backup. */
import { openSession } from "../postgres/session.ts";
import { beginSnapshot } from "../postgres/snapshot.ts";
import { copyStatement } from "../slices/piece.ts";
import { wholeTable } from "../slices/plan.ts";
import { readDump } from "../toc/dump.ts";
import type { State } from "./state.ts";
import { tablesOf } from "./tables.ts";

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
