/** Every worker's part: slices, one after the other, until there are none or the budget is used. */
import { importSnapshot, lockTables } from "../postgres/snapshot.ts";
import type { Session } from "../postgres/session.ts";
import { type ClaimedSlice } from "../run/verbs.ts";
import { PIECE_BYTES } from "../slices/plan.ts";
import { type ExportedSlice, exportSlice } from "../slices/export.ts";
import { storePart, type Worker } from "./worker.ts";

/** A budget with less than this left is used up: a claim costs something as well. */
const LEAST_CLAIM = 4 * PIECE_BYTES;

/** Joins the run's snapshot and becomes one of those from whom it can be imported. */
export async function holdSnapshot({ exporter, verbs, place }: Worker): Promise<void> {
  const snapshot = await importSnapshot(exporter, place.snapshots);
  await lockTables(exporter, await verbs.locked(), place.settings.lock_timeout_ms);
  await verbs.hold(snapshot);
}

/**
 * Exports slices. Answers when none is left for this worker or its budget is used. The last part of a slice is stored while the
 * next slice is read; when this throws, none is on its way: the slices may go to others.
 */
export async function exportSlices(worker: Worker): Promise<void> {
  const { verbs, budget, place, exporter } = worker;
  // Who only exports takes one slice whatever its size: somebody must. The planner has spent something already.
  let bytes = place.role === "export" ? null : budget.left;
  let finishing = Promise.resolve();
  try {
    do {
      const slice = await verbs.claimSlice(bytes);
      if (slice === null) break;
      const exported = await undoneOnError(exporter, () => exportClaimed(worker, slice));
      await finishing;
      finishing = finishClaimed(worker, slice, exported);
      // Whoever waits next gets the error; until then it is not an unhandled one.
      finishing.catch(() => {});
      bytes = budget.left;
    } while (bytes >= LEAST_CLAIM);
    await finishing;
  } finally {
    await finishing.catch(() => {});
  }
}

/**
 * A COPY that is cancelled or fails ends the transaction and with it the exported snapshot, which a worker must go on holding
 * until it has a successor. A savepoint takes the blow.
 */
async function undoneOnError<T>({ sql }: Session, work: () => Promise<T>): Promise<T> {
  await sql.unsafe("savepoint slice");
  let done: T;
  try {
    done = await work();
  } catch (error) {
    // Where the session itself is gone, the first error says more.
    await sql.unsafe("rollback to savepoint slice").catch(() => {});
    throw error;
  }
  await sql.unsafe("release savepoint slice");
  return done;
}

async function exportClaimed(worker: Worker, slice: ClaimedSlice): Promise<ExportedSlice> {
  const { exporter, verbs, heart, budget, encryption, place: { settings } } = worker;
  const exported = await exportSlice(exporter, slice, {
    level: settings.level,
    partBytes: encryption?.capacity(settings.part_bytes) ?? settings.part_bytes,
    spare: encryption?.spare(settings.part_bytes) ?? 0,
    store: async (number, bytes, room) =>
      verbs.part(slice.number, await storePart(worker, number, bytes, room)),
    onProgress: ({ table, rows, rawBytes }) => {
      heart.check();
      heart.progress = { slice: slice.number, table, rows, raw_bytes: rawBytes };
    },
  });
  const { rawBytes, pieces, busyMs } = exported.result;
  budget.spend(rawBytes + pieces.length * PIECE_BYTES, busyMs);
  heart.progress = null;
  return exported;
}

async function finishClaimed(
  { verbs }: Worker,
  { number }: ClaimedSlice,
  { result, stored }: ExportedSlice,
): Promise<void> {
  await stored;
  await verbs.finishSlice(number, result);
}
