/** Applies the project's migrations: as a person does, with the Supabase CLI, or in a tenth of its time without it. */
import { createHash } from "node:crypto";
import { fileURLToPath } from "node:url";
import postgres from "postgres";
import type { Content } from "./postgres/project.ts";

const ROOT = new URL("../", import.meta.url);

interface SqlFile {
  name: string;
  text: string;
}

const CLI = fileURLToPath(new URL("node_modules/.bin/supabase", ROOT).href);

/** Returns whether the Supabase CLI is in this checkout. The package does without its 135 MB. */
export async function hasCli(): Promise<boolean> {
  return await Deno.stat(CLI).then(() => true, () => false);
}

/** With the CLI. Throws with its words when a migration fails. */
export async function pushMigrations(databaseUrl: string): Promise<void> {
  const { success, stdout, stderr } = await new Deno.Command(
    CLI,
    {
      args: ["db", "push", `--remote=${databaseUrl}`, "--yes"],
      cwd: ROOT,
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
 * The migrations without the CLI, for tests that start many stacks: the same objects and the same versions recorded, so
 * that the CLI finds nothing left to do. Only `statements` differs: it holds the file as one.
 */
export async function migrationsContent(): Promise<Content> {
  const files = await sqlFiles(new URL("supabase/migrations/", ROOT));
  return {
    sources: files.flatMap(({ name, text }) => [name, text]),
    apply: (url) => withSession(url, (sql) => applyMigrations(sql, files)),
  };
}

/** A folder of SQL files in the order of their names; which ones ran is recorded where the CLI records seeds. */
export async function folderContent(folder: URL): Promise<Content> {
  const files = await sqlFiles(folder);
  return {
    sources: files.flatMap(({ name, text }) => [name, text]),
    apply: (url) => withSession(url, (sql) => applyFolder(sql, files)),
  };
}

/** One content after the other. */
export function joinContents(contents: Content[]): Content {
  return {
    sources: contents.flatMap(({ sources }) => sources),
    async apply(url) {
      for (const content of contents) await content.apply(url);
    },
  };
}

async function sqlFiles(folder: URL): Promise<SqlFile[]> {
  const names = await Array.fromAsync(Deno.readDir(folder), ({ name }) => name);
  return await Promise.all(
    names.filter((name) => name.endsWith(".sql")).sort()
      .map(async (name) => ({ name, text: await Deno.readTextFile(new URL(name, folder)) })),
  );
}

async function withSession(url: string, use: (sql: postgres.Sql) => Promise<void>): Promise<void> {
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  try {
    await use(sql);
  } finally {
    await sql.end();
  }
}

async function applyMigrations(sql: postgres.Sql, files: SqlFile[]): Promise<void> {
  await sql.unsafe(`
    create schema if not exists supabase_migrations;
    create table if not exists supabase_migrations.schema_migrations (
      version text not null primary key, statements text[], name text
    )`).simple();
  const applied = await sql<{ version: string }[]>`select version from supabase_migrations.schema_migrations`;
  for (const file of files) {
    const [, version, name] = file.name.match(/^(\d+)_(.*)\.sql$/) ?? [];
    if (version === undefined || applied.some((row) => row.version === version)) continue;
    await applyOne(sql, file, (sql) =>
      sql`
      insert into supabase_migrations.schema_migrations (version, statements, name)
      values (${version}, ${[file.text]}, ${name!})`);
  }
}

async function applyFolder(sql: postgres.Sql, files: SqlFile[]): Promise<void> {
  await sql.unsafe(`
    create schema if not exists supabase_migrations;
    create table if not exists supabase_migrations.seed_files (path text not null primary key, hash text not null)
  `).simple();
  const applied = await sql<{ path: string }[]>`select path from supabase_migrations.seed_files`;
  for (const file of files) {
    if (applied.some(({ path }) => path === file.name)) continue;
    const hash = createHash("sha256").update(file.text).digest("hex");
    await applyOne(
      sql,
      file,
      (sql) => sql`insert into supabase_migrations.seed_files (path, hash) values (${file.name}, ${hash})`,
    );
  }
}

/** A file and its record are one transaction; files before one that fails stay applied. */
async function applyOne(
  sql: postgres.Sql,
  { name, text }: SqlFile,
  record: (sql: postgres.TransactionSql) => Promise<unknown>,
): Promise<void> {
  await sql.begin(async (sql) => {
    await sql.unsafe(text).simple();
    await record(sql);
  }).catch((error) => {
    throw new Error(`Cannot apply ${name}: ${error.message}`, { cause: error });
  });
}
