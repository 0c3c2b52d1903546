/** `npm run demo`: the main job from an empty folder to a restored database, on the embedded stack. */
import colors from "picocolors";
import postgres, { type Sql } from "postgres";
import type { Cluster } from "../stack/postgres/cluster.ts";
import { RESTORED, startRestoreTarget } from "../stack/postgres/restore_target.ts";
import { type Stack, startStack } from "../stack/stack.ts";
import { followRun, summary } from "./backup.ts";
import { downloadBackup } from "./download.ts";
import { bytes, count, duration, instant } from "./format.ts";
import { openBucket } from "./list.ts";
import { runsTable } from "./log.ts";
import type { Run } from "./runs.ts";
import { CommandError, runCommand, table } from "./terminal.ts";

const USAGE = `Usage: npm run demo

Starts a project on this machine, fills it with a theatre company's database, lets pg_cron fire the weekly job (every
minute, for once), and restores the backup with pg_restore into a second server. Leaves nothing behind.`;

if (import.meta.main) {
  await runCommand(USAGE, async () => {
    const folder = await Deno.makeTempDir({ prefix: "demo-" });
    const begin = Date.now();
    step(
      "A project: PostgreSQL, pg_cron, pg_net, Storage, Edge Functions; its migrations; a theatre's database",
    );
    const stack = await startStack({ seed: true });
    const sql = postgres(stack.databaseUrl, { max: 1, onnotice: () => {} });
    try {
      const run = await backUp(sql);
      await showBackup(sql, stack, run);
      await showRestore(stack, run, folder);
      step(`Done in ${duration(Date.now() - begin)}`);
    } finally {
      await sql.end();
      await stack.stop();
      await Deno.remove(folder, { recursive: true });
    }
  });
}

/** Lets pg_cron begin a run, and follows it. */
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
  console.log(`${instant(run.started_at)}  pg_cron has called backup.start('scheduled')`);
  step("pg_cron → pg_net → Edge Function → bucket");
  const ended = await followRun(() => readRun(sql, run.id), run.id);
  console.log(summary(ended));
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
  throw new CommandError("pg_cron has not fired within a minute", "Look at cron.job_run_details.");
}

async function readRun(sql: Sql, id: number): Promise<Run> {
  const [row] = await sql<{ run: Run }[]>`select to_jsonb(l) as run from backup.log l where id = ${id}`;
  return row!.run;
}

async function showBackup(sql: Sql, stack: Stack, run: Run): Promise<void> {
  step("select * from backup.log");
  console.log(runsTable([await readRun(sql, run.id)]));
  step("The private bucket `backups`");
  const objects = await openBucket({ url: stack.apiUrl, secretKey: stack.keys.secretKey }).list(run.name);
  console.log(
    table(["object", "size"], objects.map(({ name, bytes: size }) => [`${run.name}/${name}`, bytes(size)]), [
      "left",
      "right",
    ]),
  );
  step("What the function took of its 2 s of CPU, 256 MB and 150 s");
  console.log(
    table(
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
    console.log(
      table(
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
      throw new CommandError(`${different.join(", ")} came back otherwise`, "This is a bug: report it.");
    }
  } finally {
    await target.stop();
  }
}

async function pgRestore(target: Cluster, archive: string): Promise<void> {
  const shown = `pg_restore --exit-on-error -d ${RESTORED} ${archive.split("/").at(-1)}`;
  console.log(colors.dim(`$ ${shown}`));
  const { success, stderr } = await new Deno.Command(`${target.binDir}/pg_restore`, {
    args: ["--exit-on-error", "-d", target.url(RESTORED), archive],
  }).output();
  if (!success) throw new CommandError(`pg_restore failed: ${new TextDecoder().decode(stderr).trim()}`, "");
}

/** Tables with rows, by name. Left out is what changes by itself: the backup's own log and pg_net's and pg_cron's. */
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
  console.log(`\n${colors.bold(colors.cyan("▸"))} ${colors.bold(text)}`);
}
