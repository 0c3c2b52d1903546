/**
 * `npm run bench:restore`: our engine against `pg_restore -1`, and against `pg_restore -j` with as many connections, of
 * the same archive in a local file; beside them the restore command, download and checks included. They take turns, so
 * each round is a pair. `--megabytes 100,600` says how much COPY text, `--runs 3` how often, `--jobs 4` how many
 * connections, `--engine-only` leaves the command out.
 */
import { createClient } from "@supabase/supabase-js";
import { parseArgs } from "node:util";
import postgres from "postgres";
import { dumpDatabase } from "../cli/dump/dump_database.ts";
import { openArchive } from "../cli/source/archive_file.ts";
import { bytes } from "../cli/terminal/format.ts";
import { printResult } from "../cli/terminal/output.ts";
import { table } from "../cli/terminal/table.ts";
import { type Cluster, startCluster } from "../stack/postgres/cluster.ts";
import { type Stack, startStack } from "../stack/stack.ts";
import { type Manifest, writeManifest } from "../supabase/functions/backup/manifest/manifest.ts";
import { sha256Hex } from "../supabase/functions/backup/storage/sha256.ts";
import { generateData } from "./data.ts";
import { type Cost, measure, median } from "./measure.ts";

const HERE = decodeURIComponent(new URL(".", import.meta.url).pathname);
const NAME = "backup-20261122-030000";
const PART_BYTES = 40 * 1024 * 1024;

const { values } = parseArgs({
  options: {
    megabytes: { type: "string", default: "100,600" },
    runs: { type: "string", default: "3" },
    jobs: { type: "string", default: "4" },
    "engine-only": { type: "boolean", default: false },
  },
});

/** Of Linux. */
const TICKS_PER_SECOND = 100;

interface Measured extends Cost {
  /** CPU time of the server's sessions. */
  serverSeconds: number;
}

/** Ways to restore; `than` is the one that each is compared with. */
interface Way {
  name: string;
  than?: string;
  run: () => Promise<Cost>;
}

for (const megabytes of values.megabytes.split(",").map(Number)) {
  await compare(megabytes, Number(values.runs));
}

async function compare(megabytes: number, runs: number): Promise<void> {
  const cluster = await startCluster();
  const stack = values["engine-only"] ? null : await startStack({ migrate: "directly" });
  const folder = await Deno.makeTempDir({ prefix: "bench-" });
  const archive = `${folder}/archive.dump`;
  const admin = postgres(cluster.url(), { max: 1, onnotice: () => {} });
  try {
    console.error(`generating ${megabytes} MB of COPY text …`);
    await admin`create database source`;
    await generateData(cluster.url("source"), megabytes);
    const entries = await writeArchive(cluster.url("source"), archive);
    await admin`drop database source`;
    if (stack !== null) await store(stack, archive, entries);
    const ways = waysOf(cluster, stack, archive, folder);
    const costs = new Map<string, Measured[]>(ways.map(({ name }) => [name, []]));
    for (let run = 0; run < runs; run++) {
      console.error(`run ${run + 1} of ${runs} …`);
      // The second of a pair meets what the first has left to be written.
      for (const way of run % 2 === 0 ? ways : ways.toReversed()) {
        costs.get(way.name)!.push(await into(admin, cluster, way.run));
      }
    }
    console.log(`\n${megabytes} MB of COPY text, medians of ${runs} runs`);
    printResult(...report(ways, costs));
  } finally {
    await admin.end();
    await Promise.all([cluster.stop(), stack?.stop()]);
    await Deno.remove(folder, { recursive: true });
  }
}

function waysOf(cluster: Cluster, stack: Stack | null, archive: string, folder: string): Way[] {
  const { jobs } = values;
  const url = cluster.url("restored");
  const program = (...args: string[]) => () =>
    measure(`${cluster.binDir}/pg_restore`, [...args, "-d", url, archive]);
  const engine = (connections: string) => () =>
    measure(Deno.execPath(), [
      "run",
      "-A",
      "--no-check",
      `${HERE}restore_file.ts`,
      archive,
      url,
      connections,
    ]);
  return [
    { name: "pg_restore -1", run: program("-1") },
    { name: "engine", than: "pg_restore -1", run: engine("1") },
    ...(stack === null
      ? []
      : [{ name: "command", than: "pg_restore -1", run: () => ourCommand(stack, cluster, folder) }]),
    { name: `pg_restore -j ${jobs}`, run: program("-j", jobs) },
    { name: `engine, ${jobs} connections`, than: `pg_restore -j ${jobs}`, run: engine(jobs) },
  ];
}

