import assert from "node:assert/strict";
import { writeManifest } from "../../../supabase/functions/backup/manifest/manifest.ts";
import { collectBackups } from "../../../supabase/functions/backup/rotation/collect_backups.ts";
import { rotate } from "../../../supabase/functions/backup/rotation/rotate.ts";
import type { LoggedRun } from "../../../supabase/functions/backup/run/run_client.ts";
import { type Bucket, BucketError } from "../../../supabase/functions/backup/storage/bucket.ts";
import { type MemoryBucket, memoryBucket } from "../../doubles/memory_bucket.ts";
import { KEEP_FOUR, NOW } from "./backups.ts";

const ARCHIVE = "application/octet-stream";
const FINISHED = "backup-20261122-030000";

async function store(bucket: Bucket, name: string, manifest: "manifest" | "none" | "damaged" = "manifest") {
  for (const part of ["00000.dump", "00004.dump"]) {
    await bucket.put(`${name}/${part}`, new Uint8Array(9), ARCHIVE);
  }
  if (manifest === "none") return;
  const bytes = writeManifest({
    formatVersion: 1,
    name,
    createdAt: NOW.toISOString(),
    snapshotAt: NOW.toISOString(),
    run: { id: 1, trigger: "manual", attempt: 1 },
    server: { version: "15.8", database: "postgres" },
    archive: { format: "PGDMP 1.14", level: 4, entries: 0 },
    tables: [],
    warnings: [],
    totals: { tables: 0, rows: 0, rawBytes: 0, storedBytes: 9, parts: 1 },
    parts: [{ name: "00000.dump", bytes: 9, sha256: "0".repeat(64) }],
  });
  const stored = manifest === "damaged" ? bytes.slice(1) : bytes;
  await bucket.put(`${name}/manifest.json`, stored, "application/json");
}

function run(name: string, facts: Partial<LoggedRun> = {}): LoggedRun {
  const [, year, month, day] = /(\d{4})(\d\d)(\d\d)/.exec(name)!;
  const started_at = `${year}-${month}-${day}T03:00:00+00:00`;
  return {
    name,
    trigger: "scheduled",
    status: "succeeded",
    started_at,
    verified_at: started_at,
    pinned: false,
    ...facts,
  };
}

/** The run that rotates: its backup is stored and verified, the log has not said so yet. */
const present = run(FINISHED, { status: "running", verified_at: null });

function rotateWith(bucket: Bucket, log: LoggedRun[], removed: string[] = [], keepScheduled = 2) {
  return rotate(bucket, {
    log,
    finished: FINISHED,
    policy: { ...KEEP_FOUR, keepScheduled },
    now: NOW,
    onRemoved: (name) => Promise.resolve(void removed.push(name)),
  });
}

const foldersOf = (bucket: MemoryBucket) =>
  new Set([...bucket.objects.keys()].map((name) => name.split("/")[0]));

Deno.test("[rotate] removes what has no place, with all its objects, and reports it", async () => {
  const bucket = memoryBucket();
  const old = ["backup-20261101-030000", "backup-20261108-030000", "backup-20261115-030000"];
  for (const name of [...old, FINISHED]) await store(bucket, name);
  await store(bucket, "backup-20261110-030000", "none");
  const removed: string[] = [];
  const failed = run("backup-20261110-030000", { status: "failed", verified_at: null });
  const rotation = await rotateWith(bucket, [...old.map((name) => run(name)), failed, present], removed);
  const expected = ["backup-20261101-030000", "backup-20261108-030000", "backup-20261110-030000"];
  assert.deepEqual(rotation, { removed: expected, warnings: [] });
  assert.deepEqual(removed, expected);
  assert.deepEqual(foldersOf(bucket), new Set(["backup-20261115-030000", FINISHED]));
});

