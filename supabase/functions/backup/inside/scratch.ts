/**
 * The scratch database of a drill, on the project's own server. Code of the backup runs in it: in checks, defaults,
 * indexes, triggers. So a role that owns nothing else and is a member of nothing does all that is done there, in
 * sessions that it logged in to: it cannot become another role, as one could that only `set role`.
 */
import type { Entry } from "../entry.ts";
import { BackupError } from "../errors.ts";
import type { Session } from "../postgres/session.ts";
import { scramVerifier } from "../postgres/scram.ts";
import { UnreachableError } from "../postgres/unreachable.ts";
import type { TargetFacts } from "../restore_plan/context.ts";
import { extensionSchema } from "../restore_plan/extensions.ts";
import { HARMLESS_EXTENSIONS } from "../restore_plan/harmless_extensions.ts";
import { literal, quoted } from "../restore_plan/sql_text.ts";
import type { Work } from "./work.ts";

/** The role and its database; backup._restore_tasks() has the same. */
const NAME = "scratch_of_backup_drill";

/** Longer than an invocation lives. */
const PASSWORD_LIFE = "10 minutes";

/** How long a session that is ended is waited for. */
const END_MS = 5000;

/** Drops it, whoever left it behind. */
export async function dropScratch({ sql }: Pick<Session, "sql">): Promise<void> {
  await sql.unsafe(`drop database if exists ${NAME} with (force)`);
  await sql.unsafe(`drop role if exists ${NAME}`);
}

/**
 * Creates the database, its role, and the extensions that this project may create there; nothing of the backup runs
 * yet.
 */
export async function createScratch(work: Work, entries: readonly Entry[]): Promise<void> {
  const { sql } = work.session;
  await dropScratch(work.session);
  await sql.unsafe(
    `create role ${NAME} login nosuperuser nocreatedb nocreaterole noreplication connection limit 4`,
  );
  // Only a member of a role can give it a database, and end its sessions.
  await sql.unsafe(`grant ${NAME} to current_user`);
  const [{ locale }] = await sql.unsafe<[{ locale: string }]>(`
    select pg_catalog.format('encoding %L lc_collate %L lc_ctype %L', pg_catalog.pg_encoding_to_char(encoding), datcollate, datctype) as locale
    from pg_catalog.pg_database where datname = pg_catalog.current_database()`);
  await sql.unsafe(`create database ${NAME} owner ${NAME} template template0 ${locale}`);
  await sql.unsafe(`revoke all on database ${NAME} from public`);
  await createExtensions(work, entries);
}

/** Some take the rights of the project's own role. What cannot be created is missing, and told of. */
async function createExtensions({ openDatabase }: Work, entries: readonly Entry[]): Promise<void> {
  const wanted = entries.filter(({ desc, tag }) =>
    desc === "EXTENSION" && HARMLESS_EXTENSIONS.has(tag) && tag !== "pg_cron"
  );
  if (wanted.length === 0) return;
  await using owner = disposable(await openDatabase("drill", { database: NAME }));
  for (const entry of wanted) {
    const schema = extensionSchema(entry);
    const isOwn = schema !== null && !schema.startsWith("pg_");
    const place = isOwn ? ` schema ${quoted(schema)}` : "";
    try {
      if (isOwn) {
        await owner.sql.unsafe(`create schema if not exists ${quoted(schema)} authorization ${NAME}`);
      }
      await owner.sql.unsafe(`create extension if not exists ${quoted(entry.tag)}${place}`);
    } catch {
      // The drill creates it as any other. It stays where another extension is in it.
      if (isOwn) await owner.sql.unsafe(`drop schema if exists ${quoted(schema)}`).catch(() => {});
    }
  }
}

/**
 * Opens a session as the scratch database's own role, with a password that only this invocation knows. Statements of an
 * invocation that died may still be at work, and hold locks: the server notices only when they end.
 */
export async function openScratch(
  { openDatabase, session: { sql } }: Work,
): Promise<Session & AsyncDisposable> {
  await sql.unsafe(
    `select pg_catalog.pg_terminate_backend(pid, ${END_MS}) from pg_catalog.pg_stat_activity where usename = '${NAME}'`,
  );
  const password = crypto.randomUUID() + crypto.randomUUID();
  const verifier = await scramVerifier(password);
  const [{ until }] = await sql.unsafe<[{ until: string }]>(
    `select (pg_catalog.clock_timestamp() + interval '${PASSWORD_LIFE}')::pg_catalog.text as until`,
  );
  await sql.unsafe(`alter role ${NAME} password ${literal(verifier)} valid until ${literal(until)}`);
  try {
    return disposable(await openDatabase("drill", { database: NAME, user: NAME, password }));
  } catch (error) {
    if (!(error instanceof UnreachableError)) throw error;
    throw new BackupError(
      "database_unreachable",
      `Cannot log in to the scratch database as its own role: ${error.reason}`,
      "A pooler may refuse roles that it does not know. Drill on a machine: supabase-backup drill.",
      error,
    );
  }
}

/**
 * Returns what a plan wants to know of it: the same in all invocations of a drill, so nothing that the drill creates.
 */
export async function scratchFacts({ sql }: Session): Promise<TargetFacts> {
  const names = async (query: string) =>
    new Set((await sql.unsafe<{ name: string }[]>(query)).map(({ name }) => name));
  const [me] = await sql.unsafe<[{ version: string; text: string }]>(`
    select pg_catalog.current_setting('server_version_num') as version, pg_catalog.current_setting('server_version') as text`);
  const extensions = await sql.unsafe<{ name: string; schema: string }[]>(`
    select extname as name, nspname as schema
    from pg_catalog.pg_extension e join pg_catalog.pg_namespace n on n.oid = e.extnamespace`);
  return {
    kind: "plain",
    database: NAME,
    user: NAME,
    superuser: false,
    scratch: true,
    mayCreateRoles: false,
    mayBeReplica: false,
    version: Number(me.version),
    versionText: me.text,
    roles: await names("select rolname as name from pg_catalog.pg_roles"),
    superusers: await names("select rolname as name from pg_catalog.pg_roles where rolsuper"),
    logins: await names("select rolname as name from pg_catalog.pg_roles where rolcanlogin"),
    // Those of extensions were made before, and belong to the role like its own.
    schemas: await names(`
      select nspname as name from pg_catalog.pg_namespace n
      where nspowner <> (select oid from pg_catalog.pg_roles where rolname = '${NAME}')
        or exists (select from pg_catalog.pg_extension e where e.extnamespace = n.oid)`),
    tablespaces: await names("select spcname as name from pg_catalog.pg_tablespace"),
    extensions: new Map(extensions.map(({ name, schema }) => [name, schema])),
    available: new Set(),
  };
}

function disposable(session: Session): Session & AsyncDisposable {
  return { ...session, [Symbol.asyncDispose]: () => session.close() };
}
