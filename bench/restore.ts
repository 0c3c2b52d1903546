/**
 * `npm run bench:restore`: the restore command, download and checks included, against `pg_restore` of the same archive in a local
 * file, in turns, on this machine. `--megabytes 100,600` says how much COPY text, `--runs 3` how often.
 */
import { createClient } from "@supabase/supabase-js";
import { parseArgs } from "node:util";
import postgres from "postgres";
import { dumpDatabase } from "../cli/dump.ts";
import { openArchive } from "../cli/restore/archive_file.ts";
import { table } from "../cli/terminal.ts";
import { type Cluster, startCluster } from "../stack/postgres/cluster.ts";
import { type Stack, startStack } from "../stack/stack.ts";
import { type Manifest, writeManifest } from "../supabase/functions/backup/manifest/manifest.ts";
import { sha256Hex } from "../supabase/functions/backup/storage/sha256.ts";
import { generateData } from "./data.ts";
import { type Cost, measure, median } from "./measure.ts";

const RESTORE = new URL("../cli/restore.ts", import.meta.url).pathname;
const NAME = "backup-20261122-030000";
const PART_BYTES = 40 * 1024 * 1024;

const { values } = parseArgs({
  options: { megabytes: { type: "string", default: "100,600" }, runs: { type: "string", default: "3" } },
});

for (const megabytes of values.megabytes.split(",").map(Number)) {
  await compare(megabytes, Number(values.runs));
}

async function compare(megabytes: number, runs: number): Promise<void> {
  const cluster = await startCluster();
  const stack = await startStack({ migrate: "directly" });
  const folder = await Deno.makeTempDir({ prefix: "bench-" });
  const archive = `${folder}/archive.dump`;
  const admin = postgres(cluster.url(), { max: 1, onnotice: () => {} });
  try {
    console.error(`generating ${megabytes} MB of COPY text …`);
    await admin`create database source`;
    await generateData(cluster.url("source"), megabytes);
    const entries = await writeArchive(cluster.url("source"), archive);
    await store(stack, archive, entries);
    const [ours, theirs]: [Cost[], Cost[]] = [[], []];
    for (let run = 0; run < runs; run++) {
      console.error(`run ${run + 1} of ${runs} …`);
      const turns = [
        async () =>
          theirs.push(
            await into(admin, () =>
              measure(`${cluster.binDir}/pg_restore`, ["-1", "-d", cluster.url("restored"), archive])),
          ),
        async () => ours.push(await into(admin, () => ourRestore(stack, cluster, folder))),
      ];
      // Who comes second meets what the first has left to be written.
      for (const turn of run % 2 === 0 ? turns : turns.reverse()) await turn();
    }
    console.log(`\n${megabytes} MB of COPY text, medians of ${runs} runs`);
    console.log(report(ours, theirs));
  } finally {
    await admin.end();
    await Promise.all([cluster.stop(), stack.stop()]);
    await Deno.remove(folder, { recursive: true });
  }
}

/** Each restore goes into a database of its own, with the caches as the one before left them. */
async function into(admin: postgres.Sql, restore: () => Promise<Cost>): Promise<Cost> {
  await admin`drop database if exists restored with (force)`;
  await admin`create database restored template template0`;
  await admin`checkpoint`;
  await new Deno.Command("sync").output();
  return await restore();
}

async function ourRestore(stack: Stack, cluster: Cluster, folder: string): Promise<Cost> {
  return await measure(
    Deno.execPath(),
    ["run", "-A", "--no-check", RESTORE, "--backup", NAME, "--work-dir", `${folder}/work`],
    {
      SUPABASE_URL: stack.apiUrl,
      SUPABASE_SECRET_KEY: stack.keys.secretKey,
      RESTORE_DATABASE_URL: cluster.url("restored"),
      PG_BIN: cluster.binDir,
    },
  );
}

/** Answers how many entries it has. */
async function writeArchive(url: string, path: string): Promise<number> {
  using file = await Deno.open(path, { write: true, create: true });
  await dumpDatabase(url, async (bytes) => {
    for (let written = 0; written < bytes.length;) written += await file.write(bytes.subarray(written));
  });
  return (await openArchive(path)).entries.length;
}

/** As the function would: parts of 40 MiB, and the manifest. */
async function store(stack: Stack, path: string, entries: number): Promise<void> {
  const bucket = createClient(stack.apiUrl, stack.keys.secretKey, { auth: { persistSession: false } }).storage
    .from("backups");
  const whole = await Deno.readFile(path);
  const parts: Manifest["parts"] = [];
  for (let begin = 0; begin < whole.length; begin += PART_BYTES) {
    const bytes = whole.subarray(begin, begin + PART_BYTES);
    const name = `${String(parts.length).padStart(5, "0")}.dump`;
    const { error } = await bucket.upload(`${NAME}/${name}`, bytes, {
      contentType: "application/octet-stream",
    });
    if (error) throw error;
    parts.push({ name, bytes: bytes.length, sha256: await sha256Hex(bytes) });
  }
  const manifest = writeManifest({
    ...{
      formatVersion: 1,
      name: NAME,
      createdAt: "2026-11-22T03:00:00Z",
      snapshotAt: "2026-11-22T03:00:00Z",
    },
    run: { id: 1, trigger: "manual", attempt: 1 },
    server: { version: "15", database: "source" },
    archive: { format: "PGDMP 1.14", level: 4, entries },
    totals: { tables: 0, rows: 0, rawBytes: 0, storedBytes: whole.length, parts: parts.length },
    ...{ tables: [], parts, warnings: [] },
  });
  const { error } = await bucket.upload(`${NAME}/manifest.json`, manifest, {
    contentType: "application/json",
  });
  if (error) throw error;
}

function report(ours: Cost[], theirs: Cost[]): string {
  const row = (name: string, read: (cost: Cost) => number, show: (value: number) => string) => {
    const [our, their] = [median(ours.map(read)), median(theirs.map(read))];
    return [name, show(our), show(their), (our / their).toFixed(2)];
  };
  return table(["", "restore", "pg_restore -1", "ratio"], [
    row("wall time", ({ wallSeconds }) => wallSeconds, (value) => `${value.toFixed(2)} s`),
    row("CPU of the programs", ({ cpuSeconds }) => cpuSeconds, (value) => `${value.toFixed(2)} s`),
  ], ["left", "right", "right", "right"]);
}
