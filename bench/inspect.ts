/**
 * `npm run bench:inspect`: looks into a backup that was made under the hosted limits and lies in the stack's Storage:
 * how long the first rows of a table take, by the command and by the page. Then every row of every table is changed,
 * and `diff` of the two backups runs in turns with two `verify`. `--megabytes 600` says how much COPY text, `--runs 3`
 * how often, `--look-only` leaves the comparison out.
 */
import { parseArgs } from "node:util";
import postgres, { type Sql } from "postgres";
import { pageApi } from "../cli/page/api.ts";
import { projectFacts } from "../cli/page/facts.ts";
import { openBucket } from "../cli/project/stored_backups.ts";
import { bytes } from "../cli/terminal/format.ts";
import { printResult } from "../cli/terminal/output.ts";
import { table } from "../cli/terminal/table.ts";
import { HOSTED_LIMITS } from "../stack/functions/limits.ts";
import { type Stack, startStack } from "../stack/stack.ts";
import { backUp } from "./backup_run.ts";
import { generateLargeData } from "./large_data.ts";
import { type Cost, measure, median } from "./measure.ts";

const PROGRAM = decodeURIComponent(new URL("../cli/supabase-backup.mjs", import.meta.url).pathname);

/** Large ones from the beginning, the middle and the end of the archive, and a small one. */
const TABLES = ["documents", "events", "posts", "visits_5", "small_200"];

const PAGE = 50;

const { values } = parseArgs({
  options: {
    megabytes: { type: "string", default: "600" },
    runs: { type: "string", default: "3" },
    "look-only": { type: "boolean", default: false },
  },
});
const runs = Array.from({ length: Number(values.runs) }, (_, run) => run);

const stack = await startStack({ migrate: "directly", limits: HOSTED_LIMITS, log: () => {} });
const sql = postgres(stack.superuserUrl, {
  max: 1,
  onnotice: () => {},
  connection: { statement_timeout: 0 },
});
try {
  console.error(`generating ${values.megabytes} MB of COPY text …`);
  await generateLargeData(stack.databaseUrl, Number(values.megabytes));
  const before = await backup();
  printResult(...await looked(before));
  if (!values["look-only"]) {
    console.error("changing every row …");
    await changeEveryRow(sql);
    printResult(...await compared(before, await backup()));
  }
} finally {
  await sql.end();
  await stack.stop();
}

async function backup(): Promise<string> {
  console.error("backup …");
  const { row } = await backUp(stack, sql);
  console.error(`${row["name"]}: ${bytes(Number(row["raw_bytes"]))} in ${row["parts"]} parts`);
  return String(row["name"]);
}

/** Measures the first page of rows of each table, each time with nothing opened before. */
async function looked(name: string): Promise<string[]> {
  const rows: string[][] = [];
  for (const one of TABLES) {
    const commands: number[] = [];
    const pages: number[] = [];
    for (const _ of runs) {
      commands.push((await command(stack, ["show", name, `public.${one}`, "--rows"])).wallSeconds);
      pages.push(await pageSeconds(stack, name, one));
    }
    const most = (seconds: number[]) => `${Math.max(...seconds).toFixed(2)} s`;
    rows.push([
      one,
      `${median(commands).toFixed(2)} s`,
      most(commands),
      `${median(pages).toFixed(2)} s`,
      most(pages),
    ]);
  }
  const head = ["first rows of", "show --rows", "slowest", "the page", "slowest"];
  return table(head, rows, ["left", "right", "right", "right", "right"]);
}

async function pageSeconds({ apiUrl, keys }: Stack, name: string, one: string): Promise<number> {
  const project = { url: apiUrl, secretKey: keys.secretKey };
  const api = pageApi({
    origin: { kind: "project", project, bucket: openBucket(project) },
    facts: projectFacts(project, null),
    databaseUrl: null,
    targetUrl: null,
    allowActions: false,
  });
  const begin = performance.now();
  const answer = await api.request(`/backups/${name}/rows?schema=public&table=${one}&limit=${PAGE}`);
  const { rows } = await answer.json();
  if (rows?.length !== PAGE) throw new Error(`${one}: ${rows?.length} rows`);
  return (performance.now() - begin) / 1000;
}

async function changeEveryRow(sql: Sql): Promise<void> {
  await sql.unsafe(`
    update public.events set kind = kind || '!';
    update public.posts set title = title || '!';
    update public.documents set name = name || '!';
    update public.visits set page = page + 1;
    do $$ begin
      for i in 1 .. 200 loop
        execute format('update public.small_%s set label = label || ''!''', lpad(i::text, 3, '0'));
      end loop;
    end $$`);
}

async function compared(before: string, after: string): Promise<string[]> {
  const verified: Cost[] = [];
  const diffed: Cost[] = [];
  for (const run of runs) {
    console.error(`run ${run + 1} of ${runs.length} …`);
    const [one, two] = [
      await command(stack, ["verify", "--backup", before]),
      await command(stack, ["verify", "--backup", after]),
    ];
    verified.push({
      wallSeconds: one.wallSeconds + two.wallSeconds,
      cpuSeconds: one.cpuSeconds + two.cpuSeconds,
      peakBytes: Math.max(one.peakBytes, two.peakBytes),
    });
    diffed.push(await command(stack, ["diff", before, after, "--up-to", "100000"]));
  }
  const row = (name: string, read: (cost: Cost) => number, show: (value: number) => string) => [
    name,
    show(median(diffed.map(read))),
    show(median(verified.map(read))),
    median(diffed.map((cost, run) => read(cost) / read(verified[run]!))).toFixed(2),
  ];
  const seconds = (value: number) => `${value.toFixed(2)} s`;
  return table(["every row changed", "diff", "two verify", "ratio"], [
    row("wall time", ({ wallSeconds }) => wallSeconds, seconds),
    row("CPU", ({ cpuSeconds }) => cpuSeconds, seconds),
    row("peak memory", ({ peakBytes }) => peakBytes, bytes),
  ], ["left", "right", "right", "right"]);
}

function command({ apiUrl, keys }: Stack, args: string[]): Promise<Cost> {
  return measure("node", [PROGRAM, ...args], {
    SUPABASE_URL: apiUrl,
    SUPABASE_SECRET_KEY: keys.secretKey,
  });
}
