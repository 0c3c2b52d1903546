/**
 * `npm run bench:catalog`: planning of a database with many tables against `pg_dump --schema-only` of the same. Prints
 * medians. `--tables 5000` says how many, of 20 columns, 2 indexes and a policy each; `--runs 3` how often.
 */
import { parseArgs } from "node:util";
import postgres from "postgres";
import { bytes } from "../cli/terminal/format.ts";
import { printResult } from "../cli/terminal/output.ts";
import { table } from "../cli/terminal/table.ts";
import { startCluster } from "../stack/postgres/cluster.ts";
import { type Cost, measure, median } from "./measure.ts";
import type { PlanCost } from "./plan.ts";

const PLAN = decodeURIComponent(new URL("./plan.ts", import.meta.url).pathname);

/** A table takes many locks, and the planner locks them all. */
const SETTINGS = { max_locks_per_transaction: "1000" };

/** Tables made in one transaction. */
const BATCH = 500;

/**
 * Without a limit V8 lets garbage lie as long as there is room. Held to this much of long-lived and of new objects
 * (megabytes; a little more than it dies with) it shows what planning needs.
 */
const HELD = "--max-old-space-size=48,--max-semi-space-size=2";

const { values } = parseArgs({
  options: { tables: { type: "string", default: "5000" }, runs: { type: "string", default: "3" } },
});
const [tables, runs] = [Number(values.tables), Number(values.runs)];

const cluster = await startCluster({ settings: SETTINGS });
try {
  console.error(`making ${tables} tables …`);
  await makeTables(cluster.url(), tables);
  const [ours, held, theirs]: [PlanCost[], PlanCost[], Cost[]] = [[], [], []];
  for (let run = 0; run < runs; run++) {
    console.error(`run ${run + 1} of ${runs} …`);
    theirs.push(
      await measure(`${cluster.binDir}/pg_dump`, ["--schema-only", "-f", "/dev/null", "-d", cluster.url()]),
    );
    ours.push(await plan(cluster.url(), []));
    held.push(await plan(cluster.url(), [`--v8-flags=${HELD}`]));
  }
  console.log(`\n${tables} tables, ${ours[0]!.entries} entries, medians of ${runs} runs`);
  printResult(...report(ours, held, theirs));
} finally {
  await cluster.stop();
}

async function makeTables(url: string, count: number): Promise<void> {
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  try {
    for (let from = 1; from <= count; from += BATCH) {
      await sql.unsafe(`
        do $do$
        begin
          for i in ${from}..${Math.min(count, from + BATCH - 1)} loop
            execute format(
              'create table public.table_%s (id bigint not null, name text not null, %s); '
              'create unique index table_%s_id on public.table_%s (id); create index table_%s_name on public.table_%s (name); '
              'alter table public.table_%s enable row level security; '
              'create policy owner_only on public.table_%s for select using (column_1 = current_user)',
              i, (select string_agg(format('column_%s %s', n, (array['text', 'integer', 'timestamptz', 'jsonb'])[1 + (n - 1) % 4]), ', ')
                from generate_series(1, 18) n), i, i, i, i, i, i);
          end loop;
        end
        $do$`);
    }
    await sql`vacuum analyze`;
  } finally {
    await sql.end();
  }
}

async function plan(url: string, flags: string[]): Promise<PlanCost> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", ...flags, PLAN],
    env: { DATABASE_URL: url },
  }).output();
  if (!success) throw new Error(`planning failed: ${new TextDecoder().decode(stderr)}`);
  return JSON.parse(new TextDecoder().decode(stdout));
}

function report(ours: PlanCost[], held: PlanCost[], theirs: Cost[]): string[] {
  const inSeconds = (value: number) => `${value.toFixed(2)} s`;
  const row = (
    name: string,
    our: (cost: PlanCost) => number,
    their: (cost: Cost) => number,
    show: (value: number) => string,
  ) => [name, show(median(ours.map(our))), show(median(held.map(our))), show(median(theirs.map(their)))];
  const seconds = [
    row("wall time", ({ wallSeconds }) => wallSeconds, ({ wallSeconds }) => wallSeconds, inSeconds),
    row("CPU (1)", ({ cpuSeconds }) => cpuSeconds, ({ cpuSeconds }) => cpuSeconds, inSeconds),
  ];
  const memory = row(
    "peak memory (2)",
    ({ peakBytes, idleBytes }) => peakBytes - idleBytes,
    ({ peakBytes }) => peakBytes,
    bytes,
  );
  return [
    ...table(
      ["", "planning", "planning, held", "pg_dump --schema-only"],
      [...seconds, memory],
      ["left", "right", "right", "right"],
    ),
    `(1) Ours of its main thread. (2) Ours beyond the idle runtime's ${
      bytes(median(ours.map(({ idleBytes }) => idleBytes)))
    }.`,
    `Held: V8 with ${HELD}. Header and table of contents: ${bytes(ours[0]!.headBytes)}.`,
  ];
}
