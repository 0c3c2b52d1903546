/** What the page shows of a project: from its function and, where the database is at hand, from there. */
import { openSession, type Session } from "../../supabase/functions/backup/postgres/session.ts";
import type { Project } from "../project/find_project.ts";
import { call, readRuns, type Run } from "../project/function_client.ts";
import type { Health } from "../project/health.ts";

export interface Facts {
  /** The project's address. */
  url: string;
  /** Whether there is a database to ask. */
  hasDatabase: boolean;
  health(): Promise<Health>;
  /** Newest first. */
  runs(): Promise<Run[]>;
  run(id: number): Promise<Run | null>;
  /** Null without a database. */
  extras(): Promise<Extras | null>;
  /** The tables of the newest run; null without a database. */
  tableProgress(runId: number): Promise<TableProgress[] | null>;
}

export interface Extras {
  /** Bytes; 0 where it is not known. */
  quota: number;
  /** Of all files in Storage, backups included. */
  stored: number;
  drills: {
    name: string;
    started_at: string;
    passed: number;
    failed: number;
    skipped: number;
    unchecked: number;
  }[];
  copies: { name: string; verified_at: string | null; checked_at: string | null; error: string | null }[];
  events: { at: string; verdict: string; reasons: { code: string; message: string }[] }[];
}

export interface TableProgress {
  name: string;
  estimated_bytes: number;
  raw_bytes: number;
  rows: number;
  done: boolean;
}

const MOST_RUNS = 500;

/** Asks a project. `databaseUrl` is null where no database is named. */
export function projectFacts(project: Project, databaseUrl: string | null): Facts {
  return {
    url: project.url,
    hasDatabase: databaseUrl !== null,
    health: async () => (await call<{ health: Health }>(project, { health: true })).health,
    runs: () => readRuns(project, { limit: MOST_RUNS }),
    run: async (runId) => (await readRuns(project, { runId, limit: 1 }))[0] ?? null,
    extras: () => databaseUrl === null ? Promise.resolve(null) : withSession(databaseUrl, readExtras),
    tableProgress: (runId) =>
      databaseUrl === null
        ? Promise.resolve(null)
        : withSession(databaseUrl, (session) => readTableProgress(session, runId)),
  };
}

async function withSession<T>(url: string, read: (session: Session) => Promise<T>): Promise<T> {
  const session = await openSession(url, { applicationName: "supabase-backup ui" });
  try {
    return await read(session);
  } finally {
    await session.close();
  }
}

async function readExtras({ sql }: Session): Promise<Extras> {
  const [row] = await sql<{ extras: Extras }[]>`
    select pg_catalog.jsonb_build_object(
      'quota', (select s.storage_quota_bytes from backup.settings s),
      'stored', (
        select coalesce(pg_catalog.sum((o.metadata operator(pg_catalog.->>) 'size')::pg_catalog.int8), 0)
        from storage.objects o
        where (o.metadata operator(pg_catalog.->>) 'size') operator(pg_catalog.~) '^[0-9]{1,18}$'
      ),
      'drills', (
        select coalesce(pg_catalog.jsonb_agg(pg_catalog.to_jsonb(d) operator(pg_catalog.-) 'checks'), '[]')
        from (select * from backup.drills d order by d.started_at desc limit 100) d
      ),
      'copies', (
        select coalesce(pg_catalog.jsonb_agg(pg_catalog.to_jsonb(c)), '[]')
        from (
          select l.name, c.verified_at, c.checked_at, c.error operator(pg_catalog.->>) 'message' as error
          from backup.copies c join backup.log l on l.id operator(pg_catalog.=) c.run_id
          where c.removed_at is null order by l.id desc limit 500
        ) c
      ),
      'events', (
        select coalesce(pg_catalog.jsonb_agg(pg_catalog.to_jsonb(e)), '[]')
        from (select e.noticed_at as at, e.verdict, e.reasons from backup.events e order by e.noticed_at desc limit 100) e
      )
    ) as extras`;
  return row!.extras;
}

async function readTableProgress({ sql }: Session, runId: number): Promise<TableProgress[]> {
  const rows = await sql<{ progress: TableProgress }[]>`
    select pg_catalog.jsonb_build_object(
      'name', p.table_name, 'estimated_bytes', p.estimated_bytes, 'raw_bytes', p.raw_bytes, 'rows', p.rows,
      'done', p.pieces operator(pg_catalog.=) p.pieces_done
    ) as progress
    from backup.table_progress p
    where p.run_id operator(pg_catalog.=) ${runId}
    order by p.estimated_bytes desc`;
  return rows.map(({ progress }) => progress);
}
