/** Scratch databases: on a server of the embedded stack, or on a server that a person names. */
import { type Cluster, startCluster } from "../../stack/postgres/cluster.ts";
import { majorOf } from "../../stack/postgres/binaries.ts";
import { installPostgres, serverOf } from "../../stack/postgres/install.ts";
import { RESTORE_SETTINGS, RESTORED } from "../../stack/postgres/restore_target.ts";
import { openSession, type Session } from "../../supabase/functions/backup/postgres/session.ts";
import type { Entry } from "../../supabase/functions/backup/entry.ts";
import { urlOf } from "../../supabase/functions/backup/postgres/target.ts";
import { openTarget, type Target } from "../target/target.ts";
import { literal, quoted } from "../../supabase/functions/backup/restore_plan/sql_text.ts";
import { prepareScratch } from "./scratch_setup.ts";
import { CommandError } from "../terminal/errors.ts";
import { note } from "../terminal/output.ts";

export interface Scratch {
  target: Target;
  /** In words, for the report. */
  where: string;
  /** Removes the database, and the server where it is ours. */
  end(): Promise<void>;
}

/**
 * The superuser of a scratch server, which never restores, and the role that does. No project has roles of
 * these names.
 */
const ADMIN = "supabase_backup_scratch_admin";
const RESTORER = "supabase_backup_scratch";

/**
 * Starts a server like the stack's, prepared for these entries, of the backup's version or a later one where that can
 * be had. The target's role is not a superuser: a
 * restore runs code of the backup, in checks, defaults and indexes, and this code must not reach the machine.
 */
export async function scratchServer(
  entries: readonly Entry[],
  serverVersion: string | null = null,
): Promise<Scratch> {
  const cluster = await startCluster({
    binDir: await programsFor(serverVersion),
    superuser: ADMIN,
    password: crypto.randomUUID(),
    settings: RESTORE_SETTINGS,
  });
  try {
    const target = await restorerTarget(cluster, entries);
    return {
      target,
      where: `a scratch server, PostgreSQL ${target.versionText}`,
      end: async () => {
        await target.session.close();
        await cluster.stop();
      },
    };
  } catch (error) {
    await cluster.stop();
    throw error;
  }
}

/** An older server than the backup's would refuse what is new in its version. */
async function programsFor(serverVersion: string | null): Promise<string> {
  const wanted = parseInt(serverVersion ?? "");
  const own = await installPostgres();
  if (!(wanted > await majorOf(own))) return own;
  return await serverOf(wanted).catch((error) => {
    note(`The scratch server is older than the backup's. ${(error as Error).message}.`);
    return own;
  });
}

/**
 * Creates the database and its owner, which is a superuser until roles, extensions and their schemas exist.
 */
async function restorerTarget(cluster: Cluster, entries: readonly Entry[]): Promise<Target> {
  const password = crypto.randomUUID();
  const url = new URL(cluster.url(RESTORED, RESTORER));
  url.password = password;
  await using admin = await disposableSession(cluster.url());
  await admin.sql.unsafe(`
    create role ${RESTORER} superuser bypassrls login password ${literal(password)};
    grant pg_read_all_data, pg_write_all_data to ${RESTORER};
    grant set on parameter session_replication_role to ${RESTORER}`).simple();
  await admin.sql.unsafe(`create database ${RESTORED} template template0 owner ${RESTORER}`);
  {
    await using restorer = await disposableSession(url.href);
    const names = { database: RESTORED, restorer: RESTORER };
    await restorer.sql.unsafe(await prepareScratch(restorer, entries, names)).simple();
  }
  await admin.sql.unsafe(`alter role ${RESTORER} nosuperuser`);
  return { ...await openTarget(url.href), scratch: true, available: new Set() };
}

async function disposableSession(url: string): Promise<Session & AsyncDisposable> {
  const session = await openSession(url, { applicationName: "supabase-backup drill" });
  return { ...session, [Symbol.asyncDispose]: () => session.close() };
}

/**
 * Creates a database on the server at `url`; nothing that is there is touched. Roles that the backup names
 * are created, and stay.
 */
export async function scratchDatabase(url: string, name: string): Promise<Scratch> {
  const server = await openTarget(url);
  try {
    await server.session.sql.unsafe(`create database ${quoted(name)} template template0`);
  } catch (error) {
    await server.session.close();
    throw new CommandError(
      `No scratch database could be created: ${(error as Error).message}`,
      `The role ${server.user} needs createdb, and a database ${name} must not be there.`,
      error,
    );
  }
  const target = await openTarget(urlOf({ ...server.address, database: name }));
  return {
    target,
    where:
      `a scratch database on ${server.address.host}:${server.address.port}, PostgreSQL ${target.versionText}`,
    end: async () => {
      await target.session.close();
      await server.session.sql.unsafe(`drop database ${quoted(name)} with (force)`);
      await server.session.close();
    },
  };
}
