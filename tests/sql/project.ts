/** A project's database for the SQL suites, with sessions to it. Nobody sends what is queued for pg_net. */
import postgres from "postgres";
import { type ProjectDatabase, startProjectDatabase } from "../../stack/postgres/project.ts";
import type { SqlFile } from "./sources.ts";

export interface SqlProject extends ProjectDatabase {
  /** Role `postgres`. */
  sql: postgres.Sql;
  /** Role `supabase_admin`. */
  superuser: postgres.Sql;
  /** A further session of `postgres`; it ends with the project. */
  session(): postgres.Sql;
}

/** Starts a project's database; nothing of ours is in it yet. */
export async function startSqlProject(): Promise<SqlProject> {
  const database = await startProjectDatabase();
  const open: postgres.Sql[] = [];
  const connect = (url: string) => {
    // Notices are what a migration tells a person; bigint as text would hide that run ids are numbers.
    const sql = postgres(url, { max: 1, onnotice: () => {}, types: { bigint: postgres.BigInt } });
    open.push(sql);
    return sql;
  };
  return {
    ...database,
    sql: connect(database.url),
    superuser: connect(database.superuserUrl),
    session: () => connect(database.url),
    async stop() {
      await Promise.all(open.map((sql) => sql.end({ timeout: 1 })));
      await database.stop();
    },
  };
}

/** Runs files as the CLI does: each in a transaction of its own. Throws with the name of the file that fails. */
export async function apply(sql: postgres.Sql, files: SqlFile[]): Promise<void> {
  for (const { path, text } of files) {
    try {
      await sql.begin((transaction) => transaction.unsafe(text).simple());
    } catch (error) {
      throw new Error(`${path}: ${(error as Error).message}`, { cause: error });
    }
  }
}
