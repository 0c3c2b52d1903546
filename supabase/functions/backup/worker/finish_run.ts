/** The last worker's task: closing parts, verification, manifest, rotation, success. */
import { extensionRowsWarning } from "../catalog/extension_rows.ts";
import { archiveFormat } from "../archive/header.ts";
import { closeBlock } from "../archive/block.ts";
import { checkHead } from "../manifest/head.ts";
import { type Manifest, type Part, writeManifest } from "../manifest/manifest.ts";
import { NOTES_NAME } from "../manifest/companions.ts";
import { restoreNotes } from "../restore_guide/restore_notes.ts";
import { sha256OfPieces } from "../storage/sha256.ts";
import { verifyParts } from "../manifest/verify.ts";
import { policyOf, rotate } from "../rotation/rotate.ts";
import type { Finish } from "../run/run_client.ts";
import { COST } from "../budget.ts";
import type { Warning } from "../entry.ts";
import { assembleResults, type Closing } from "./assemble_results.ts";
import { VERSION } from "../version.ts";
import { reportFacts } from "./report_facts.ts";
import type { Worker } from "./worker.ts";

/**
 * Finishes a run whose slices are all exported. Returns true when it has succeeded, false when the budget ended before
 * all parts were verified: the next finisher goes on from there.
 */
export async function finishRun(worker: Worker, finish: Finish): Promise<boolean> {
  const { client, heartbeat, store } = worker;
  await heartbeat.phase("finishing");
  const { tables, closings } = assembleResults(finish, {
    archiveBytes: (bytes) => store.capacity(bytes),
    partName: (number) => store.partName(number),
  });
  const parts = await storeClosings(worker, finish, closings);
  await heartbeat.phase("verifying");
  if (!await verify(worker, finish, parts)) return false;
  await verifyInventory(worker, finish);
  await store.refusePublicBucket(finish.settings.bucket);
  const found = finish.facts.tables.flatMap((table, index) =>
    extensionRowsWarning(table, tables[index]!.rows)
  );
  const manifest = describe(worker, finish, { tables, parts, warnings: [...finish.run.warnings, ...found] });
  await store.storeText(NOTES_NAME, restoreNotes(manifest, finish.facts.roles));
  const checksum = await store.storeManifest(writeManifest(manifest));
  await heartbeat.phase("rotating");
  const warnings = [...found, ...await rotateOthers(worker, finish)];
  const { totals } = manifest;
  await client.tables(tables);
  await reportFacts(worker);
  await client.succeed({
    rows: totals.rows,
    raw_bytes: totals.rawBytes,
    stored_bytes: totals.storedBytes,
    parts: totals.parts,
    checksum,
    warnings,
  });
  return true;
}

/** Ends the data blocks of tables that were cut, and returns all parts in archive order. */
async function storeClosings(
  { store, client }: Worker,
  { parts }: Finish,
  closings: Closing[],
): Promise<Part[]> {
  const all = new Map(parts.map(({ name, bytes, sha256 }) => [name, { name, bytes, sha256 }]));
  for (const { part, adler32 } of closings) {
    // An earlier finisher may have got so far; its part may even be verified.
    if (all.has(store.partName(part))) continue;
    const stored = await store.storePart(part, closeBlock(adler32));
    await client.part(null, stored);
    all.set(stored.name, stored);
  }
  return [...all.values()].sort((a, b) => a.name < b.name ? -1 : 1);
}

async function verify(worker: Worker, { parts: recorded, facts }: Finish, parts: Part[]): Promise<boolean> {
  const { store, budget, heartbeat, client, succession } = worker;
  const alreadyVerified = new Set(
    recorded.filter((part) => part.verified_at !== null).map(({ name }) => name),
  );
  const headParts = recorded.filter((part) =>
    part.slice_number === null && part.name < store.partName(facts.head_parts)
  );
  // The planner has checked a head that is encrypted now.
  if (store.encryption === null && headParts.some(({ name }) => !alreadyVerified.has(name))) {
    const head: Uint8Array[] = [];
    for (const { name } of headParts) head.push(await store.get(name));
    await checkHead(head, facts.entries);
  }
  return await verifyParts(store.bucket, store.folder, parts, {
    alreadyVerified,
    withinBudget: (bytes) => bytes * COST.verifiedByte < budget.left,
    onVerified: async (name) => {
      heartbeat.check();
      budget.spend(parts.find((part) => part.name === name)!.bytes * COST.verifiedByte);
      succession.check();
      await client.verified(name);
    },
  });
}

/** A restore needs only the parts; but what the manifest says must be true. */
async function verifyInventory(
  { store, budget }: Worker,
  { facts: { inventory } }: Finish,
): Promise<void> {
  if (inventory === undefined) return;
  const { sha256 } = await store.read(inventory.name, sha256OfPieces);
  budget.spend(inventory.bytes * COST.verifiedByte);
  if (sha256 !== inventory.sha256) throw store.changedError(inventory.name);
}

function describe(
  { store: { encryption } }: Worker,
  { facts, run, slices, settings }: Finish,
  { tables, parts, warnings }: Pick<Manifest, "tables" | "parts" | "warnings">,
): Manifest {
  const sum = (read: (slice: Finish["slices"][number]) => number) =>
    slices.reduce((total, slice) => total + read(slice), 0);
  return {
    formatVersion: 1,
    name: run.name,
    createdAt: new Date().toISOString(),
    snapshotAt: facts.snapshot_at,
    run: { id: run.id, trigger: run.trigger, attempt: run.attempt },
    server: { version: facts.server_version, database: facts.database },
    archive: { format: archiveFormat(facts.server_version), level: settings.level, entries: facts.entries },
    version: VERSION,
    ...(encryption === null ? {} : {
      encryption: { format: "age" as const, recipients: encryption.recipients.map(({ text }) => text) },
    }),
    totals: {
      tables: tables.length,
      rows: sum(({ result }) => result.rows),
      rawBytes: sum(({ result }) => result.raw_bytes),
      storedBytes: parts.reduce((total, { bytes }) => total + bytes, 0),
      parts: parts.length,
    },
    // With the checksum of a table's text, or its compressed size, a reader without the key could confirm a guess at
    // it.
    tables: encryption === null ? tables : tables.map(({ adler32: _, begin: __, ...table }) => table),
    parts,
    extensions: facts.extensions,
    inventory: facts.inventory,
    warnings,
  };
}

/** Rotates the other backups: the one just stored is the newest good one. Nothing that fails here fails the run. */
async function rotateOthers(
  { store, client, heartbeat }: Worker,
  { log, settings }: Finish,
): Promise<Warning[]> {
  const { warnings } = await rotate(store.bucket, {
    log,
    finished: store.folder,
    policy: policyOf(settings),
    now: new Date(),
    onRemoved: async (name) => {
      heartbeat.check();
      await client.removed(name);
    },
  });
  return warnings;
}
