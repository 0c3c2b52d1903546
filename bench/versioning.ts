/**
 * What a history costs. Copies of one table: plain; with an equivalent row-level trigger that stores whole old and new
 * rows as jsonb, the usual way of the field; with the leanest trigger of that kind; tracked by the schema `versioning`.
 * Overhead is what a copy costs above the plain one; each run takes all copies in turn. `deno run -A
 * bench/versioning.ts [--runs 5] [--rows 100000] [--statements 2000] [--versions 1000000]`; exits 1 when a target is
 * missed. Afterwards: what single rows cost to read and restore, among few versions and among `--versions`.
 *
 * Time is the CPU time of the server's process, from /proc: a statement costs the same whoever else is at work on the
 * machine.
 */
import { parseArgs } from "node:util";
import postgres from "postgres";
import { startProjectDatabase } from "../stack/postgres/project.ts";
import { median } from "./measure.ts";
import { cpuMicroseconds, readCosts } from "./versioning_reads.ts";

const SETUP = new URL("./versioning.sql", import.meta.url);
const MIGRATION = new URL("../supabase/migrations/20261102000000_create_versioning.sql", import.meta.url);

const COPIES = ["plain", "audited", "lean", "tracked"] as const;
type Copy = typeof COPIES[number];
type Costs = Record<string, Record<Copy, number[]>>;
/** In MB; those after single statements, those after bulk ones. */
type Sizes = Record<string, Record<Exclude<Copy, "plain">, number[]>>;

/** At most this much of the usual trigger's. */
const TARGETS: Record<string, number> = { bulk: 0.5, single: 1.1, bytes: 0.7 };

const SET = "age_minimum = 12, statut = 'publie', mis_a_jour_le = now()";
const SAMPLE = "(select id from bench.samples where number = $1)";
const BULK: Record<string, (copy: Copy) => string> = {
  insert: (copy) => `insert into bench.${copy} select * from bench.source`,
  update: (copy) => `update bench.${copy} set ${SET}`,
  delete: (copy) => `delete from bench.${copy}`,
};
const SINGLE: typeof BULK = {
  insert: (copy) => `insert into bench.${copy} select * from bench.source where id = ${SAMPLE}`,
  update: (copy) => `update bench.${copy} set ${SET} where id = ${SAMPLE}`,
  delete: (copy) => `delete from bench.${copy} where id = ${SAMPLE}`,
};

/** Statements of one row that a copy gets in one go. */
const TURN = 100;

interface Extent {
  runs: number;
  rows: number;
  statements: number;
}

/**
 * Costs in ms of a bulk statement, in µs of a statement of one row; sizes after an insert, an update and a delete of
 * each row.
 */
async function measure(sql: postgres.Sql, { runs, statements }: Extent): Promise<[Costs, Sizes]> {
  const [backend] = await sql`select pg_backend_pid() as pid`;
  const costs: Costs = {};
  const sizes: Sizes = {};
  // The first run warms caches and plans.
  for (let run = 0; run <= runs; run++) {
    const order = COPIES.map((_, i) => COPIES[(i + run) % COPIES.length]!);
    const take = async (name: string, copy: Copy, work: () => Promise<unknown>, divisor: number) => {
      const begun = cpuMicroseconds(backend!.pid);
      await work();
      const cost = (cpuMicroseconds(backend!.pid) - begun) / divisor;
      costs[name] ??= { plain: [], audited: [], lean: [], tracked: [] };
      if (run > 0) costs[name][copy].push(cost);
    };
    const weigh = async (name: string) => {
      const [size] = await sql`
        select pg_total_relation_size('bench.usual_history') / 1e6 as audited,
          pg_total_relation_size('bench.lean_history') / 1e6 as lean,
          pg_total_relation_size('versioning.records') / 1e6 as tracked`;
      sizes[name] ??= { audited: [], lean: [], tracked: [] };
      if (run > 0) {
        for (const [copy, mb] of Object.entries(size!)) sizes[name][copy as "lean"].push(Number(mb));
      }
    };
    await sql`select bench.empty()`;
    for (const [name, statement] of Object.entries(SINGLE)) {
      // Turn by turn, so that what else goes on meets all copies alike.
      for (let begin = 0; begin < statements; begin += TURN) {
        const turn = Array.from({ length: Math.min(TURN, statements - begin) }, (_, i) => begin + i);
        for (const copy of order) {
          const all = () => Promise.all(turn.map((i) => sql.unsafe(statement(copy), [i], { prepare: true })));
          await take(`single ${name}`, copy, all, turn.length);
        }
      }
    }
    await weigh("bytes, single (MB)");
    await sql`select bench.empty()`;
    for (const [name, statement] of Object.entries(BULK)) {
      for (const copy of order) await take(`bulk ${name}`, copy, () => sql.unsafe(statement(copy)), 1000);
    }
    await weigh("bytes, bulk (MB)");
  }
  return [costs, sizes];
}

