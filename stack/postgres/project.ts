/** A project's database: a cluster with the roles, schemas, grants and settings of a hosted one. */
import { createHmac, randomBytes } from "node:crypto";
import postgres from "postgres";
import { type Cluster, type ClusterOptions, startCluster } from "./cluster.ts";
import { giveAway, makePassable } from "./ownership.ts";
import { hasExtension } from "./binaries.ts";
import { installPostgres } from "./install.ts";
import type { OwnExtensions } from "./own_extensions.ts";

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

/**
 * Which catalog the database has: `plain`, the roles and schemas that the backup needs, with Vault's and pg_net's
 * objects made by hand; `today`, what a hosted project of the end of 2026 has, with extensions where it has extensions;
 * `older`, one that was made when Vault was built on pgsodium.
 */
export type Variant = "plain" | "today" | "older";

export interface ProjectOptions extends Pick<ClusterOptions, "binDir"> {
  /** Folder that keeps data and passwords for the next start. */
  dir?: string;
  port?: number;
  content?: Content;
  /** `plain` without it. */
  variant?: Variant;
  /** As if "Enable automatic RLS" had been ticked when the project was made. */
  automaticRls?: boolean;
}

/** What a database holds from its start, beside what the platform puts there. */
export interface Content {
  /** What it is made of: equal texts make equal databases, so one may be a copy of another. */
  sources: string[];
  /** Makes it, as role `postgres`, and nothing of it twice. */
  apply(databaseUrl: string): Promise<void>;
}

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
  // It ends long statements of every role without a limit of its own: a backup has to lift it.
  statement_timeout: "2min",
  extra_float_digits: "0",
  jit: "off",
  TimeZone: "UTC",
  log_timezone: "UTC",
};

/**
 * Starts a project's database; with `dir` its data and passwords are kept there for the next start. Throws with the
 * server's log when it does not come up, and with the SQL error when a file of project/ or the content fails.
 */
export async function startProjectDatabase(
  options: ProjectOptions = {},
): Promise<ProjectDatabase> {
  const { dir, port, content, variant = "plain", automaticRls = false } = options;
  if (dir !== undefined) await makePassable(dir);
  const passwordOf = await passwords(dir);
  const binDir = options.binDir ?? await installPostgres();
  const realNet = await hasExtension(binDir, "pg_net");
  const sources = await Promise.all([
    ...await files(variant, realNet),
    ...(automaticRls ? [new URL("automatic_rls.sql", import.meta.url)] : []),
  ].map((file) => Deno.readTextFile(file)));
  const extensions = variant === "plain" ? undefined : await ownExtensions(realNet);

  const start = async (place: ClusterOptions): Promise<Cluster> => {
    const cluster = await startCluster({
      binDir,
      superuser: "supabase_admin",
      password: passwordOf("supabase_admin"),
      settings: {
        ...SETTINGS,
        shared_preload_libraries: ["pg_stat_statements", "pg_cron", ...(realNet ? ["pg_net"] : [])].join(),
        // A trigger on pg_net's tables runs as this role.
        ...(realNet ? { "pg_net.username": "postgres" } : {}),
      },
      ...(extensions ? { extensions } : {}),
      ...place,
    });
    try {
      await writeVaultKey(cluster.dir);
      await bootstrap(cluster, sources, passwordOf);
      await content?.apply(urlOf(cluster, "postgres"));
      return cluster;
    } catch (error) {
      await cluster.stop();
      throw error;
    }
  };
  const urlOf = (cluster: Cluster, role: LoginRole, database = "postgres") =>
    `postgresql://${role}:${passwordOf(role)}@127.0.0.1:${cluster.port}/${encodeURIComponent(database)}`;

  const makeTemplate = async (dir: string) => {
    await (await start({ dir, throwAway: true })).stop();
    await Deno.remove(`${dir}/${VAULT_KEY}`);
  };
  const settings = JSON.stringify([SETTINGS, extensions ?? null]);
  const key = ["project", binDir, settings, ...sources, ...content?.sources ?? []];
  if (dir !== undefined) await Deno.mkdir(`${dir}/data`, { recursive: true });
  const cluster = await start({
    ...(dir === undefined ? { template: { key, make: makeTemplate } } : { dir: `${dir}/data` }),
    ...(port === undefined ? {} : { port }),
  });
  return {
    cluster,
    url: urlOf(cluster, "postgres"),
    superuserUrl: urlOf(cluster, "supabase_admin"),
    realNet,
    urlOf: (role, database) => urlOf(cluster, role, database),
    stop: () => cluster.stop(),
  };
}

