/** `demo`: the main job from an empty folder to a restored database, on the embedded stack. */
import { Command } from "commander";
import postgres, { type Sql } from "postgres";
import type { Cluster } from "../../stack/postgres/cluster.ts";
import { RESTORED, startRestoreTarget } from "../../stack/postgres/restore_target.ts";
import { useUsualPostgres } from "../../stack/postgres/install.ts";
import { type Stack, startStack } from "../../stack/stack.ts";
import { downloadBackup } from "../source/download.ts";
import { bytes, count, duration, instant } from "../terminal/format.ts";
import { followRun } from "../project/follow_run.ts";
import type { Run } from "../project/function_client.ts";
import { openBucket } from "../project/stored_backups.ts";
import { CommandError } from "../terminal/errors.ts";
import { onInterrupt } from "../terminal/interrupt.ts";
import { printResult } from "../terminal/output.ts";
import { colors } from "../terminal/style.ts";
import { table } from "../terminal/table.ts";
import type { Check } from "../../supabase/functions/backup/compare/check.ts";
import { checksTable } from "../compare/checks_table.ts";
import { summary } from "./backup.ts";
import { runsTable } from "./log.ts";

export const command = new Command("demo")
  .summary("see a backup and its restore on this machine")
  .description(
    "Start a project on this machine, fill it with a theatre company's database, let pg_cron fire the weekly job " +
      "(every minute, for once), restore the backup with pg_restore into a second server, and let the project drill it. " +
      "Leaves nothing behind.",
  )
  .action(demo);

const DRILL_MS = 120_000;

async function demo(): Promise<void> {
  const begin = Date.now();
  step(
    "A project: PostgreSQL, pg_cron, pg_net, Storage, Edge Functions; its migrations; a theatre's database",
  );
  await useUsualPostgres();
  const stack = await startStack({ load: new URL("../../examples/theatre/", import.meta.url) });
  const folder = await Deno.makeTempDir({ prefix: "demo-" });
  const end = async () => {
    await stack.stop();
    await Deno.remove(folder, { recursive: true });
  };
  using _interrupt = onInterrupt(end);
  const sql = postgres(stack.databaseUrl, { max: 1, onnotice: () => {} });
  try {
    const run = await backUp(sql);
    await showBackup(sql, stack, run);
    await showRestore(stack, run, folder);
    await showDrill(sql);
    step(`Done in ${duration(Date.now() - begin)}`);
  } finally {
    await sql.end();
    await end();
  }
}

/** Lets pg_cron start a run, and follows it. */
async function backUp(sql: Sql): Promise<Run> {
  const left = 60_000 - Date.now() % 60_000;
  step(
    `select backup.schedule('* * * * *') and wait for pg_cron: it fires at the full minute, in ${
      duration(left)
    }`,
  );
  await sql`select backup.schedule('* * * * *')`;
  const run = await untilStarted(sql);
  await sql`select backup.schedule('0 3 * * 0')`;
  printResult(`${instant(run.started_at)}  pg_cron has called backup.start('scheduled')`);
  step("pg_cron → pg_net → Edge Function → bucket");
  const ended = await followRun(() => readRun(sql, run.id), run.id);
  printResult(...summary(ended));
  if (ended.status !== "succeeded") {
    throw new CommandError(ended.error_message ?? `The run was ${ended.status}`, ended.error_hint ?? "");
  }
  return ended;
}