/** Prints a table; answers how many targets were missed. */
function report(costs: Costs, sizes: Sizes): number {
  console.log(
    ["", "plain", "usual +", "lean +", "tracked +", "of usual", "target", "of lean"].map(cell).join(""),
  );
  let missed = 0;
  const line = (name: string, plain: string, [usual, lean, tracked]: number[], ratios: [number, number]) => {
    const target = TARGETS[name.match(/^\w+/)![0]]!;
    if (ratios[0] > target) missed++;
    const figures = [usual!, lean!, tracked!].map((value) => value.toFixed(1));
    console.log(
      [name, plain, ...figures, ratios[0].toFixed(2), `≤ ${target}`, ratios[1].toFixed(2)].map(cell).join(""),
    );
  };
  for (const [name, copies] of Object.entries(costs)) {
    const overheads = (copy: Copy) => copies[copy].map((cost, run) => cost - copies.plain[run]!);
    // The ratio of each run from its own figures, then the median.
    const ratio = (to: Copy) =>
      median(overheads("tracked").map((overhead, run) => overhead / overheads(to)[run]!));
    line(
      name,
      median(copies.plain).toFixed(1),
      (["audited", "lean", "tracked"] as const).map((copy) => median(overheads(copy))),
      [ratio("audited"), ratio("lean")],
    );
  }
  for (const [name, all] of Object.entries(sizes)) {
    const [usual, lean, tracked] = [median(all.audited), median(all.lean), median(all.tracked)];
    line(name, "", [usual, lean, tracked], [tracked / usual, tracked / lean]);
  }
  return missed;
}

function reportReads(few: Record<string, number>, lots: Record<string, number>, versions: number): void {
  console.log(`\na row with ten versions, ms a call: among ${versions / 100} versions, among ${versions}`);
  for (const [verb, ms] of Object.entries(lots)) {
    console.log(verb.padEnd(32) + [few[verb]!, ms].map((value) => value.toFixed(2).padStart(10)).join(""));
  }
}

const WIDTHS = { first: 20, other: 11 };
function cell(text: string, place: number): string {
  return place === 0 ? text.padEnd(WIDTHS.first) : text.padStart(WIDTHS.other);
}

if (import.meta.main) {
  const { values } = parseArgs({
    args: Deno.args,
    options: {
      runs: { type: "string", default: "5" },
      rows: { type: "string", default: "100000" },
      statements: { type: "string", default: "2000" },
      versions: { type: "string", default: "1000000" },
    },
  });
  const extent = {
    runs: Number(values.runs),
    rows: Number(values.rows),
    statements: Number(values.statements),
  };
  const database = await startProjectDatabase();
  // One session: the trigger functions' plans are kept in it, as a pool keeps them.
  const sql = postgres(database.url, { max: 1, onnotice: () => {}, connection: { statement_timeout: 0 } });
  try {
    await sql.unsafe(await Deno.readTextFile(MIGRATION)).simple();
    await sql.unsafe(await Deno.readTextFile(SETUP)).simple();
    await sql`select bench.fill(${extent.rows}, ${extent.statements})`;
    const [server] = await sql`show server_version`;
    console.log(
      `PostgreSQL ${
        server!.server_version
      }, ${navigator.hardwareConcurrency} CPUs; medians of ${extent.runs} runs; ` +
        `bulk: ${extent.rows} rows (ms), single: one row (µs), ${extent.statements} statements a run`,
    );
    if (report(...await measure(sql, extent)) > 0) Deno.exitCode = 1;
    const many = Number(values.versions);
    await sql`select bench.fill(${many / 10}, 0)`;
    reportReads(await readCosts(sql, many / 100), await readCosts(sql, many), many);
  } finally {
    await sql.end();
    await database.stop();
  }
}
