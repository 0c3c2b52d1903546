/** A database to throw away: on a server of the embedded stack, or a new one on a server that was named. */
import { RESTORED, startRestoreTarget } from "../../stack/postgres/restore_target.ts";
import { openTarget, type Target } from "./target.ts";
import { quoted } from "./roles.ts";
import { CommandError } from "../terminal.ts";

export interface Scratch {
  target: Target;
  /** In words, for the report. */
  where: string;
  /** Removes the database, and the server where it is ours. */
  end(): Promise<void>;
}

/** Starts a server of its own, with what the stack's servers have. */
export async function scratchServer(): Promise<Scratch> {
  const cluster = await startRestoreTarget();
  try {
    const target = await openTarget(cluster.url(RESTORED));
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

/** Creates a database on the server at `url`; nothing that is there is touched. Roles that the backup names are created, and stay. */
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
  const target = await openTarget(withDatabase(url, name));
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

function withDatabase(url: string, name: string): string {
  return url.replace(
    /^(\w+:\/\/[^/?]*)(?:\/[^?]*)?/,
    (_, server: string) => `${server}/${encodeURIComponent(name)}`,
  );
}
