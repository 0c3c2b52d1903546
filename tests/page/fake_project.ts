/** A year of a project, without a server: 40 runs, five stored backups, hostile names. */
import type { Origin } from "../../cli/source/source.ts";
import type { Run } from "../../cli/project/function_client.ts";
import type { Health } from "../../cli/project/health.ts";
import type { Facts, TableProgress } from "../../cli/page/facts.ts";
import { memoryBucket } from "../doubles/memory_bucket.ts";
import { fakeBackup, type FakeTable } from "./fake_backup.ts";

/** Markup, quotes, a line break, a change of direction, an escape sequence. */
export const HOSTILE = `<img src=x onerror=alert(1)> "q" 'q' &amp;\n\u202etxt\x1b[31m`;

const DAY = 24 * 3600 * 1000;

/** The last second of the fake year is shortly before now. */
const NOW = Date.now();

export interface FakeProject {
  origin: Origin;
  facts: Facts;
  /** Newest first. */
  runs: Run[];
  /** Names, oldest first. */
  backups: string[];
}

interface Choices {
  /** Of the newest backup, beside the theatre's own. */
  moreTables?: number;
  runs?: number;
  /** Stands wherever somebody else chooses a name or a value. */
  odd?: string;
}

/** The stored backups: so many successful runs before the newest. */
const STORED = [4, 3, 2, 1, 0];

export async function fakeProject(
  { moreTables = 0, runs: count = 40, odd = HOSTILE }: Choices = {},
): Promise<FakeProject> {
  const bucket = memoryBucket();
  const runs = Array.from({ length: count }, (_, index) => runOf(index + 1, count, odd)).reverse();
  const names: string[] = [];
  for (const [index, before] of STORED.entries()) {
    const run = runs.filter(({ status }) => status === "succeeded")[before]!;
    const objects = await fakeBackup({
      name: run.name,
      at: new Date(run.started_at),
      runId: run.id,
      tables: [...tables(index, odd), ...many(before === 0 ? moreTables : 0)],
      functions: [
        {
          schema: "public",
          name: "price(integer)",
          definition:
            `CREATE FUNCTION public.price(seats integer) RETURNS integer\n    LANGUAGE sql\n    AS 'select seats * ${
              index < 4 ? 12 : 14
            }';\n`,
        },
        { schema: "public", name: `${odd}()`, definition: `CREATE FUNCTION evil() -- ${odd}` },
      ],
    });
    for (const [name, bytes] of objects) {
      await bucket.put(`${run.name}/${name}`, bytes, "application/octet-stream");
    }
    await bucket.put(
      `${run.name}/RESTORE.md`,
      new TextEncoder().encode(`# Restore ${run.name}\n\n${odd}\n`),
      "text/markdown",
    );
    names.push(run.name);
  }
  // The list shows as many bytes as the log: these few rows are not all that a theatre has.
  const { list } = bucket;
  bucket.list = async (folder) => [
    ...await list(folder),
    { name: "more", bytes: runs.find(({ name }) => name === folder)!.stored_bytes! },
  ];
  return { origin: { kind: "s3", bucket }, facts: factsOf(runs, odd), runs, backups: names };
}

/** Each backup has a reservation more; the newest has two other changes. */
function tables(backup: number, odd: string): FakeTable[] {
  const newest = backup === 4;
  return [
    {
      schema: "public",
      name: "reservations",
      columns: ["id", "guest", "seats", "paid_at"],
      rows: Array.from({ length: 130 + backup }, (_, index) => [
        String(index + 1),
        index === 16 && newest ? "Ada King" : `Guest ${index + 1}`,
        String(index % 5 + 1),
        index % 7 === 0 ? null : `2026-0${index % 8 + 1}-11 19:30:00+00`,
      ]).filter(([id]) => !(newest && id === "100")),
    },
    {
      schema: "public",
      name: "shows",
      columns: ["slug", "title"],
      rows: [["hamlet", "Hamlet"], ["nora", "A Doll's House"], ["faust", "Faust"]],
    },
    { schema: "public", name: "visits", columns: ["page"], keyless: true, rows: [["/"], ["/"], ["/shows"]] },
    {
      schema: "public",
      name: odd,
      columns: [odd, "value"],
      rows: [[odd, `</td><script>alert(2)</script>`]],
    },
    { schema: odd, name: "t", columns: ["id"], rows: [["1"]] },
    { schema: "auth", name: "users", columns: ["id", "email"], rows: [["u1", "ada@example.org"]] },
  ];
}

