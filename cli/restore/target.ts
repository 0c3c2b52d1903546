/** The database that is restored into, looked at before anything is done to it. */
import { parseTarget, type Target as Address } from "../../supabase/functions/backup/postgres/target.ts";
import { openSession, type Session } from "../../supabase/functions/backup/postgres/session.ts";

/** A Supabase project has a platform whose objects are not the user's; any other PostgreSQL takes everything. */
export type Kind = "plain" | "supabase";

export interface Target {
  /** Holds the password. */
  url: string;
  address: Address;
  session: Session;
  kind: Kind;
  /** `server_version_num`, and as the server prints it. */
  version: number;
  versionText: string;
  user: string;
  superuser: boolean;
  mayCreateRoles: boolean;
  /** May fill tables as a replica does, which fires no triggers: superusers, and postgres in a project. */
  mayBeReplica: boolean;
  roles: Set<string>;
  superusers: Set<string>;
  /** Roles that may log in. */
  logins: Set<string>;
  schemas: Set<string>;
  tablespaces: Set<string>;
  /** Installed extensions and the schema each is in. */
  extensions: Map<string, string>;
  /** Extensions that can be created here. */
  available: Set<string>;
}

/** Roles and schemas that together only a Supabase project has. */
const PROJECT_ROLES = ["anon", "authenticated", "service_role", "supabase_admin"];
const PROJECT_SCHEMAS = ["auth", "storage"];

const PRELOADED = new Set(["pg_cron", "pg_net"]);

/** Opens a session and reads the facts; `as` says what it is where that shows wrongly, in a whole copy of a project for example. Throws BackupError `database_unreachable` or `bad_request`; neither holds the password. */
export async function openTarget(url: string, as?: Kind): Promise<Target> {
  const address = parseTarget(url);
  const session = await openSession(url, { applicationName: "supabase-backup restore" });
  try {
    await session.sql.unsafe("set search_path = ''; set statement_timeout = 0").simple();
    return { url, address, session, ...await readFacts(session), ...(as ? { kind: as } : {}) };
  } catch (error) {
    await session.close();
    throw error;
  }
}

async function readFacts({ sql }: Session): Promise<Omit<Target, "url" | "address" | "session">> {
  const [me] = await sql.unsafe<
    { version: string; text: string; name: string; superuser: boolean; roles: boolean; preloaded: string }[]
  >(`
    select current_setting('server_version_num') as version, current_setting('server_version') as text,
      rolname as name, rolsuper as superuser, rolsuper or rolcreaterole as roles,
      case when rolsuper then current_setting('shared_preload_libraries') else '' end as preloaded
    from pg_catalog.pg_roles where rolname = current_user`);
  const names = async (query: string) =>
    new Set((await sql.unsafe<{ name: string }[]>(query)).map(({ name }) => name));
  const roles = await names("select rolname as name from pg_catalog.pg_roles");
  const schemas = await names("select nspname as name from pg_catalog.pg_namespace");
  const extensions = new Map(
    (await sql.unsafe<{ name: string; schema: string }[]>(`
      select extname as name, nspname as schema
      from pg_catalog.pg_extension e join pg_catalog.pg_namespace n on n.oid = e.extnamespace`))
      .map(({ name, schema }) => [name, schema]),
  );
  const available = await names("select name from pg_catalog.pg_available_extensions");
  // Their files are not enough; and pg_cron lives in one database of the server only.
  for (const name of PRELOADED) {
    if (me!.superuser && !extensions.has(name) && !me!.preloaded.includes(name)) available.delete(name);
  }
  if (available.has("pg_cron") && me!.superuser && !extensions.has("pg_cron")) {
    const [cron] = await sql.unsafe<{ here: boolean }[]>(
      "select current_setting('cron.database_name', true) is not distinct from current_database() as here",
    );
    if (!cron!.here) available.delete("pg_cron");
  }
  const isProject = PROJECT_ROLES.every((role) => roles.has(role)) &&
    PROJECT_SCHEMAS.every((schema) => schemas.has(schema));
  return {
    kind: isProject ? "supabase" : "plain",
    version: Number(me!.version),
    versionText: me!.text,
    user: me!.name,
    superuser: me!.superuser,
    mayCreateRoles: me!.roles,
    mayBeReplica: await mayBeReplica(sql),
    roles,
    superusers: await names("select rolname as name from pg_catalog.pg_roles where rolsuper"),
    logins: await names("select rolname as name from pg_catalog.pg_roles where rolcanlogin"),
    schemas,
    tablespaces: await names("select spcname as name from pg_catalog.pg_tablespace"),
    extensions,
    available,
  };
}

/** Tried, because each platform has ways of its own to allow it. */
async function mayBeReplica(sql: Session["sql"]): Promise<boolean> {
  try {
    await sql.unsafe("begin; set local session_replication_role = replica").simple();
    return true;
  } catch (error) {
    if ((error as { code?: string }).code !== "42501") throw error;
    return false;
  } finally {
    await sql.unsafe("rollback").simple();
  }
}

/** What libpq's programs read in place of a connection string, which others could see in the list of processes. */
export function libpqEnvironment(
  { host, port, user, password, database, sslMode, sslRootCert }: Address,
): Record<string, string> {
  return {
    PGHOST: host,
    PGPORT: String(port),
    PGUSER: user,
    PGDATABASE: database,
    PGSSLMODE: sslMode,
    ...(password === "" ? {} : { PGPASSWORD: password }),
    ...(sslRootCert === null ? {} : { PGSSLROOTCERT: sslRootCert }),
  };
}

/** Where it is, in words and without a password. */
export function placeOf({ host, port, user, database }: Address): string {
  return `database "${database}" at ${host}:${port} as ${user}`;
}