Deno.test("[rotate] never removes the backup that was just made, though the clock was set back since the others", async () => {
  const bucket = memoryBucket();
  const later = ["backup-20261201-030000", "backup-20261208-030000", "backup-20261215-030000"];
  for (const name of [...later, FINISHED]) await store(bucket, name);
  const removed: string[] = [];
  await rotateWith(bucket, [...later.map((name) => run(name)), present], removed);
  assert.deepEqual(removed, ["backup-20261201-030000"]);
  assert.ok(foldersOf(bucket).has(FINISHED));
});

Deno.test("[rotate] removes the manifest before any part, so that a cut-off leaves no half backup", async () => {
  const bucket = memoryBucket();
  for (const name of ["backup-20261101-030000", "backup-20261115-030000", FINISHED]) {
    await store(bucket, name);
  }
  const asked: string[][] = [];
  const watched: Bucket = { ...bucket, remove: (names) => (asked.push(names), bucket.remove(names)) };
  await rotateWith(watched, [run("backup-20261101-030000"), run("backup-20261115-030000"), present]);
  assert.deepEqual(asked, [
    ["backup-20261101-030000/RESTORE.md"],
    ["backup-20261101-030000/manifest.json"],
    ["backup-20261101-030000/00000.dump", "backup-20261101-030000/00004.dump"],
  ]);
});

Deno.test("[rotate] never removes the parts of a verified backup whose manifest somebody removed", async () => {
  const bucket = memoryBucket();
  const old = ["backup-20261101-030000", "backup-20261108-030000", "backup-20261115-030000"];
  for (const name of [...old, FINISHED]) {
    await store(bucket, name);
    await bucket.put(`${name}/RESTORE.md`, new Uint8Array(1), "text/markdown");
  }
  // The log knows the first, and has lost the second.
  for (const name of old.slice(0, 2)) await bucket.remove([`${name}/manifest.json`]);
  const log = [run(old[0]!), run(old[2]!), present];
  const { removed, warnings } = await rotateWith(bucket, log, [], 1);
  assert.deepEqual(removed, [old[2]]);
  assert.deepEqual(warnings.map(({ code, object }) => [code, object]), [
    ["manifest_lost", old[0]],
    ["manifest_lost", old[1]],
  ]);
  const failed = [run(old[0]!, { status: "failed" }), present];
  const next = await rotateWith(bucket, failed, [], 1);
  assert.deepEqual(next.removed, [old[0]], "of a run that failed it is a leftover");
});

Deno.test("[rotate] makes a warning of a removal that fails, goes on, and does it the next time", async () => {
  const bucket = memoryBucket();
  const old = ["backup-20261101-030000", "backup-20261108-030000", "backup-20261115-030000"];
  for (const name of [...old, FINISHED]) await store(bucket, name);
  const log = [...old.map((name) => run(name)), present];
  const stubborn: Bucket = {
    ...bucket,
    remove: (names) =>
      names[0]!.startsWith("backup-20261101-030000/0")
        ? Promise.reject(new BucketError("temporary", "Storage is down", "Wait."))
        : bucket.remove(names),
  };
  const removed: string[] = [];
  const rotation = await rotateWith(stubborn, log, removed);
  assert.deepEqual(rotation.warnings, [{
    code: "not_rotated",
    object: "backup-20261101-030000",
    message: "Left for the next rotation: Storage is down",
  }]);
  assert.deepEqual(removed, ["backup-20261108-030000"]);
  assert.equal(bucket.objects.has("backup-20261101-030000/manifest.json"), false);
  const next = await rotateWith(bucket, log.filter(({ name }) => !removed.includes(name)), removed);
  assert.deepEqual(next.removed, ["backup-20261101-030000"]);
  assert.deepEqual(foldersOf(bucket), new Set(["backup-20261115-030000", FINISHED]));
});

