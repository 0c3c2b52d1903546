/**
 * `npm run bench:inside`: a backup of a database that takes many invocations, drilled inside the project under the
 * hosted limits, and one of its tables restored beside. `--megabytes 545` says how much COPY text, `--policy` how the
 * platform shares isolates (see stack/functions/limits.ts).
 */
import { parseArgs } from "node:util";
import postgres, { type Sql } from "postgres";
import { bytes } from "../cli/terminal/format.ts";
import { printResult } from "../cli/terminal/output.ts";
import { table } from "../cli/terminal/table.ts";
import type { WorkerInfo } from "../stack/functions/functions.ts";
import { HOSTED_LIMITS, type Policy } from "../stack/functions/limits.ts";
import { type Stack, startStack } from "../stack/stack.ts";
import { backUp } from "./backup_run.ts";
import { generateLargeData } from "./large_data.ts";

interface Measured {
  what: string;
  wallSeconds: number;
  rawBytes: number;
  isolates: WorkerInfo[];
}

/** How often the watch-dog is asked, which pg_cron does every minute. */
const WATCH_MS = 2000;

const { values } = parseArgs({
  options: {
    megabytes: { type: "string", default: "545" },
    policy: { type: "string", default: "per_worker" },
    verbose: { type: "boolean", default: false },
  },
});

const stack = await startStack({
  migrate: "directly",
  limits: HOSTED_LIMITS,
  policy: values.policy as Policy,
  log: (source, line) => values.verbose && console.error(`${source}: ${line}`),
});
const sql = postgres(stack.databaseUrl, { max: 1, onnotice: () => {}, connection: { statement_timeout: 0 } });
try {
  await generateLargeData(stack.databaseUrl, Number(values.megabytes));
  const backup = await backUp(stack, sql);
  const measured: Measured[] = [{
    what: "backup",
    wallSeconds: backup.wallSeconds,
    rawBytes: Number(backup.row["raw_bytes"]),
    isolates: backup.isolates,
  }];
  measured.push(await restored(stack, sql, "drill", "backup.drill()"));
  const [drill] = await sql<{ failed: number; checks: unknown }[]>`
    select failed, checks from backup.drills order by id desc limit 1`;
  if (drill!.failed > 0) throw new Error(`the drill failed: ${JSON.stringify(drill!.checks)}`);
  measured.push(await restored(stack, sql, "table beside", "backup.restore_table('public.events')"));
  printResult(...report(measured));
} finally {
  await sql.end();
  await stack.stop();
}

/** Asks for a restore or a drill and follows it to its end. Throws when it does not succeed. */
async function restored(stack: Stack, sql: Sql, what: string, call: string): Promise<Measured> {
  const before = new Set(stack.functions.workers().map(({ id }) => id));
  const begin = performance.now();
  const [asked] = await sql.unsafe<{ id: number }[]>(`select (${call})::int as id`);
  let row: Record<string, unknown>;
  let watched = performance.now();
  do {
    await new Promise((resolve) => setTimeout(resolve, 100));
    if (performance.now() - watched > WATCH_MS) {
      watched = performance.now();
      await sql`select backup.watch()`;
    }
    const [found] = await sql<{ row: Record<string, unknown> }[]>`
      select to_jsonb(r) as row from backup.restores r where id = ${asked!.id}`;
    row = found!.row;
  } while (row["finished_at"] === null);
  const wallSeconds = (performance.now() - begin) / 1000;
  if (row["status"] !== "succeeded") throw new Error(`the ${what} ${row["status"]}: ${row["error_message"]}`);
  return {
    what,
    wallSeconds,
    rawBytes: Number(row["raw_bytes"]),
    isolates: stack.functions.workers().filter(({ id }) => !before.has(id)),
  };
}

function report(measured: Measured[]): string[] {
  const { cpuMs, memoryBytes } = HOSTED_LIMITS;
  const most = (read: (worker: WorkerInfo) => number) => ({ isolates }: Measured) =>
    Math.max(...isolates.map(read));
  const cpu = ({ isolates }: Measured) => isolates.reduce((sum, { cpuMs }) => sum + cpuMs, 0) / 1000;
  const row = (name: string, show: (figures: Measured) => string) => [name, ...measured.map(show)];
  const ended = ["cpu", "memory", "wall_clock"];
  return table(
    ["", ...measured.map(({ what }) => what)],
    [
      row("wall time", ({ wallSeconds }) => `${wallSeconds.toFixed(1)} s`),
      row("COPY text", ({ rawBytes }) => bytes(rawBytes)),
      row("isolates", ({ isolates }) => String(isolates.length)),
      row("CPU", (figures) => `${cpu(figures).toFixed(1)} s`),
      row("COPY text per CPU second", (figures) => bytes(figures.rawBytes / cpu(figures))),
      row(
        `most CPU of an isolate (limit ${cpuMs} ms)`,
        (figures) => `${most(({ cpuMs }) => cpuMs)(figures).toFixed()} ms`,
      ),
      row(
        `most memory (limit ${bytes(memoryBytes)})`,
        (figures) => bytes(most(({ peakMemoryBytes }) => peakMemoryBytes)(figures)),
      ),
      row(
        "ended at a limit",
        ({ isolates }) => String(isolates.filter((worker) => ended.includes(worker.ended ?? "")).length),
      ),
    ],
    ["left", ...measured.map(() => "right" as const)],
  );
}
