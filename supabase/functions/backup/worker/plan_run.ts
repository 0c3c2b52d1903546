/** The first worker's task: snapshot, table of contents, slices. */
import { writeHead } from "../archive/header.ts";
import { checkHead } from "../manifest/head.ts";
import { LIST_NAME, ROLES_NAME } from "../manifest/companions.ts";
import { restoreList } from "../restore_guide/restore_list.ts";
import { rolesFile, rolesIn } from "../restore_guide/roles_sql.ts";
import { rolesNamed } from "../restore_guide/roles.ts";
import { exposedWarnings } from "../postgres/session.ts";
import { beginSnapshot } from "../postgres/snapshot.ts";
import type { StoredPart } from "../run/run_client.ts";
import { COST } from "../budget.ts";
import { estimateTables } from "../slices/estimate.ts";
import { planSlices } from "../slices/plan.ts";
import { readDump } from "../toc/dump.ts";
import { storeInventory } from "./inventory.ts";
import type { Worker } from "./worker.ts";

/**
 * Begins the run's snapshot, stores the head of the archive and the plan. The worker holds the snapshot from then on.
 */
export async function planRun(worker: Worker): Promise<void> {
  const { exporter, client, place: { settings }, budget, heartbeat, store } = worker;
  await store.refusePublicBucket(settings.bucket);
  const snapshot = await beginSnapshot(exporter);
  const [instant] = await exporter.sql.unsafe<{ now: string }[]>(
    `select to_char(now() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as now`,
  );
  const dump = await readDump(exporter, {
    lockTimeoutMs: settings.lock_timeout_ms,
    leaveOut: settings.leave_out ?? [],
  });
  heartbeat.check();
  const estimates = await estimateTables(exporter, dump.data, settings.slice_bytes);
  const head = writeHead(dump, { createdAt: new Date(instant!.now), level: settings.level });
  // The finisher reads the head back from Storage, which it cannot do when the head is encrypted.
  if (store.encryption !== null) await checkHead(head, dump.entries.length);
  const partBytes = store.capacity(settings.part_bytes);
  const parts: StoredPart[] = [];
  for (let begin = 0; begin < head.length; begin += partBytes) {
    parts.push(await store.storePart(parts.length, head.subarray(begin, begin + partBytes)));
  }
  const withPages = new Set(dump.data.filter(({ pages }) => pages > 0).map(({ dumpId }) => dumpId));
  await store.storeText(LIST_NAME, restoreList(dump.entries, ({ dumpId }) => withPages.has(dumpId)));
  const roles = rolesFile(rolesIn(dump.entries)!, dump.serverVersionNum);
  await store.storeFile(ROLES_NAME, new TextEncoder().encode(roles));
  budget.spend(COST.plan + dump.entries.length * COST.entry);
  const { inventory, warnings } = await storeInventory(worker);
  const slices = planSlices(dump.data, estimates, {
    sliceBytes: settings.slice_bytes,
    headParts: parts.length,
  });
  await client.plan({
    snapshot,
    server_version: dump.serverVersion,
    tables: dump.data.length,
    estimated_bytes: slices.reduce((sum, { estimatedBytes }) => sum + estimatedBytes, 0),
    warnings: [...exposedWarnings(exporter), ...dump.warnings, ...warnings],
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
      tables: dump.data.map(({ dumpId, schema, name, extension }) => ({
        dumpId,
        schema,
        name,
        ...(extension === undefined ? {} : { extension }),
      })),
      extensions: dump.extensions,
      roles: [...rolesNamed(dump.entries, { owners: true })].sort(),
      ...(inventory === null ? {} : { inventory }),
    },
  });
}