/**
 * Puts the platform's part into a new database, and the passwords into any that is a copy. All of it in one
 * transaction: a start that is cut off leaves a cluster that the next start completes.
 */
async function bootstrap(
  { dir, port }: Cluster,
  sources: string[],
  passwordOf: (role: LoginRole) => string,
): Promise<void> {
  // By the socket: a copied cluster still has the passwords of its template.
  const login = { host: dir, port, user: "supabase_admin", database: "postgres" };
  const sql = postgres({ ...login, max: 1, onnotice: () => {} });
  try {
    await sql.begin(async (sql) => {
      const [found] = await sql`select from pg_roles where rolname = 'authenticator'`;
      if (found) await redirectJobs(sql);
      else for (const source of sources) await sql.unsafe(source).simple();
      for (const role of LOGIN_ROLES) {
        await sql.unsafe(`alter role ${role} password '${passwordOf(role)}'`);
      }
    });
  } finally {
    await sql.end();
  }
}

/** Jobs remember the port that the server had when they were scheduled. */
async function redirectJobs(sql: postgres.TransactionSql): Promise<void> {
  await sql`
    update cron.job
    set nodename = current_setting('cron.host'), nodeport = current_setting('port')::integer
    where nodeport <> current_setting('port')::integer or nodename <> current_setting('cron.host')`;
}

/** The file in the server's folder that holds the key of Vault's secrets, which no dump contains. */
const VAULT_KEY = "vault.key";

/** Keeps the key of a kept folder. */
async function writeVaultKey(dir: string): Promise<void> {
  const path = `${dir}/${VAULT_KEY}`;
  try {
    await Deno.writeTextFile(path, randomBytes(32).toString("hex"), { mode: 0o600, createNew: true });
    await giveAway(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
  }
}

/** Of those that a hosted project's owner may create, the ones that PostgreSQL itself reserves to superusers. */
const TRUSTED = ["dblink", "pageinspect", "pg_cron", "pg_net", "pgrowlocks", "pgtap", "postgres_fdw"];

/** What a variant shares with the plain one: the services' own tables, and what stands in for supautils. */
const SHARED = ["030_auth.sql", "040_storage.sql", "110_policies.sql"];

/** The SQL files in the order of their names; in the plain variant pg_net's last. */
async function files(variant: Variant, realNet: boolean): Promise<URL[]> {
  const plain = await sqlFiles("project/");
  if (variant === "plain") {
    return [...plain, new URL(realNet ? "../net/extension.sql" : "../net/schema.sql", import.meta.url)];
  }
  const name = (file: URL) => file.pathname.split("/").at(-1)!;
  const hosted = [...await sqlFiles("hosted/"), ...await sqlFiles(`hosted/${variant}/`)];
  return [...plain.filter((file) => SHARED.includes(name(file))), ...hosted]
    .sort((a, b) => name(a) < name(b) ? -1 : 1);
}

async function sqlFiles(folder: string): Promise<URL[]> {
  const url = new URL(folder, import.meta.url);
  const names = await Array.fromAsync(Deno.readDir(url), ({ name }) => name);
  return names.filter((name) => name.endsWith(".sql")).sort().map((name) => new URL(name, url));
}

/** Stand-ins for the platform's extensions, and for the modules that its roles are set to load. */
async function ownExtensions(realNet: boolean): Promise<OwnExtensions> {
  const folder = new URL("extensions/", import.meta.url);
  const files: Record<string, string> = {};
  for await (const { name } of Deno.readDir(folder)) {
    files[name] = await Deno.readTextFile(new URL(name, folder));
  }
  files["pg_net--0.20.4.sql"] = await Deno.readTextFile(new URL("../net/schema.sql", import.meta.url));
  const names = Object.keys(files).filter((name) => !realNet || !name.startsWith("pg_net"));
  return {
    files: Object.fromEntries(names.map((name) => [name, files[name]!])),
    trusted: TRUSTED,
    modules: ["supautils", "safeupdate"],
  };
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
  await Deno.writeTextFile(path, fresh, { mode: 0o600 });
  return fresh;
}
