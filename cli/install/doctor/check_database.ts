/** Is the project's database as the backups need it? */
import type { Sql } from "postgres";
import { openSession, type Session } from "../../../supabase/functions/backup/postgres/session.ts";
import { commandLine } from "../../terminal/called_as.ts";
import { counted } from "../../terminal/format.ts";
import { foreignBucket, OTHER_BUCKET } from "../foreign_bucket.ts";
import { checkSchema, type DatabaseContext } from "./check_schema.ts";
import { failed, type Finding, ok, warning } from "./finding.ts";

/** What versions of extensions this release uses nothing newer than. */
const OLDEST_CRON = 1.4;
const OLDEST_NET = 0.7;
/** A clock that is off by more than this makes tokens and leases end at odd times. */
const MOST_CLOCK_SECONDS = 60;

/** As the migration makes the bucket. */
const BUCKET_FILE_BYTES = 524_288_000;

/** What health says too, where a check here says it with the command that mends it. */
const CHECKED_HERE = [
  "cron_missing",
  "job_missing",
  "job_inactive",
  "check_missing",
  "not_configured",
  "net_missing",
  "bucket_missing",
  "bucket_public",
  "bucket_limit",
  "no_backup",
  "never_drilled",
];

/** Returns the findings. Never throws: what cannot be asked is a finding. */
export async function checkDatabase(url: string, context: DatabaseContext): Promise<Finding[]> {
  let session: Session;
  try {
    session = await openSession(url, { applicationName: "supabase-backup doctor" });
  } catch (error) {
    return [failed(
      "database",
      (error as Error).message,
      "Check --db-url, and the project's Network Restrictions. A paused project must be resumed in the dashboard.",
    )];
  }
  try {
    return await ask(session.sql, context);
  } catch (error) {
    return [failed("database", `Cannot read it: ${(error as Error).message}`, "Connect as postgres.")];
  } finally {
    await session.close();
  }
}

async function ask(sql: Sql, context: DatabaseContext): Promise<Finding[]> {
  const findings = [...await checkServer(sql), ...await checkExtensions(sql)];
  const { installed, found } = await checkSchema(sql, context);
  findings.push(...found);
  if (!installed) return findings;
  return [
    ...findings,
    await checkFunctionUrl(sql, context.expectedUrl),
    ...await checkJobs(sql),
    ...await checkBucket(sql),
    ...await checkHealth(sql),
  ];
}

async function checkServer(sql: Sql): Promise<Finding[]> {
  const [server] = await sql<
    { version: string; tls: boolean; seconds: number; loopback: boolean; reads: boolean }[]
  >`
    select current_setting('server_version') as version,
      coalesce((select s.ssl from pg_stat_ssl s where s.pid = pg_backend_pid()), false) as tls,
      extract(epoch from clock_timestamp())::float8 as seconds,
      coalesce(inet_client_addr() <<= '127.0.0.0/8' or inet_client_addr() = '::1', true) as loopback,
      pg_has_role(current_user, 'pg_read_all_data', 'usage') as reads`;
  const off = Math.round(Math.abs(server!.seconds - Date.now() / 1000));
  return [
    ok("database", `PostgreSQL ${server!.version}`),
    server!.tls || server!.loopback
      ? ok("encryption", server!.tls ? "TLS" : "none, on loopback")
      : warning("encryption", "This connection is not encrypted", "Add ?sslmode=require to --db-url."),
    off <= MOST_CLOCK_SECONDS ? ok("clock", `${off} s apart`) : warning(
      "clock",
      `The clocks of this machine and the server are ${off} s apart`,
      "Set this machine's clock.",
    ),
    server!.reads ? ok("privileges", "reads all data") : warning(
      "privileges",
      "The role is not a member of pg_read_all_data: tables of Auth and Storage may be left out",
      "grant pg_read_all_data to postgres;",
    ),
  ];
}

async function checkExtensions(sql: Sql): Promise<Finding[]> {
  const rows = await sql<{ name: string; version: string }[]>`
    select extname as name, extversion as version from pg_extension
    where extname in ('pg_cron', 'pg_net', 'supabase_vault')`;
  const version = (name: string) => rows.find((row) => row.name === name)?.version;
  const [net] = await sql<{ found: boolean }[]>`
    select to_regprocedure('net.http_post(text,jsonb,jsonb,jsonb,integer)') is not null as found`;
  const needed = (name: string, oldest: number, found: boolean): Finding => {
    const installed = version(name);
    if (!found) return failed(name, `${name} is not installed`, `create extension ${name};`);
    if (installed !== undefined && parseFloat(installed) < oldest) {
      return failed(name, `${name} ${installed} is older than ${oldest}`, `alter extension ${name} update;`);
    }
    return ok(name, installed ?? "there");
  };
  return [
    needed("pg_cron", OLDEST_CRON, version("pg_cron") !== undefined),
    needed("pg_net", OLDEST_NET, net!.found),
    ok("vault", version("supabase_vault") ?? "not installed; nothing of ours needs it"),
  ];
}