async function untilStarted(sql: Sql): Promise<Run> {
  const deadline = Date.now() + 75_000;
  while (Date.now() < deadline) {
    const [row] = await sql<
      { run: Run }[]
    >`select to_jsonb(l) as run from backup.log l where trigger = 'scheduled'`;
    if (row) return row.run;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  throw new CommandError("pg_cron did not fire within a minute", "See cron.job_run_details.");
}

async function readRun(sql: Sql, id: number): Promise<Run> {
  const [row] = await sql<{ run: Run }[]>`select to_jsonb(l) as run from backup.log l where id = ${id}`;
  return row!.run;
}

async function showBackup(sql: Sql, stack: Stack, run: Run): Promise<void> {
  step("select * from backup.log");
  printResult(...runsTable([await readRun(sql, run.id)]));
  step("The private bucket `backups`");
  const objects = await openBucket({ url: stack.apiUrl, secretKey: stack.keys.secretKey }).list(run.name);
  printResult(
    ...table(
      ["object", "size"],
      objects.map(({ name, bytes: size }) => [`${run.name}/${name}`, bytes(size)]),
      [
        "left",
        "right",
      ],
    ),
  );
  step("What the function used of its 2 s of CPU, 256 MB and 150 s");
  printResult(
    ...table(
      ["worker", "CPU", "peak memory", "wall time"],
      stack.functions.workers().map(({ cpuMs, peakMemoryBytes, wallMs }, index) => [
        String(index + 1),
        duration(cpuMs),
        bytes(peakMemoryBytes),
        duration(wallMs),
      ]),
      ["left", "right", "right", "right"],
    ),
  );
}

async function showRestore(stack: Stack, run: Run, folder: string): Promise<void> {
  const archive = `${folder}/${run.name}.dump`;
  step("pg_restore into a second server");
  const [target] = await Promise.all([
    startRestoreTarget(stack.superuserUrl),
    downloadBackup(openBucket({ url: stack.apiUrl, secretKey: stack.keys.secretKey }), run.name, archive),
  ]);
  try {
    await pgRestore(target, archive);
    const [before, after] = [await rowCounts(stack.superuserUrl), await rowCounts(target.url(RESTORED))];
    printResult(
      ...table(
        ["table", "rows", "restored", ""],
        [...before].map(([name, rows]) => {
          const restored = after.get(name);
          const same = restored === rows;
          return [
            name,
            count(rows),
            restored === undefined ? "missing" : count(restored),
            same ? colors.green("=") : colors.red("≠"),
          ];
        }),
        ["left", "right", "right", "left"],
      ),
    );
    const different = [...before].filter(([name, rows]) => after.get(name) !== rows).map(([name]) => name);
    if (different.length > 0) {
      throw new CommandError(
        `Restored rows differ in ${different.join(", ")}`,
        "This is a bug. Please report it.",
      );
    }
  } finally {
    await target.stop();
  }
}

/** Lets the project restore the backup by itself, and shows what it found. */
async function showDrill(sql: Sql): Promise<void> {
  step(
    "select backup.drill(): the project restores the backup into a scratch database of its own and compares",
  );
  const [{ id }] = await sql<[{ id: string }]>`select backup.drill() as id`;
  const deadline = Date.now() + DRILL_MS;
  for (let ended = false; !ended;) {
    const [row] = await sql<{ status: string; error_message: string | null; error_hint: string | null }[]>`
      select status, error_message, error_hint from backup.restores where id = ${id} and finished_at is not null`;
    ended = row !== undefined;
    if (row && row.status !== "succeeded") throw new CommandError(row.error_message!, row.error_hint ?? "");
    if (!ended && Date.now() > deadline) {
      throw new CommandError("The drill did not end in time", "See backup.restores.");
    }
    if (!ended) await new Promise((resolve) => setTimeout(resolve, 250));
  }
  const [drill] = await sql<
    [{ passed: number; failed: number; skipped: number; unchecked: number; checks: Check[] }]
  >`
    select passed, failed, skipped, unchecked, checks from backup.drills order by id desc limit 1`;
  const { passed, failed, skipped, unchecked, checks } = drill;
  printResult(
    `${failed === 0 ? colors.green("✔") : colors.red("✘")} ` +
      `${passed} passed, ${failed} failed, ${skipped} skipped, ${unchecked} unchecked`,
    ...checksTable(checks),
  );
  if (failed > 0) throw new CommandError("The drill found failures", "This is a bug. Please report it.");
}

async function pgRestore(target: Cluster, archive: string): Promise<void> {
  const shown = `pg_restore --exit-on-error -d ${RESTORED} ${archive.split("/").at(-1)}`;
  printResult(colors.dim(`$ ${shown}`));
  const { success, stderr } = await new Deno.Command(`${target.binDir}/pg_restore`, {
    args: ["--exit-on-error", "-d", target.url(RESTORED), archive],
  }).output();
  if (!success) throw new CommandError(`pg_restore failed: ${new TextDecoder().decode(stderr).trim()}`, "");
}

/** Returns the rows of each table that has any, without what changes by itself: logs of backups, pg_net and pg_cron. */
async function rowCounts(url: string): Promise<Map<string, number>> {
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  try {
    const tables = await sql<{ name: string }[]>`
      select format('%I.%I', n.nspname, c.relname) as name
      from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where c.relkind = 'r' and n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'backup', 'net', 'cron')
        and (n.nspname, c.relname) <> ('storage', 'objects')
      order by 1`;
    const counts = new Map<string, number>();
    for (const { name } of tables) {
      const [row] = await sql.unsafe<{ rows: number }[]>(`select count(*)::int as rows from ${name}`);
      if (row!.rows > 0) counts.set(name, row!.rows);
    }
    return counts;
  } finally {
    await sql.end();
  }
}

function step(text: string): void {
  printResult("", `${colors.bold(colors.cyan("▸"))} ${colors.bold(text)}`);
}
