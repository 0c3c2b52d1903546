/** pg_cron's jobs are restored inactive: an active one would repeat its effects on the outside world. */
import type { Entry } from "../entry.ts";
import type { Job, PlanContext } from "./context.ts";
import { type PlanStep, statements } from "./plan_step.ts";
import { select } from "./select_entries.ts";
import { literal } from "./sql_text.ts";

export const restoreCronJobs: PlanStep = (context, plan) => {
  const { archive, existing, target, options, jobs } = context;
  if (jobs.length === 0 || options.schemaOnly || !select(archive, options, existing.has).some(isOfCron)) {
    return {};
  }
  const hasCron = target.extensions.has("pg_cron") ||
    plan.restored.some(({ desc, tag }) => desc === "EXTENSION" && tag === "pg_cron");
  if (!hasCron) {
    return { notes: [`pg_cron is not installed in the target; ${jobs.length} jobs are left out`] };
  }
  const { sql, restored, notes } = restoredJobs(context);
  const on = restored.filter(({ active }) => active);
  return {
    jobs: restored,
    notes,
    after: statements("jobs of pg_cron, inactive", sql),
    toDo: on.length === 0 ? [] : [{ what: `enable ${on.length} jobs`, sql: jobsOn(on) }],
  };
};

interface RestoredJobs {
  /** Schedules them, inactive; "" when there are none. */
  sql: string;
  restored: Job[];
  notes: string[];
}

/** A job runs as a role that can log in; where its own cannot, the restoring role takes it over. */
function restoredJobs({ jobs, target, targetJobs }: PlanContext): RestoredJobs {
  const result: RestoredJobs = { sql: "", restored: [], notes: [] };
  for (const job of jobs) {
    const shown = `job ${
      job.name === null ? "without a name" : `"${job.name}"`
    } (${job.schedule} ${job.command.trim()})`;
    if (targetJobs.has(keyOfJob(job))) {
      result.notes.push(`${shown}: the target has this job already; it is unchanged`);
    } else if (!target.superuser && !target.scratch && job.user !== target.user) {
      result.notes.push(`${shown} belongs to "${job.user}"; only a superuser can schedule it`);
    } else {
      result.sql += statement(job, target.superuser && target.logins.has(job.user));
      if (target.superuser && !target.logins.has(job.user)) {
        result.notes.push(
          `${shown} belonged to "${job.user}", which cannot log in here; it belongs to "${target.user}" now`,
        );
      }
      result.restored.push(job);
    }
  }
  return result;
}

/**
 * Returns the statement that enables the jobs that were active in the source, and no other job of the target.
 */
function jobsOn(jobs: readonly Job[]): string {
  const keys = jobs.filter(({ active }) => active)
    .map(({ schedule, command }) => `(${literal(schedule)}, ${literal(command)})`);
  return "select cron.alter_job(jobid, active := true) from cron.job where not active\n" +
    `  and (schedule, command) in (${keys.join(", ")})`;
}

/**
 * Returns true for rows and counters of pg_cron's tables, which are not restored: jobs are scheduled again.
 */
export function isOfCron({ desc, namespace }: Entry): boolean {
  return namespace === "cron" && (desc === "TABLE DATA" || desc === "SEQUENCE SET");
}

function statement({ name, schedule, command, user }: Job, asUser: boolean): string {
  if (name === null) {
    return `SELECT cron.alter_job(cron.schedule(${literal(schedule)}, ${
      literal(command)
    }), active := false);\n`;
  }
  const owner = asUser ? `, ${literal(user)}` : ", NULL";
  return `SELECT cron.schedule_in_database(${literal(name)}, ${literal(schedule)}, ${literal(command)}, ` +
    `pg_catalog.current_database()::pg_catalog.text${owner}, false);\n`;
}

/** Returns a key that equal jobs share: the name, or schedule and command of a job without one. */
export function keyOfJob({ name, schedule, command }: Pick<Job, "name" | "schedule" | "command">): string {
  return JSON.stringify(name === null ? [schedule, command] : [name]);
}
