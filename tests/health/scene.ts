/** A project whose function and Storage can be made to fail, and whose clock can be set forward for a run. */
import { type Project, type Run, startProject, until } from "../e2e/project.ts";

export interface Reason {
  code: string;
  severity: "failing" | "warning" | "info";
  message: string;
  hint: string;
}

export interface Watched extends Project {
  health(): Promise<{ verdict: string; reasons: Reason[]; alarms: string[] }>;
  /** The daily check, and the newest event after it. */
  check(): Promise<{ events: number; verdict: string; previous: string | null; alarms: string[] }>;
  start(): Promise<number>;
  /** All that a run has done so far was so much longer ago. */
  pass(seconds: number): Promise<void>;
  /** Lets three quarters of a minute pass between two looks of the watch-dog, until the run has ended. */
  overInVain(id: number, beforeEachLook?: () => Promise<void>): Promise<Run>;
}

export async function startWatched(): Promise<Watched> {
  const project = await startProject();
  const { sql, superuser } = project;
  await sql`select backup.configure(second_copy => 'none')`;
  const codes = (reasons: Reason[]) =>
    reasons.filter(({ severity }) => severity !== "info").map(({ code }) => code).sort();

  const watched: Watched = Object.assign(project, {
    async health() {
      const [row] = await sql<
        { verdict: string; reasons: Reason[] }[]
      >`select verdict, reasons from backup.health`;
      return { ...row!, alarms: codes(row!.reasons) };
    },
    async check() {
      await sql`select backup.check()`;
      const [row] = await sql<
        { events: number; verdict: string; previous: string | null; reasons: Reason[] }[]
      >`
        select (select count(*)::int from backup.events) as events, verdict, previous_verdict as previous, reasons
        from backup.events order by id desc limit 1`;
      const { reasons, ...event } = row!;
      return { ...event, alarms: codes(reasons) };
    },
    async start() {
      const [row] = await sql<{ id: number }[]>`select backup.start()::int as id`;
      return row!.id;
    },
    async pass(seconds: number) {
      await superuser`
        with span as (select make_interval(secs => ${seconds}) as s),
          calls as (
            update backup.calls set created_at = created_at - s, expires_at = expires_at - s, used_at = used_at - s from span
          ),
          workers as (update backup.workers set entered_at = entered_at - s, lease_until = lease_until - s from span)
        update backup.log
        set started_at = started_at - s, heartbeat_at = heartbeat_at - s, progressed_at = progressed_at - s
        from span where finished_at is null`;
    },
    async overInVain(id: number, beforeEachLook = () => Promise.resolve()) {
      return await until(`run ${id} has ended`, async () => {
        await beforeEachLook();
        await watched.pass(46);
        await sql`select backup.watch()`;
        const run = await project.run(id);
        return run.finished_at === null ? null : run;
      });
    },
  });
  return watched;
}

export const isFunction = (request: Request) =>
  new URL(request.url).pathname.startsWith("/functions/v1/backup");
export const isStorage = (request: Request) => new URL(request.url).pathname.startsWith("/storage/v1/");
