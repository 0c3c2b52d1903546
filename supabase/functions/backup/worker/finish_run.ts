/** The last worker's part: closing parts, verification, manifest, rotation, success. */
import { closeBlock } from "../archive/block.ts";
import { BackupError } from "../errors.ts";
import { checkHead } from "../manifest/head.ts";
import {
  type Manifest,
  MANIFEST_NAME,
  type Part,
  type TableRows,
  writeManifest,
} from "../manifest/manifest.ts";
import { NOTES_NAME, restoreNotes } from "../manifest/restore_notes.ts";
import { sha256Hex, sha256OfPieces } from "../storage/sha256.ts";
import { verifyParts } from "../manifest/verify.ts";
import { policyOf, rotate } from "../rotation/rotate.ts";
import type { Finish } from "../run/verbs.ts";
import { COST } from "../slices/budget.ts";
import type { Warning } from "../toc/entry.ts";
import { addUp, type Closing } from "./tables.ts";
import { MANIFEST_TYPE, partName, storeCompanion, storePart, type Worker } from "./worker.ts";

/**
 * Finishes a run whose slices are all exported. Answers true when it has succeeded, false when the budget ended before all
 * parts were verified: the next finisher goes on from there.
 */
export async function finishRun(worker: Worker, finish: Finish): Promise<boolean> {
  const { verbs, heart, encryption } = worker;
  await heart.phase("finishing");
  const { tables, closings } = addUp(finish, (bytes) => encryption?.capacity(bytes) ?? bytes);
  const parts = await storeClosings(worker, finish, closings);
  await heart.phase("verifying");
  if (!await verify(worker, finish, parts)) return false;
  await verifyInventory(worker, finish);
  const manifest = describe(worker, finish, tables, parts);
  await storeCompanion(worker, NOTES_NAME, restoreNotes(manifest, finish.facts.roles));
  const checksum = await storeManifest(worker, manifest);
  await heart.phase("rotating");
  const warnings = await rotateOthers(worker, finish);
  const { totals } = manifest;
  await verbs.tables(tables);
  await verbs.succeed({
    rows: totals.rows,
    raw_bytes: totals.rawBytes,
    stored_bytes: totals.storedBytes,
    parts: totals.parts,
    checksum,
    warnings,
  });
  return true;
}

/** Ends the data blocks of tables that were cut, and answers all parts in archive order. */
async function storeClosings(worker: Worker, { parts }: Finish, closings: Closing[]): Promise<Part[]> {
  const all = new Map(parts.map(({ name, bytes, sha256 }) => [name, { name, bytes, sha256 }]));
  for (const { part, adler32 } of closings) {
    // An earlier finisher may have got so far; its part may even be verified.
    if (all.has(partName(part, worker.encryption))) continue;
    const stored = await storePart(worker, part, closeBlock(adler32));
    await worker.verbs.part(null, stored);
    all.set(stored.name, stored);
  }
  return [...all.values()].sort((a, b) => a.name < b.name ? -1 : 1);
}

async function verify(worker: Worker, { parts: recorded, facts }: Finish, parts: Part[]): Promise<boolean> {
  const { bucket, budget, heart, verbs, place } = worker;
  const alreadyVerified = new Set(
    recorded.filter((part) => part.verified_at !== null).map(({ name }) => name),
  );
  const headParts = recorded.filter((part) =>
    part.slice_number === null && part.name < partName(facts.head_parts)
  );
  // One that is encrypted was read by the planner, before it was.
  if (worker.encryption === null && headParts.some(({ name }) => !alreadyVerified.has(name))) {
    const head: Uint8Array[] = [];
    for (const { name } of headParts) head.push(await bucket.get(`${place.run.name}/${name}`));
    await checkHead(head, facts.entries);
  }
  return await verifyParts(bucket, place.run.name, parts, {
    alreadyVerified,
    withinBudget: (bytes) => bytes * COST.verifiedByte < budget.left,
    onVerified: async (name) => {
      heart.check();
      budget.spend(parts.find((part) => part.name === name)!.bytes * COST.verifiedByte);
      await verbs.verified(name);
    },
  });
}

/** What a restore needs is in the parts; but what the manifest says shall be true. */
async function verifyInventory(
  { bucket, place, budget }: Worker,
  { facts: { inventory } }: Finish,
): Promise<void> {
  if (inventory === undefined) return;
  const path = `${place.run.name}/${inventory.name}`;
  const { sha256 } = await bucket.read(path, sha256OfPieces);
  budget.spend(inventory.bytes * COST.verifiedByte);
  if (sha256 === inventory.sha256) return;
  throw new BackupError(
    "verification_failed",
    `${path} is not in Storage as it was written`,
    "Somebody or something else writes to the bucket, or Storage lost bytes. Look at Storage's log.",
  );
}

function describe(
  { encryption }: Worker,
  { facts, run, slices, settings }: Finish,
  tables: TableRows[],
  parts: Part[],
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
    archive: { format: "PGDMP 1.14", level: settings.level, entries: facts.entries },
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
    // With the checksum of a table's text, who cannot read it could tell whether a guess at it is right.
    tables: encryption === null ? tables : tables.map(({ adler32: _, ...table }) => table),
    parts,
    inventory: facts.inventory,
    warnings: run.warnings,
  };
}

/** From now on the folder is a backup. Answers the SHA-256 of the manifest. */
async function storeManifest({ bucket, place, heart }: Worker, manifest: Manifest): Promise<string> {
  const bytes = writeManifest(manifest);
  const name = `${place.run.name}/${MANIFEST_NAME}`;
  const checksum = await sha256Hex(bytes);
  heart.check();
  await bucket.put(name, bytes, MANIFEST_TYPE);
  if (await sha256Hex(await bucket.get(name)) === checksum) return checksum;
  throw new BackupError(
    "verification_failed",
    `${name} is not in Storage as it was written`,
    "Somebody or something else writes to the bucket, or Storage lost bytes. Look at Storage's log.",
  );
}

/** The others only: what was just stored is the newest good backup. Nothing that fails here fails the run. */
async function rotateOthers(
  { bucket, verbs, place, heart }: Worker,
  { log, settings }: Finish,
): Promise<Warning[]> {
  const { warnings } = await rotate(bucket, {
    log,
    finished: place.run.name,
    policy: policyOf(settings),
    now: new Date(),
    onRemoved: async (name) => {
      heart.check();
      await verbs.removed(name);
    },
  });
  return warnings;
}
