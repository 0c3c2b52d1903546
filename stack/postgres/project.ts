/** A project's database: a cluster with the roles, schemas, grants and settings of a hosted one. */
import { createHmac, randomBytes } from "node:crypto";
import postgres from "postgres";
import { type Cluster, startCluster } from "./cluster.ts";
import { hasExtension } from "./binaries.ts";
import { installPostgres } from "./install.ts";

export interface ProjectDatabase {
  cluster: Cluster;
  /** Role `postgres`, as whom migrations and functions run; no superuser. */
  url: string;
  /** Role `supabase_admin`, for what the platform does. */
  superuserUrl: string;
  /** The server has pg_net itself; without it stack/net/ has to run the worker. */
  realNet: boolean;
  /** Connection string of a role that may log in, the database `postgres` unless told. */
  urlOf(role: LoginRole, database?: string): string;
  stop(): Promise<void>;
}

const LOGIN_ROLES = [
  "supabase_admin",
  "postgres",
  "authenticator",
  "supabase_auth_admin",
  "supabase_storage_admin",
] as const;
export type LoginRole = typeof LOGIN_ROLES[number];

/** What a hosted project has set and the stack's other parts rely on. */
const SETTINGS = {
  // pg_cron 1.4 stands still while a background worker runs a job: let it connect, by the socket.
  "cron.database_name": "postgres",
  "cron.use_background_workers": "off",
  "cron.host": "$dir",
  wal_level: "logical",
  max_connections: "60",
  max_replication_slots: "10",
  max_wal_senders: "10",
  // Ends long statements of every role that has no limit of its own: a backup has to lift it.
  statement_timeout: "2min",
  extra_float_digits: "0",
  jit: "off",
  TimeZone: "UTC",
  log_timezone: "UTC",
};

/**
 * Starts a project's database; with `dir` its data and passwords are kept there for the next start. Throws with the
 * server's log when it does not come up, and with the SQL error when a file of project/ fails.
 */
export async function startProjectDatabase(
  options: { dir?: string; port?: number } = {},
): Promise<ProjectDatabase> {
  const { dir, port } = options;
  const passwordOf = await passwords(dir);
  const realNet = await hasExtension(await installPostgres(), "pg_net");
  if (dir !== undefined) await Deno.mkdir(`${dir}/data`, { recursive: true });
  const cluster = await startCluster({
    superuser: "supabase_admin",
    password: passwordOf("supabase_admin"),
    settings: {
      ...SETTINGS,
      shared_preload_libraries: ["pg_stat_statements", "pg_cron", ...(realNet ? ["pg_net"] : [])].join(),
      // Whoever hangs a trigger on pg_net's tables has it run as this role.
      ...(realNet ? { "pg_net.username": "postgres" } : {}),
    },
    ...(dir === undefined ? {} : { dir: `${dir}/data` }),
    ...(port === undefined ? {} : { port }),
  });
  const urlOf = (role: LoginRole, database = "postgres") =>
    `postgresql://${role}:${passwordOf(role)}@127.0.0.1:${cluster.port}/${encodeURIComponent(database)}`;
  try {
    await bootstrap(urlOf("supabase_admin"), passwordOf, realNet);
  } catch (error) {
    await cluster.stop();
    throw error;
  }
  return {
    cluster,
    url: urlOf("postgres"),
    superuserUrl: urlOf("supabase_admin"),
    realNet,
    urlOf,
    stop: () => cluster.stop(),
  };
}

/** All of it in one transaction: a start that is cut off leaves a cluster that the next start completes. */
async function bootstrap(
  url: string,
  passwordOf: (role: LoginRole) => string,
  realNet: boolean,
): Promise<void> {
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  try {
    const [found] = await sql`select from pg_roles where rolname = 'authenticator'`;
    if (found) return await redirectJobs(sql);
    await sql.begin(async (sql) => {
      for (const file of await files(realNet)) await sql.unsafe(await Deno.readTextFile(file)).simple();
      for (const role of LOGIN_ROLES) {
        await sql.unsafe(`alter role ${role} password '${passwordOf(role)}'`);
      }
    });
  } finally {
    await sql.end();
  }
}

/** Jobs remember the port that the server had when they were scheduled. */
async function redirectJobs(sql: postgres.Sql): Promise<void> {
  await sql`
    update cron.job
    set nodename = current_setting('cron.host'), nodeport = current_setting('port')::integer
    where nodeport <> current_setting('port')::integer or nodename <> current_setting('cron.host')`;
}

/** The SQL files in the order of their names, pg_net's last. */
async function files(realNet: boolean): Promise<URL[]> {
  const folder = new URL("./project/", import.meta.url);
  const names = await Array.fromAsync(Deno.readDir(folder), ({ name }) => name);
  const net = new URL(realNet ? "../net/extension.sql" : "../net/schema.sql", import.meta.url);
  return [...names.sort().map((name) => new URL(name, folder)), net];
}

/** One password a role, all from one secret; with `dir` the secret is kept there (mode 0600). */
async function passwords(dir?: string): Promise<(role: LoginRole) => string> {
  const secret = await secretOf(dir);
  return (role) => createHmac("sha256", secret).update(role).digest("base64url").slice(0, 24);
}

async function secretOf(dir?: string): Promise<string> {
  const fresh = randomBytes(32).toString("hex");
  if (dir === undefined) return fresh;
  const path = `${dir}/database-secret`;
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  await Deno.mkdir(dir, { recursive: true });
  await Deno.writeTextFile(path, fresh, { mode: 0o600 });
  return fresh;
}
