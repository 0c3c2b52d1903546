/** The first worker's part: snapshot, table of contents, slices. */
import { writeHead } from "../archive/header.ts";
import { checkHead } from "../manifest/head.ts";
import { LIST_NAME, restoreList } from "../manifest/restore_list.ts";
import { rolesNamed } from "../manifest/roles.ts";
import { beginSnapshot } from "../postgres/snapshot.ts";
import type { StoredPart } from "../run/verbs.ts";
import { COST } from "../slices/budget.ts";
import { estimateTables } from "../slices/estimate.ts";
import { planSlices } from "../slices/plan.ts";
import { readDump } from "../toc/dump.ts";
import { storeInventory } from "./inventory.ts";
import { storeCompanion, storePart, type Worker } from "./worker.ts";

/** Begins the run's snapshot, stores the head of the archive and the plan. The worker holds the snapshot from then on. */
export async function planRun(worker: Worker): Promise<void> {
  const { exporter, verbs, place: { settings }, budget, heart, encryption } = worker;
  const snapshot = await beginSnapshot(exporter);
  const [instant] = await exporter.sql.unsafe<{ now: string }[]>(
    `select to_char(now() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as now`,
  );
  const dump = await readDump(exporter, { lockTimeoutMs: settings.lock_timeout_ms });
  heart.check();
  const estimates = await estimateTables(exporter, dump.data, settings.slice_bytes);
  const head = writeHead(dump, { createdAt: new Date(instant!.now), level: settings.level });
  // The finisher reads a head again as Storage has it; one that is encrypted it cannot read.
  if (encryption !== null) await checkHead(head, dump.entries.length);
  const partBytes = encryption?.capacity(settings.part_bytes) ?? settings.part_bytes;
  const parts: StoredPart[] = [];
  for (let begin = 0; begin < head.length; begin += partBytes) {
    parts.push(await storePart(worker, parts.length, head.subarray(begin, begin + partBytes)));
  }
  await storeCompanion(worker, LIST_NAME, restoreList(dump.entries));
  budget.spend(dump.entries.length * COST.entry);
  const { inventory, warnings } = await storeInventory(worker);
  const slices = planSlices(dump.data, estimates, {
    sliceBytes: settings.slice_bytes,
    headParts: parts.length,
  });
  await verbs.plan({
    snapshot,
    server_version: dump.serverVersion,
    tables: dump.data.length,
    estimated_bytes: slices.reduce((sum, { estimatedBytes }) => sum + estimatedBytes, 0),
    warnings: [...dump.warnings, ...warnings],
    parts,
    slices: slices.map(({ number, firstPart, estimatedBytes, pieces }) => ({
      number,
      first_part: firstPart,
      estimated_bytes: estimatedBytes,
      pieces,
    })),
    facts: {
      database: dump.database,
      server_version: dump.serverVersion,
      snapshot_at: instant!.now,
      entries: dump.entries.length,
      head_parts: parts.length,
      tables: dump.data.map(({ dumpId, schema, name }) => ({ dumpId, schema, name })),
      roles: [...rolesNamed(dump.entries, { owners: true })].sort(),
      ...(inventory === null ? {} : { inventory }),
    },
  });
}