function many(count: number): FakeTable[] {
  return Array.from({ length: count }, (_, index) => ({
    schema: `tenant_${index % 20}`,
    name: `table_${index}`,
    columns: ["id"],
    rows: [["1"]],
  }));
}

function runOf(id: number, count: number, odd: string): Run {
  // A year of weeks, some of them left out; of more runs several a week.
  const before = count - id;
  const days = count <= 53 ? Math.round(before * 52 / (count - 1)) * 7 : before * 364 / count;
  const started = new Date(NOW - 3 * 3600 * 1000 - days * DAY);
  const stamp = started.toISOString().replaceAll(/[-:]/g, "").replace("T", "-").slice(0, 15);
  const failed = id === count - 9 || id === count - 22;
  const took = 9000 + id * 210 + (id * 7919 % 13) * 300;
  return {
    id,
    name: `backup-${stamp}`,
    trigger: id % 9 === 0 ? "manual" : "scheduled",
    status: failed ? "failed" : "succeeded",
    phase: null,
    attempt: id % 11 === 0 ? 2 : 1,
    pinned: id === 3,
    started_at: started.toISOString(),
    finished_at: new Date(started.getTime() + took).toISOString(),
    attempts: id % 11 === 0 ? [{ error: { code: "snapshot_lost" } }] : [],
    progress: null,
    ...(failed
      ? {
        tables: null,
        rows: null,
        raw_bytes: null,
        stored_bytes: null,
        parts: null,
        verified_at: null,
        cpu_ms: null,
      }
      : {
        tables: 42,
        rows: 120_000 + id * 2300,
        raw_bytes: 88e6 + id * 2e6,
        stored_bytes: 21e6 + id * 480_000,
        parts: 7,
        verified_at: started.toISOString(),
        // Earlier versions did not say.
        cpu_ms: id < 3 ? null : 1500 + id * 30,
      }),
    warnings: id === count
      ? [{ code: "foreign_rows", object: odd, message: "Its rows are not in the backup" }]
      : [],
    ...(failed
      ? {
        error_code: "storage_failed",
        error_message: `Cannot store ${odd}`,
        error_hint: "Check Storage's log.",
      }
      : { error_code: null, error_message: null, error_hint: null }),
  };
}

function factsOf(runs: Run[], odd: string): Facts {
  const health: Health = {
    verdict: "warning",
    reasons: [
      {
        code: "no_second_copy",
        severity: "warning",
        message: "There is no copy of the backups outside this project",
        hint: "See docs/second-copy.md. To opt out: select backup.configure(second_copy => 'none')",
      },
      { code: "odd", severity: "info", message: `Table public.${odd} is new`, hint: "" },
    ],
    facts: {
      newest_backup: runs[0]!.name,
      backups: 5,
      schedule: "0 3 * * 0",
      longest_wait: "7 days",
      bucket: "backups",
      last_drill: new Date(NOW - 12 * DAY).toISOString(),
    },
    checked_at: new Date(NOW).toISOString(),
  };
  const tableProgress: TableProgress[] = [
    { name: "public.reservations", estimated_bytes: 2000, raw_bytes: 2000, rows: 134, done: true },
    { name: `public."${odd}"`, estimated_bytes: 4000, raw_bytes: 1000, rows: 0, done: false },
  ];
  return {
    url: "https://abcdefghijklmnopqrst.supabase.co",
    hasDatabase: true,
    health: () => Promise.resolve(health),
    runs: () => Promise.resolve(runs),
    run: (id) => Promise.resolve(runs.find((run) => run.id === id) ?? null),
    extras: () =>
      Promise.resolve({
        quota: 500e6,
        stored: 240e6,
        drills: [{
          name: runs[1]!.name,
          started_at: new Date(NOW - 12 * DAY).toISOString(),
          passed: 104,
          failed: 0,
          skipped: 3,
          unchecked: 0,
        }],
        copies: [{ name: runs[0]!.name, verified_at: null, checked_at: null, error: odd }],
        events: [{
          at: runs[0]!.started_at,
          verdict: "warning",
          reasons: [{ code: "odd", message: `Event ${odd}` }],
        }],
      }),
    tableProgress: (id) => Promise.resolve(id === runs[0]!.id ? tableProgress : []),
  };
}
