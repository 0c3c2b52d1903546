/** Applies the project's migrations: as a person does, with the Supabase CLI, or in a tenth of its time without it. */
import postgres from "postgres";

export interface PushOptions {
  /** Role `postgres`. */
  databaseUrl: string;
  /** Runs the seed files of config.toml too; the CLI remembers which ran. */
  seed?: boolean;
}

const ROOT = new URL("../", import.meta.url);

/** With the CLI. Throws with its words when a migration fails. */
export async function pushMigrations({ databaseUrl, seed = false }: PushOptions): Promise<void> {
  const { success, stdout, stderr } = await new Deno.Command(
    new URL("node_modules/.bin/supabase", ROOT).pathname,
    {
      args: ["db", "push", `--remote=${databaseUrl}`, "--yes", ...(seed ? ["--include-seed"] : [])],
      cwd: ROOT.pathname,
      stdin: "null",
      // The stack's PostgreSQL speaks no TLS; loopback needs none.
      env: { PGSSLMODE: "disable" },
    },
  ).output();
  if (success) return;
  const text = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes).trim()).join("\n");
  throw new Error(`supabase db push failed:\n${text.replaceAll(databaseUrl, "<database URL>")}`);
}

/**
 * Without the CLI, for tests that start many stacks: the same objects and the same versions recorded, so that the CLI
 * finds nothing left to do. Only `statements` differs: it holds the file as one. Throws on the first file that fails;
 * those before it stay applied.
 */
export async function applyMigrations(databaseUrl: string): Promise<void> {
  const folder = new URL("supabase/migrations/", ROOT);
  const names = await Array.fromAsync(Deno.readDir(folder), ({ name }) => name);
  const sql = postgres(databaseUrl, { max: 1, onnotice: () => {} });
  try {
    await sql.unsafe(`
      create schema if not exists supabase_migrations;
      create table if not exists supabase_migrations.schema_migrations (
        version text not null primary key, statements text[], name text
      )`).simple();
    const applied = await sql<
      { version: string }[]
    >`select version from supabase_migrations.schema_migrations`;
    for (const file of names.sort()) {
      const [, version, name] = file.match(/^(\d+)_(.*)\.sql$/) ?? [];
      if (version === undefined || applied.some((row) => row.version === version)) continue;
      await applyOne(sql, new URL(file, folder), version, name!);
    }
  } finally {
    await sql.end();
  }
}

/** A file is a transaction. */
async function applyOne(sql: postgres.Sql, file: URL, version: string, name: string): Promise<void> {
  const text = await Deno.readTextFile(file);
  await sql.begin(async (sql) => {
    await sql.unsafe(text).simple();
    await sql`
      insert into supabase_migrations.schema_migrations (version, statements, name)
      values (${version}, ${[text]}, ${name})`;
  }).catch((error) => {
    throw new Error(`Migration ${version}_${name}.sql failed: ${error.message}`, { cause: error });
  });
}
