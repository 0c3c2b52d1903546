/** Every worker's task: exports slices, one after the other, until none is left or the budget is used. */
import { importSnapshot, lockTables } from "../postgres/snapshot.ts";
import type { Session } from "../postgres/session.ts";
import { type ClaimedSlice } from "../run/run_client.ts";
import { guardOf } from "../slices/guard.ts";
import { RowTooLargeError, withKey } from "../slices/large_row.ts";
import { PIECE_BYTES } from "../slices/plan.ts";
import { type ExportedSlice, exportSlice } from "../slices/export.ts";
import type { Worker } from "./worker.ts";

/** A budget with less than this left is used up: a claim costs something as well. */
const LEAST_CLAIM = 4 * PIECE_BYTES;

/** The isolate's life does not last for the slice that is under way: another worker takes it from its beginning. */
class GivenBack extends Error {}

/** Joins the run's snapshot and becomes a holder from which other workers import it. */
export async function holdSnapshot({ exporter, client, place }: Worker): Promise<void> {
  const snapshot = await importSnapshot(exporter, place.snapshots);
  await lockTables(exporter, await client.locked(), place.settings.lock_timeout_ms);
  await client.hold(snapshot);
}

/**
 * Exports slices. Returns when none is left for this worker or its budget is used. The last part of a slice is stored
 * while the next slice is read; when this throws, none is on its way, and other workers may get the slices.
 */
export async function exportSlices(worker: Worker): Promise<void> {
  const { client, budget, place, exporter } = worker;
  // A worker that only exports takes its first slice whatever the size: some worker must. The planner has spent
  // something already.
  let bytes = place.role === "export" ? null : budget.exportable;
  let finishing = Promise.resolve();
  try {
    do {
      const slice = await client.claimSlice(bytes);
      if (slice === null) break;
      const mustFinish = bytes === null;
      const exported = await undoneOnError(exporter, () => exportClaimed(worker, slice, mustFinish)).catch(
        async (error) => {
          if (error instanceof GivenBack) return null;
          throw error instanceof RowTooLargeError ? await withKey(exporter, worker.control, error) : error;
        },
      );
      if (exported === null) break;
      await finishing;
      finishing = finishClaimed(worker, slice, exported);
      // The next call that waits for it gets the error; until then it must not count as unhandled.
      finishing.catch(() => {});
      bytes = budget.exportable;
    } while (bytes >= LEAST_CLAIM);
    await finishing;
  } finally {
    await finishing.catch(() => {});
  }
}

/**
 * A COPY that is cancelled or fails ends the transaction and with it the exported snapshot, which a worker must go on
 * holding until it has a successor. So it runs in a savepoint.
 */
async function undoneOnError<T>({ sql }: Session, work: () => Promise<T>): Promise<T> {
  await sql.unsafe("savepoint slice");
  let done: T;
  try {
    done = await work();
  } catch (error) {
    // When the session itself is lost, the first error says more.
    await sql.unsafe("rollback to savepoint slice").catch(() => {});
    throw error;
  }
  await sql.unsafe("release savepoint slice");
  return done;
}

/** Throws GivenBack for a slice that costs more than is left, unless the worker must finish it at any cost. */
async function exportClaimed(
  worker: Worker,
  slice: ClaimedSlice,
  mustFinish: boolean,
): Promise<ExportedSlice> {
  const { exporter, client, heartbeat, budget, succession, store, place: { settings } } = worker;
  const exported = await exportSlice(exporter, slice, {
    level: settings.level,
    partBytes: store.capacity(settings.part_bytes),
    spare: store.spare(settings.part_bytes),
    store: async (number, bytes, room) =>
      client.part(slice.number, await store.storePart(number, bytes, room)),
    signal: heartbeat.signal,
    guard: guardOf(exporter, worker.control, settings.lock_timeout_ms),
    onProgress: ({ table, rows, rawBytes, busyMs }) => {
      heartbeat.check();
      heartbeat.progress = { slice: slice.number, table, rows, raw_bytes: rawBytes };
      succession.check(rawBytes, busyMs);
      if (mustFinish || !budget.isOver(rawBytes, busyMs)) return;
      budget.spendExport(rawBytes, busyMs);
      throw new GivenBack();
    },
  });
  const { rawBytes, pieces, busyMs } = exported.result;
  budget.spendExport(rawBytes, busyMs);
  budget.spend(pieces.length * PIECE_BYTES);
  succession.check();
  heartbeat.progress = null;
  return exported;
}

async function finishClaimed(
  { client }: Worker,
  { number }: ClaimedSlice,
  { result, stored }: ExportedSlice,
): Promise<void> {
  await stored;
  await client.finishSlice(number, result);
}
