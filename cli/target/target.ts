/** The database that is restored into, looked at before anything is done to it. */
import { parseTarget, type Target as Address } from "../../supabase/functions/backup/postgres/target.ts";
import { openSession, type Session } from "../../supabase/functions/backup/postgres/session.ts";
import { CommandError } from "../terminal/errors.ts";
import type { Kind, TargetFacts } from "../../supabase/functions/backup/restore_plan/context.ts";

export type { Kind };

export interface Target extends TargetFacts {
  /** Holds the password. */
  url: string;
  address: Address;
  session: Session;
}

/** Roles and schemas that together only a Supabase project has. */
const PROJECT_ROLES = ["anon", "authenticated", "service_role", "supabase_admin"];
const PROJECT_SCHEMAS = ["auth", "storage"];

const PRELOADED = new Set(["pg_cron", "pg_net"]);

/**
 * Opens a session and reads the facts; `as` says what it is where that shows wrongly, in a whole copy of a
 * project for example. Throws BackupError `database_unreachable` or `bad_request`, and CommandError for a
 * transaction pooler; none holds the password.
 */
export async function openTarget(url: string, as?: Kind): Promise<Target> {
  const address = parseTarget(url);
  if (address.transactionPooler) {
    throw new CommandError(
      `Cannot restore through the transaction pooler at ${address.host}:${address.port}`,
      "It gives each transaction another connection, and a restore needs one for itself. Use the direct connection or the " +
        "session pooler (port 5432).",
    );
  }
  const session = await openSession(url, { applicationName: "supabase-backup restore" });
  try {
    await session.sql.unsafe("set search_path = pg_catalog, pg_temp; set statement_timeout = 0").simple();
    return { url, address, session, ...await readFacts(session), ...(as ? { kind: as } : {}) };
  } catch (error) {
    await session.close();
    throw error;
  }
}

async function readFacts({ sql }: Session): Promise<TargetFacts> {
  const [me] = await sql.unsafe<
    {
      version: string;
      text: string;
      database: string;
      name: string;
      superuser: boolean;
      roles: boolean;
      preloaded: string;
    }[]
  >(`
    select pg_catalog.current_setting('server_version_num') as version,
      pg_catalog.current_setting('server_version') as text, pg_catalog.current_database() as database, rolname as name, rolsuper as superuser, rolsuper or rolcreaterole as roles,
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
    database: me!.database,
    version: Number(me!.version),
    versionText: me!.text,
    user: me!.name,
    superuser: me!.superuser,
    scratch: false,
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

/**
 * Returns what libpq's programs read in place of a connection string, which others could see in the list of
 * processes.
 */
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

/** Returns where it is, in words and without a password. */
export function placeOf({ host, port, user, database }: Address): string {
  return `database "${database}" at ${host}:${port} as ${user}`;
}