async function checkFunctionUrl(sql: Sql, expected: string | null): Promise<Finding> {
  const [row] = await sql<{ url: string | null }[]>`select function_url as url from backup.settings`;
  const url = row?.url ?? null;
  const fix = `select backup.configure(function_url => '${
    expected ?? "https://YOUR-PROJECT-REF.supabase.co/functions/v1/backup"
  }');`;
  if (url === null) return failed("function_url", "The database does not know where the function is", fix);
  if (/YOUR-PROJECT-REF|project-ref|example/i.test(url)) {
    return failed("function_url", `"${url}" is a placeholder`, fix);
  }
  if (!/\/functions\/v1\/backup$/.test(url)) {
    return warning("function_url", `"${url}" does not end in /functions/v1/backup`, fix);
  }
  if (expected !== null && url !== expected) {
    return warning("function_url", `"${url}" is not the linked project's`, fix);
  }
  return ok("function_url", url);
}

async function checkJobs(sql: Sql): Promise<Finding[]> {
  const [cron] = await sql<{ found: boolean }[]>`select to_regclass('cron.job') is not null as found`;
  if (!cron!.found) return [];
  const jobs = await sql<{ id: string; jobname: string; schedule: string; active: boolean }[]>`
    select jobid::text as id, jobname, schedule, active from cron.job
    where jobname in ('backup-weekly', 'backup-daily') and username = current_user and database = current_database()`;
  const expected = {
    "backup-weekly": "backup.schedule('0 3 * * 0')",
    "backup-daily": "backup.schedule_check()",
  };
  return Object.entries(expected).map(([name, command]) => {
    const job = jobs.find(({ jobname }) => jobname === name);
    if (job === undefined) return warning(name, "The job is missing", `select ${command};`);
    return job.active
      ? ok(name, job.schedule)
      : warning(name, "The job is paused", `select cron.alter_job(${job.id}, active := true);`);
  });
}

async function checkBucket(sql: Sql): Promise<Finding[]> {
  const rows = await sql<{ name: string; public: boolean; largest: string | null; part: number }[]>`
    select s.bucket as name, b.public, b.file_size_limit::text as largest, s.part_bytes as part
    from backup.settings s left join storage.buckets b on b.id = s.bucket`;
  const bucket = rows[0];
  if (bucket === undefined) {
    return [failed("settings", "backup.settings has no row", "insert into backup.settings default values;")];
  }
  const foreign = await foreignBucket(sql, true);
  if (foreign !== null) return [failed("bucket", foreign, OTHER_BUCKET)];
  if (bucket.public === null) {
    return [failed(
      "bucket",
      `There is no bucket "${bucket.name}"`,
      `insert into storage.buckets (id, name, public) values ('${bucket.name}', '${bucket.name}', false);`,
    )];
  }
  return [
    bucket.public
      ? failed(
        "bucket",
        `The bucket "${bucket.name}" is public: anybody could read the backups`,
        `update storage.buckets set public = false where id = '${bucket.name}';`,
      )
      : ok("bucket", `"${bucket.name}" is private`),
    bucket.largest !== null && Number(bucket.largest) < bucket.part
      ? failed(
        "file size",
        `The bucket takes files of ${bucket.largest} bytes, parts have ${bucket.part}`,
        `update storage.buckets set file_size_limit = ${BUCKET_FILE_BYTES} where id = '${bucket.name}';`,
      )
      : ok("file size", "parts fit into the bucket"),
  ];
}

/** Health looks at runs, copies, alerts and drills as well: its reasons are repeated. */
async function checkHealth(sql: Sql): Promise<Finding[]> {
  const [health] = await sql<
    {
      /** Null where there are none. */
      reasons: { code: string; severity: string; message: string; hint: string }[] | null;
      backups: number;
      drill: string | null;
      platform: PlatformFacts | null;
    }[]
  >`
    select h.reasons, coalesce((h.facts ->> 'backups')::int, 0) as backups, h.facts ->> 'last_drill' as drill,
      h.facts -> 'platform' as platform
    from backup.health h`;
  const reasons = (health!.reasons ?? []).filter(({ code }) => !CHECKED_HERE.includes(code));
  const findings = reasons.map(({ code, severity, message, hint }) => {
    const make = severity === "failing" ? failed : severity === "warning" ? warning : null;
    return make === null ? ok(code, message) : make(code, message, hint ?? "");
  });
  return [
    health!.backups > 0
      ? ok("backups", counted(health!.backups, "backup"))
      : warning("backups", "There is no backup yet", "select backup.start('manual');"),
    health!.drill === null
      ? warning("drill", "No backup was ever restored for a test", `Run \`${commandLine("drill")}\`.`)
      : ok("drill", health!.drill),
    ...(health!.platform === null ? [] : [ok("platform", described(health!.platform))]),
    ...findings,
  ];
}

/** What the last run found out about the platform, which nothing else can tell. */
interface PlatformFacts {
  encrypted: boolean;
  uploads: string;
  /** Why a worker could not call its successor; null where it could. */
  calls: string | null;
  worst_cpu_ms: number;
  ended_at_a_limit: number;
  /** Null where no answer was 5xx. */
  hides_errors: boolean | null;
}

function described(facts: PlatformFacts): string {
  return [
    facts.encrypted ? "TLS to the database" : "no TLS to the database",
    `uploads by ${facts.uploads}`,
    ...(facts.calls === null ? [] : [`successors called by pg_net (${facts.calls})`]),
    `about ${facts.worst_cpu_ms} ms of CPU in the busiest isolate`,
    `${facts.ended_at_a_limit} ended at a limit`,
    ...(facts.hides_errors === null
      ? []
      : [`bodies of 5xx answers are ${facts.hides_errors ? "replaced" : "kept"}`]),
  ].join(", ");
}