Deno.test("[rotate] ends where the log cannot be told, and the next rotation does the rest", async () => {
  const bucket = memoryBucket();
  const old = ["backup-20261101-030000", "backup-20261108-030000", "backup-20261115-030000"];
  for (const name of [...old, FINISHED]) await store(bucket, name);
  const { removed, warnings } = await rotate(bucket, {
    log: [...old.map((name) => run(name)), present],
    finished: FINISHED,
    now: NOW,
    policy: { ...KEEP_FOUR, keepScheduled: 1 },
    onRemoved: () => Promise.reject(new Error("lease lost")),
  });
  assert.deepEqual(removed, ["backup-20261101-030000"]);
  assert.match(warnings[0]!.message, /lease lost/);
  assert.deepEqual(foldersOf(bucket), new Set([...old.slice(1), FINISHED]));
});

Deno.test("[rotate] makes a warning of a bucket that cannot be read, and removes nothing", async () => {
  const bucket = memoryBucket();
  await store(bucket, FINISHED);
  const unreadable: Bucket = { ...bucket, folders: () => Promise.reject(new Error("no bucket")) };
  const rotation = await rotateWith(unreadable, [present]);
  assert.deepEqual(rotation.removed, []);
  assert.match(rotation.warnings[0]!.message, /no bucket/);
});

Deno.test("[rotate] keeps the backup that was just stored, and the log's pinned ones", async () => {
  const bucket = memoryBucket();
  for (const name of ["backup-20261101-030000", FINISHED]) await store(bucket, name);
  const rotation = await rotateWith(
    bucket,
    [run("backup-20261101-030000", { pinned: true }), present],
    [],
    1,
  );
  assert.deepEqual(rotation, { removed: [], warnings: [] });
});

Deno.test("[rotate] warns of a backup that the log has and the bucket lost, and tells the log", async () => {
  const bucket = memoryBucket();
  await store(bucket, FINISHED);
  const removed: string[] = [];
  const log = [
    run("backup-20261115-030000"),
    run("backup-20261116-030000", { status: "failed", verified_at: null }),
    present,
  ];
  const { warnings } = await rotateWith(bucket, log, removed);
  assert.deepEqual(warnings.map(({ code, object }) => [code, object]), [[
    "backup_lost",
    "backup-20261115-030000",
  ]]);
  assert.deepEqual(removed, ["backup-20261115-030000"]);
});

Deno.test("[collectBackups] takes from the manifest what the log lost, and from the name when it began", async () => {
  const bucket = memoryBucket();
  await store(bucket, "backup-20261115-123456-2");
  await store(bucket, "backup-20261114-030000", "damaged");
  await store(bucket, "backup-20261113-030000", "none");
  await bucket.put("uploads/manifest.json", new Uint8Array(1), "application/json");
  const { backups, warnings } = await collectBackups(bucket, [], null, NOW);
  const lost = { status: null, verifiedAt: null, pinned: false };
  assert.deepEqual(backups, [
    {
      ...lost,
      name: "backup-20261113-030000",
      trigger: null,
      startedAt: new Date("2026-11-13T03:00:00Z"),
      stored: false,
    },
    {
      ...lost,
      name: "backup-20261114-030000",
      trigger: null,
      startedAt: new Date("2026-11-14T03:00:00Z"),
      stored: true,
    },
    {
      ...lost,
      name: "backup-20261115-123456-2",
      trigger: "manual",
      startedAt: new Date("2026-11-15T12:34:56Z"),
      stored: true,
    },
    { ...lost, name: "uploads", trigger: null, startedAt: new Date(0), stored: false },
  ]);
  assert.deepEqual(warnings.map(({ code, object }) => [code, object]), [[
    "manifest_invalid",
    "backup-20261114-030000",
  ]]);
});

Deno.test("[collectBackups] calls the finished backup a verified success before the log does", async () => {
  const bucket = memoryBucket();
  await store(bucket, FINISHED);
  const { backups } = await collectBackups(bucket, [present], FINISHED, NOW);
  assert.deepEqual(backups.map(({ status, verifiedAt }) => ({ status, verifiedAt })), [
    { status: "succeeded", verifiedAt: NOW },
  ]);
});
