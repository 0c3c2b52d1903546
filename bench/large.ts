/**
 * `npm run bench:large`: a database that takes many invocations, backed up through the whole stack under the hosted
 * limits, restored by the stock pg_restore, and compared table by table; beside it `pg_dump -Fc` of the same database.
 * `--megabytes 1000` says how much COPY text, `--workers 1,2` how many at a time, `--policy per_worker` how the
 * platform shares isolates (see stack/functions/limits.ts). `--unlimited` lifts the limits: each worker goes on until
 * nothing is left, so that the export is measured without the platform's way from one invocation to the next.
 */
import { parseArgs } from "node:util";
import postgres, { type Sql } from "postgres";
import { bytes, duration } from "../cli/terminal/format.ts";
import { printResult } from "../cli/terminal/output.ts";
import { table } from "../cli/terminal/table.ts";
import { HOSTED_LIMITS, type Policy } from "../stack/functions/limits.ts";
import type { WorkerInfo } from "../stack/functions/functions.ts";
import { RESTORED, startRestoreTarget } from "../stack/postgres/restore_target.ts";
import { type Stack, startStack } from "../stack/stack.ts";
import { backUp } from "./backup_run.ts";
import { generateLargeData } from "./large_data.ts";
import { type Cost, measure } from "./measure.ts";
import { tableHashes } from "./table_hashes.ts";

interface Measured {
  workers: number;
  wallSeconds: number;
  /** Until all rows were in the bucket; reading them back, the manifest and rotation follow. */
  storedSeconds: number;
  invocations: number;
  attempt: number;
  rawBytes: number;
  storedBytes: number;
  /** CPU of the isolates' threads, without their boot, which the platform counts apart. */
  cpuSeconds: number;
  worstCpuMs: number;
  worstMemoryBytes: number;
  worstWallMs: number;
  /** Isolates that the runner ended at a limit. */
  overLimit: number;
}

const { values } = parseArgs({
  options: {
    megabytes: { type: "string", default: "1000" },
    workers: { type: "string", default: "1,2" },
    policy: { type: "string", default: "per_worker" },
    unlimited: { type: "boolean", default: false },
    verbose: { type: "boolean", default: false },
  },
});

const HOUR_MS = 3_600_000;
const LIMITS = values.unlimited
  ? { ...HOSTED_LIMITS, cpuMs: HOUR_MS, memoryBytes: 4 * HOSTED_LIMITS.memoryBytes, wallClockMs: HOUR_MS }
  : HOSTED_LIMITS;

const stack = await startStack({
  migrate: "directly",
  limits: LIMITS,
  policy: values.unlimited ? "oneshot" : values.policy as Policy,
  log: (source, line) => values.verbose && console.error(`${source}: ${line}`),
});
const sql = postgres(stack.superuserUrl, {
  max: 1,
  onnotice: () => {},
  connection: { statement_timeout: 0 },
});
const folder = await Deno.makeTempDir({ prefix: "bench-" });
try {
  console.error(`generating ${values.megabytes} MB of COPY text …`);
  const begin = performance.now();
  await generateLargeData(stack.databaseUrl, Number(values.megabytes));
  await sql`checkpoint`;
  const [size] = await sql<{ bytes: number }[]>`
    select pg_database_size(current_database())::float8 as bytes`;
  console.error(`a database of ${bytes(size!.bytes)} after ${duration(performance.now() - begin)}`);

  console.error("pg_dump -Fc …");
  const theirs = await measure(`${stack.database.cluster.binDir}/pg_dump`, [
    "-Fc",
    "-f",
    `${folder}/theirs`,
    "-d",
    stack.superuserUrl,
  ]);
  const theirBytes = (await Deno.stat(`${folder}/theirs`)).size;
  await Deno.remove(`${folder}/theirs`);

  const measured: Measured[] = [];
  let newest = "";
  for (const workers of values.workers.split(",").map(Number)) {
    console.error(`backup with ${workers} at a time …`);
    await sql`select backup.configure(workers => ${workers})`;
    if (values.unlimited) await sql`select backup.configure(invocation_bytes => 10::bigint << 30)`;
    const { name, ...figures } = await measuredBackup(stack, sql, workers);
    measured.push(figures);
    newest = name;
  }
  printResult(...report(measured, theirs, theirBytes));

  console.error("pg_restore -j 2 …");
  await joinParts(stack, newest, `${folder}/archive`);
  await compareRestored(`${folder}/archive`);
} finally {
  await Deno.remove(folder, { recursive: true });
  await sql.end();
  await stack.stop();
}

