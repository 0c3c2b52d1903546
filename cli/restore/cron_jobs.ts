/** pg_cron's jobs come back inactive: a restored job would act on the world at once, a second time. */
import type { Entry } from "../../supabase/functions/backup/toc/entry.ts";
import { type ArchiveFile, rowsOf } from "./archive_file.ts";
import { columnsOf, valuesOf } from "./copy_text.ts";
import { literal } from "./roles.ts";
import type { Target } from "./target.ts";

export interface Job {
  name: string | null;
  schedule: string;
  command: string;
  user: string;
  /** False for one that was off in the source, and should stay so. */
  active: boolean;
}

export interface RestoredJobs {
  /** Schedules them, inactive; "" when there are none. */
  sql: string;
  restored: Job[];
  notes: string[];
}

/** The watch-dog of the very run that made the backup. */
const WATCH_DOG = "backup-watch";

/** Jobs that an archive holds. */
export async function jobsOf(archive: ArchiveFile): Promise<Job[]> {
  const entry = archive.entries.find(isJobs);
  if (entry === undefined) return [];
  const jobs: Job[] = [];
  for await (const row of valuesOf(columnsOf(entry.copy!), rowsOf(archive, entry.dumpId))) {
    const { jobname = null, schedule, command, username, active } = row;
    if (jobname === WATCH_DOG) continue;
    jobs.push({
      name: jobname,
      schedule: schedule!,
      command: command!,
      user: username!,
      active: active === "t",
    });
  }
  return jobs;
}

/** A job runs as a role that may log in: where its own may not, it becomes the restoring role's. */
export async function restoredJobs(jobs: readonly Job[], target: Target): Promise<RestoredJobs> {
  const there = await jobsThere(target);
  const result: RestoredJobs = { sql: "", restored: [], notes: [] };
  for (const job of jobs) {
    const shown = `job ${
      job.name === null ? "without a name" : `"${job.name}"`
    } (${job.schedule} ${job.command.trim()})`;
    if (there.has(keyOf(job))) {
      result.notes.push(`${shown}: the target has this job, which stays as it is`);
    } else if (!target.superuser && job.user !== target.user) {
      result.notes.push(`${shown} is ${job.user}'s: only a superuser may schedule it`);
    } else {
      result.sql += statement(job, target.superuser && target.logins.has(job.user));
      if (target.superuser && !target.logins.has(job.user)) {
        result.notes.push(`${shown} was ${job.user}'s, who may not log in here: it is ${target.user}'s`);
      }
      result.restored.push(job);
    }
  }
  return result;
}

/** The one statement that turns on those that were on in the source; other jobs of the target stay as they are. */
export function jobsOn(jobs: readonly Job[]): string {
  const keys = jobs.filter(({ active }) => active)
    .map(({ schedule, command }) => `(${literal(schedule)}, ${literal(command)})`);
  return "select cron.alter_job(jobid, active := true) from cron.job where not active\n" +
    `  and (schedule, command) in (${keys.join(", ")})`;
}

/** True for what pg_cron's tables hold and count: jobs, and what became of their runs. Jobs are scheduled anew. */
export function isOfCron({ desc, namespace }: Entry): boolean {
  return namespace === "cron" && (desc === "TABLE DATA" || desc === "SEQUENCE SET");
}

function isJobs(entry: Entry): boolean {
  return isOfCron(entry) && entry.hasData && entry.tag === "job";
}

function statement({ name, schedule, command, user }: Job, asUser: boolean): string {
  if (name === null) {
    return `SELECT cron.alter_job(cron.schedule(${literal(schedule)}, ${
      literal(command)
    }), active := false);\n`;
  }
  const owner = asUser ? `, ${literal(user)}` : ", NULL";
  return `SELECT cron.schedule_in_database(${literal(name)}, ${literal(schedule)}, ${literal(command)}, ` +
    `current_database()::text${owner}, false);\n`;
}

async function jobsThere({ session: { sql }, extensions }: Target): Promise<Set<string>> {
  if (!extensions.has("pg_cron")) return new Set();
  const rows = await sql.unsafe<(Job & Record<string, unknown>)[]>(
    "select jobname as name, schedule, command from cron.job where database = current_database()",
  );
  return new Set(rows.map(keyOf));
}

/** A name names a job; without one it is what it does. */
function keyOf({ name, schedule, command }: Pick<Job, "name" | "schedule" | "command">): string {
  return JSON.stringify(name === null ? [schedule, command] : [name]);
}