/** Each restore goes into a database of its own, with the caches as the one before left them. */
async function into(admin: postgres.Sql, cluster: Cluster, restore: () => Promise<Cost>): Promise<Measured> {
  await admin`drop database if exists restored with (force)`;
  await admin`create database restored template template0`;
  await admin`checkpoint`;
  await new Deno.Command("sync").output();
  const before = await sessionsCpu(cluster);
  const cost = await restore();
  return { ...cost, serverSeconds: await sessionsCpu(cluster) - before };
}

/** Returns the CPU time of a server's sessions, when those with the restored database have ended. */
async function sessionsCpu({ dir }: Cluster): Promise<number> {
  const [pid] = (await Deno.readTextFile(`${dir}/postmaster.pid`)).split("\n");
  while (await hasSessions(pid!)) await new Promise((resolve) => setTimeout(resolve, 20));
  const fields = (await Deno.readTextFile(`/proc/${pid}/stat`)).split(") ").at(-1)!.split(" ");
  // Of its children, user and system (proc(5), fields 16 and 17).
  return (Number(fields[13]) + Number(fields[14])) / TICKS_PER_SECOND;
}

/** Returns whether a process has a child that serves the restored database, or one that is ending. */
async function hasSessions(pid: string): Promise<boolean> {
  const children = await Deno.readTextFile(`/proc/${pid}/task/${pid}/children`);
  for (const child of children.trim().split(" ")) {
    try {
      const title = await Deno.readTextFile(`/proc/${child}/cmdline`);
      // One that ends has no title any more.
      if (title === "" || / restored .*\(\d+\)/.test(title)) return true;
    } catch {
      // It has just ended.
    }
  }
  return false;
}

async function ourCommand(stack: Stack, cluster: Cluster, folder: string): Promise<Cost> {
  return await measure(
    Deno.execPath(),
    [
      "run",
      "-A",
      "--no-check",
      `${HERE}../cli/main.ts`,
      "restore",
      "--backup",
      NAME,
      "--work-dir",
      `${folder}/work`,
    ],
    {
      SUPABASE_URL: stack.apiUrl,
      SUPABASE_SECRET_KEY: stack.keys.secretKey,
      RESTORE_DATABASE_URL: cluster.url("restored"),
      PG_BIN: cluster.binDir,
    },
  );
}

/** Returns how many entries it has. */
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
    formatVersion: 1,
    name: NAME,
    createdAt: "2026-11-22T03:00:00Z",
    snapshotAt: "2026-11-22T03:00:00Z",
    run: { id: 1, trigger: "manual", attempt: 1 },
    server: { version: "15", database: "source" },
    archive: { format: "PGDMP 1.14", level: 4, entries },
    totals: { tables: 0, rows: 0, rawBytes: 0, storedBytes: whole.length, parts: parts.length },
    tables: [],
    parts,
    warnings: [],
  });
  const { error } = await bucket.upload(`${NAME}/manifest.json`, manifest, {
    contentType: "application/json",
  });
  if (error) throw error;
}

function report(ways: readonly Way[], costs: ReadonlyMap<string, Measured[]>): string[] {
  const rows = ways.map(({ name, than }) => {
    const own = costs.get(name)!;
    const others = than === undefined ? null : costs.get(than)!;
    const ratio = (read: (cost: Measured) => number) =>
      others === null ? "" : median(own.map((cost, round) => read(cost) / read(others[round]!))).toFixed(2);
    const wall = ({ wallSeconds }: Cost) => wallSeconds;
    const cpu = ({ cpuSeconds }: Cost) => cpuSeconds;
    const server = ({ serverSeconds }: Measured) => serverSeconds;
    const all = (cost: Measured) => cpu(cost) + server(cost);
    return [
      name,
      `${median(own.map(wall)).toFixed(2)} s`,
      ratio(wall),
      `${median(own.map(cpu)).toFixed(2)} s`,
      `${median(own.map(server)).toFixed(2)} s`,
      ratio(all),
      bytes(median(own.map(({ peakBytes }) => peakBytes))),
    ];
  });
  return table(
    ["", "wall time", "ratio", "CPU of the program", "of the server", "ratio", "peak memory"],
    rows,
    ["left", "right", "right", "right", "right", "right", "right"],
  );
}