async function measuredBackup(stack: Stack, sql: Sql, workers: number): Promise<Measured & { name: string }> {
  const { row: run, wallSeconds, isolates } = await backUp(stack, sql);
  const [stored] = await sql<{ seconds: number }[]>`
    select extract(epoch from max(s.finished_at) - l.started_at)::float8 as seconds
    from backup.slices s join backup.log l on l.id = s.run_id group by l.id`;
  const most = (read: (worker: WorkerInfo) => number) => Math.max(...isolates.map(read));
  return {
    name: String(run["name"]),
    workers,
    wallSeconds,
    storedSeconds: stored!.seconds,
    invocations: Number(run["invocations"]),
    attempt: Number(run["attempt"]),
    rawBytes: Number(run["raw_bytes"]),
    storedBytes: Number(run["stored_bytes"]),
    cpuSeconds: isolates.reduce((sum, { cpuMs }) => sum + cpuMs, 0) / 1000,
    worstCpuMs: most(({ cpuMs }) => cpuMs),
    worstMemoryBytes: most(({ peakMemoryBytes }) => peakMemoryBytes),
    worstWallMs: most(({ wallMs }) => wallMs),
    overLimit:
      isolates.filter(({ ended }) => ended === "cpu" || ended === "memory" || ended === "wall_clock").length,
  };
}

function report(measured: Measured[], theirs: Cost, theirBytes: number): string[] {
  const { cpuMs, memoryBytes, wallClockMs } = LIMITS;
  const inSeconds = (value: number) => `${value.toFixed(1)} s`;
  const row = (
    name: string,
    show: (figures: Measured) => string,
    their = "",
  ) => [name, ...measured.map(show), their];
  return table(
    ["", ...measured.map(({ workers }) => `${workers} at a time`), "pg_dump -Fc"],
    [
      row("wall time", ({ wallSeconds }) => inSeconds(wallSeconds), inSeconds(theirs.wallSeconds)),
      row("ratio to pg_dump", ({ wallSeconds }) => (wallSeconds / theirs.wallSeconds).toFixed(2), "1.00"),
      row("until all is stored", ({ storedSeconds }) => inSeconds(storedSeconds)),
      row("ratio to pg_dump", ({ storedSeconds }) => (storedSeconds / theirs.wallSeconds).toFixed(2)),
      row("COPY text", ({ rawBytes }) => bytes(rawBytes)),
      row("archive", ({ storedBytes }) => bytes(storedBytes), bytes(theirBytes)),
      row("ratio to pg_dump", ({ storedBytes }) => (storedBytes / theirBytes).toFixed(3), "1.000"),
      row(
        "invocations",
        ({ invocations, attempt }) => `${invocations}${attempt > 1 ? ` (attempt ${attempt})` : ""}`,
      ),
      row("CPU", ({ cpuSeconds }) => inSeconds(cpuSeconds), inSeconds(theirs.cpuSeconds)),
      row("COPY text per CPU second", ({ rawBytes, cpuSeconds }) => bytes(rawBytes / cpuSeconds)),
      row(`most CPU of an isolate (limit ${cpuMs} ms)`, ({ worstCpuMs }) => `${worstCpuMs.toFixed()} ms`),
      row(`most memory (limit ${bytes(memoryBytes)})`, ({ worstMemoryBytes }) => bytes(worstMemoryBytes)),
      row(
        `longest life (limit ${inSeconds(wallClockMs / 1000)})`,
        ({ worstWallMs }) => inSeconds(worstWallMs / 1000),
      ),
      row("ended at a limit", ({ overLimit }) => String(overLimit)),
    ],
    ["left", ...measured.map(() => "right" as const), "right"],
  );
}

/** The parts joined in name order, as `cat` would. */
async function joinParts(stack: Stack, name: string, path: string): Promise<void> {
  using file = await Deno.open(path, { write: true, create: true, truncate: true });
  const parts = await sql<{ name: string }[]>`
    select name from storage.objects where bucket_id = 'backups' and name like ${`${name}/%.dump`}
    order by name collate "C"`;
  for (const part of parts) {
    const answer = await fetch(`${stack.apiUrl}/storage/v1/object/backups/${part.name}`, {
      headers: { apikey: stack.keys.secretKey, authorization: `Bearer ${stack.keys.secretKey}` },
    });
    if (!answer.ok) throw new Error(`${part.name}: ${answer.status} ${await answer.text()}`);
    await answer.body!.pipeTo(file.writable, { preventClose: true });
  }
}

/** Throws unless pg_restore is content and every table is as it was. */
async function compareRestored(path: string): Promise<void> {
  const target = await startRestoreTarget(stack.superuserUrl);
  try {
    const { wallSeconds } = await measure(`${target.binDir}/pg_restore`, [
      "--exit-on-error",
      "-j",
      "2",
      "-d",
      target.url(RESTORED),
      path,
    ]);
    const [restored, source] = await Promise.all([
      tableHashes(target.url(RESTORED)),
      tableHashes(stack.superuserUrl),
    ]);
    const wrong = Object.keys(source).filter((name) => source[name] !== restored[name]);
    for (const name of wrong) console.error(`${name}: ${source[name]} became ${restored[name]}`);
    const tables = Object.keys(source).length;
    console.log(
      `restored in ${duration(wallSeconds * 1000)}: ${tables - wrong.length} of ${tables} tables are equal`,
    );
    if (wrong.length > 0) Deno.exitCode = 1;
  } finally {
    await target.stop();
  }
}
